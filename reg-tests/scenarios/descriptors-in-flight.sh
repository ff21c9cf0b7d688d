#!/bin/bash
#
# The kernel lets a user without CAP_SYS_RESOURCE have no more descriptors on their way between processes than
# RLIMIT_NOFILE (ETOOMANYREFS). A reload that hands more than that to all workers together is handed over piece by
# piece: no worker is killed for it, and every address answers.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

limit=256
n_binds=100 # times 8 workers
as_nobody=()
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || skip "no setpriv"
    as_nobody=(setpriv --reuid nobody --clear-groups)
    chown nobody "$work"
fi
cp "$build/holdfast" "$work/holdfast" # where we are built nobody else may look

write_config() { # write_config N_BINDS
    echo "global { pid-file $work/pid; log stderr level notice; workers 8 }"
    echo "frontend www {"
    echo "    bind unix@$work/front.sock"
    for ((i = 0; i < $1; i++)); do echo "    bind unix@$work/more$i.sock"; done
    echo "    route all { respond 200 \"$1\" }"
    echo "}"
}
answers() { # answers SOCKET TEXT
    expect "$2" "$(curl --silent --show-error --max-time 60 --unix-socket "$work/$1" http://holdfast/)" "at $1"
}
reload() { "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload to $1 binds"; }

write_config 0 >"$work/holdfast.cfg"
start holdfast "${as_nobody[@]}" bash -c "ulimit -n $limit; exec '$work/holdfast' -f '$work/holdfast.cfg'"
wait_until 20 test -s "$work/pid"
before=$(workers | sort)
for n in $n_binds 0 $n_binds; do
    write_config "$n" >"$work/holdfast.cfg"
    reload "$n"
    expect "$before" "$(workers | sort)" "the workers"
    answers front.sock "$n"
done
for ((i = 0; i < n_binds; i++)); do answers "more$i.sock" "$n_binds"; done

# The successor of a worker is given all of them too.
victim=$(workers | head -n 1)
was_replaced() { [ "$(workers | wc -l)" = 8 ] && ! workers | grep -qx "$victim"; }
kill -KILL "$victim"
wait_until 20 was_replaced
write_config 0 >"$work/holdfast.cfg"
reload 0
answers front.sock 0
if grep -qE "killed|died" <(grep -v "process $victim" "$work/holdfast.err"); then fail "a worker has died"; fi
stop holdfast

#!/bin/bash
#
# More sockets than one message between a master and a worker takes (128): a reload adds them to living workers, each of
# them answers, a worker that comes later has them too, and a reload that takes them away leaves no descriptor and
# no file behind.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

n_binds=300
reload() { # reload N_BINDS
    local i

    { echo "global { pid-file $work/pid; log stderr level notice; workers 2 }"
      echo "frontend www { bind unix@$work/front.sock"
      for ((i = 1; i <= $1; i++)); do echo "bind unix@$work/$i.sock"; done
      echo "route all { respond 200 \"$1\" } }"; } >"$work/holdfast.cfg"
    [ ! -e "$work/pid" ] || "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload with $1 binds more"
}
# One curl for all of them.
for ((i = 1; i <= n_binds; i++)); do
    if [ "$i" -gt 1 ]; then echo next; fi
    printf 'url=http://holdfast/\nunix-socket="%s"\nmax-time=20\nsilent\nshow-error\nwrite-out="\\n"\n' "$work/$i.sock"
done >"$work/all.curl"
expect_all() { # expect_all WHAT
    expect "$n_binds $n_binds" "$(curl -K "$work/all.curl" | sort | uniq -c | xargs)" "answers and what they say, $1"
}
fds_of() { find "/proc/$1/fd" -type l | wc -l; }
each_has() { # each_has N: master and workers have so many more descriptors than in the beginning
    local pid

    for pid in "${pid_of[holdfast]}" $(workers); do
        if [ -z "${fds[$pid]-}" ] || [ "$(fds_of "$pid")" != $((fds[$pid] + $1)) ]; then return 1; fi
    done
}

reload 0
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
declare -A fds=()
note_fds() { for pid in "${pid_of[holdfast]}" $(workers); do fds[$pid]=$(fds_of "$pid"); done; }
note_fds

reload $n_binds
expect_all "added by a reload"
wait_until 10 each_has $n_binds
reload 0
expect "" "$(find "$work" -name '[0-9]*.sock')" "sockets after a reload that removes them"
wait_until 10 each_has 0
expect 0 "$(request http://holdfast/)" "the bind that stays"

# Again, and each worker dies: one after the other, its successor alone serves all.
reload $n_binds
was_replaced() { [ "$(workers | wc -l)" = 2 ] && ! workers | grep -qx "$victim"; }
has_all() { [ "$(fds_of "$1")" -ge $n_binds ]; }
mapfile -t first < <(workers)
for victim in "${first[@]}"; do
    kill -KILL "$victim"
    wait_until 10 was_replaced
    for pid in $(workers); do wait_until 10 has_all "$pid"; done
done
expect_all "of workers that came later"
reload 0
fewer() { [ "$(fds_of "$1")" -lt $n_binds ]; }
for pid in "${pid_of[holdfast]}" $(workers); do wait_until 10 fewer "$pid"; done
expect 0 "$(request http://holdfast/)" "the bind that stays, in the end"
expect 2 "$(grep -c 'died of signal' "$work/holdfast.err")" "deaths"
stop holdfast

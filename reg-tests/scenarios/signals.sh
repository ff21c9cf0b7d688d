#!/bin/bash
#
# Signals: those that a terminal sends to the whole process group are the master's to act on; WINCH, TTIN, TTOU, PIPE and
# USR2 are nothing; -W ends with 130 on INT, and has a master whatever the configuration says; a signal that comes right
# after the pid file is there is not lost. Workers hold none of the master's descriptors, and open nothing by path.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers 2 }
spool main { path $work/spool; reserve 0 }
frontend www {
    bind unix@$work/front.sock
    access-log $work/access.log format "\${path}"
    route all { respond 200 "hello" }
}
CONFIG
serves() { [ "$(request http://holdfast/)" = hello ]; }
in_force() { [ "$(grep -c 'configuration is in force' "$work/holdfast.err")" -ge "$1" ]; }

start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
mapfile -t all < <(workers)
for signal in WINCH TTIN TTOU PIPE USR2; do
    kill -$signal "${pid_of[holdfast]}" "${all[@]}"
    serves || fail "SIG$signal has done something"
done
# As a terminal does: to everybody. The workers leave it to the master.
kill -HUP "${all[@]}" "${pid_of[holdfast]}"
wait_until 10 in_force 1
kill -USR1 "${all[@]}" "${pid_of[holdfast]}"
kill -TERM "${all[@]}"
kill -INT "${all[@]}"
kill -QUIT "${all[@]}"
serves || fail "a signal to the workers has done something"
expect "${all[*]}" "$(workers | tr '\n' ' ' | sed 's/ $//')" "the workers"

# What a worker has open: nothing of the master's but what it serves with.
for pid in "${all[@]}"; do
    for fd in /proc/"$pid"/fd/*; do
        to=$(readlink "$fd")
        case $to in
            socket:* | pipe:* | /dev/null | "anon_inode:[eventpoll]" | "/memfd:holdfast-panic (deleted)") ;;
            "$work/access.log" | "$work/spool" | "$work/holdfast.err" | "$work/holdfast.out") ;;
            *) fail "a worker has $to open" ;;
        esac
    done
    expect "" "$(awk '$1 ~ /^Cap(Inh|Prm|Eff|Amb):/ && $2 !~ /^0+$/' "/proc/$pid/status")" "capabilities of a worker"
    expect 1 "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" "no new privileges"
done
stop holdfast

# -W: a master, although the file says `workers 0`; 130 on INT.
sed -i 's/workers 2/workers 0/' "$work/holdfast.cfg"
start holdfast "$build/holdfast" -W -f "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
expect 1 "$(pgrep -c -P "${pid_of[holdfast]}" -x holdfast)" "workers with -W"
kill -INT "${pid_of[holdfast]}"
status=0
wait "${pid_of[holdfast]}" || status=$?
unset "pid_of[holdfast]"
expect 130 "$status" "the status after INT with -W"

# The very moment the pid file is there.
for n_workers in 2 0; do
    sed -i "s/workers [0-9]/workers $n_workers/" "$work/holdfast.cfg"
    : >"$work/holdfast.err"
    start holdfast "$build/holdfast" -f "$work/holdfast.cfg"
    # shellcheck disable=SC2016 # the inner shell's
    timeout 20 sh -c 'until [ -s "$0" ]; do :; done; kill -HUP "$(cat "$0")"' "$work/pid" || fail "there is no pid file"
    wait_until 10 in_force 1
    kill -INT "${pid_of[holdfast]}"
    wait "${pid_of[holdfast]}" || fail "the status after INT is $?"
    unset "pid_of[holdfast]"
    if [ -e "$work/pid" ] || [ -e "$work/front.sock" ]; then fail "something is left behind"; fi
done

# What a worker opens once it is one: files without a name in the spool's directory, and nothing else.
if ! command -v strace >/dev/null || ! strace -qq -o /dev/null true 2>/dev/null; then
    skip "no strace; the rest has passed"
fi
sed -i "s/workers [0-9]/workers 2/" "$work/holdfast.cfg"
export ASAN_OPTIONS=detect_leaks=0 # which is traced itself
start holdfast strace -ff -qq -e trace=open,openat,openat2,creat -o "$work/trace" "$build/holdfast" -f "$work/holdfast.cfg"
wait_until 20 test -s "$work/pid"
master=$(cat "$work/pid")
mapfile -t served < <(pgrep -P "$master")
for ((i = 0; i < 20; i++)); do serves || fail "a request under strace"; done
"$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload under strace"
serves || fail "a request after it"
"$build/holdfast" -s stop -q -f "$work/holdfast.cfg"
wait "${pid_of[holdfast]}" || fail "holdfast has ended with status $? under strace"
unset "pid_of[holdfast]"
n=0
n_loaders=0
for trace in "$work"/trace.*; do
    [ "$trace" != "$work/trace.$master" ] || continue
    # The process that has read the file for the reload; no worker is, nor a thread of one.
    if [[ " ${served[*]} " != *" ${trace##*.} "* ]] && grep -qF "$work/holdfast.cfg" "$trace"; then
        n_loaders=$((n_loaders + 1))
        continue
    fi
    n=$((n + 1))
    if grep -vE 'openat\([0-9]+, "\.", .*O_TMPFILE|^(---|\+\+\+)' "$trace"; then fail "a worker has opened that"; fi
done
expect 1 "$n_loaders" "processes that have read the file"
expect 4 "$n" "traces of workers, and of the thread of each that compiled"

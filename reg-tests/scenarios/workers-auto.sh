#!/bin/bash
#
# Without a word about workers, and with `workers auto`, there are as many as there are processors that we may use.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

unset HOLDFAST_WORKERS
first=$(taskset -cp $$ | sed -nE 's/^.*: ([0-9]+).*$/\1/p')
for line in "" "workers auto"; do
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; $line }
frontend www {
    bind unix@$work/front.sock
    route all { respond 200 "hello" }
}
CONFIG
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    expect "$(nproc)" "$(pgrep -c -P "${pid_of[holdfast]}" -x holdfast)" "workers with '$line'"
    stop holdfast

    start holdfast taskset -c "$first" "$build/holdfast" -f "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    expect 1 "$(pgrep -c -P "${pid_of[holdfast]}" -x holdfast)" "workers with '$line' and one processor"
    expect hello "$(request http://holdfast/)" "who serves with one processor"
    stop holdfast
done

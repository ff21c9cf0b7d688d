#!/bin/bash
#
# A file that is long in coming (here: a pipe to which nobody writes yet) is not felt by clients: they are served while
# the reload waits for it, also in one process (workers 0), and a worker that dies is replaced. Another reload that is
# asked for meanwhile comes after it, and an end does not wait for it.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

write_config() { # write_config VERSION [MORE_OF_THE_FRONTEND]
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log stderr level notice; workers $n_workers }
frontend www {
    bind unix@$work/front.sock
    ${2-}
    route all { respond 200 "$1" }
}
CONFIG
}
# The process itself, or one that is there for that alone.
at_the_pipe() {
    local pid

    for pid in ${pid_of[holdfast]} $(pgrep -P "${pid_of[holdfast]}"); do
        if find "/proc/$pid/fd" -lname "$work/pipe" 2>/dev/null | grep -q .; then echo "$pid"; fi
    done
}
is_loading() { [ -n "$(at_the_pipe)" ]; }
serves() { [ "$(request http://holdfast/)" = "$1" ]; }
begin_slow_reload() { # begin_slow_reload VERSION: waits at the pipe, which the descriptor $writer keeps open
    write_config "$1" "route none when path in file $work/pipe { respond 404 }"
    exec {writer}<>"$work/pipe"
    kill -HUP "${pid_of[holdfast]}"
    wait_until 5 is_loading
    reader=$(at_the_pipe)
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

mkfifo "$work/pipe"
for n_workers in 0 2; do
    write_config 0
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    workers | head -n 1 >"$work/worker"
    begin_slow_reload 1
    expect 0 "$(request http://holdfast/)" "who serves while the reload waits"
    is_loading || fail "the reload has not waited"

    if [ "$n_workers" = 2 ]; then
        n_before=$(workers | wc -l)
        victim=$(cat "$work/worker")
        kill -KILL "$victim"
        wait_until 5 grep -q "worker 0 is process" "$work/holdfast.err"
        expect "$n_before" "$(workers | wc -l)" "processes"
        expect 0 "$(request http://holdfast/)" "who serves after a death"
        is_loading || fail "the reload has not gone on"
    fi

    # The file of the reload under way has been read: this one is for the next.
    write_config 2
    kill -HUP "${pid_of[holdfast]}"
    echo /nothing >&"$writer"
    exec {writer}>&-
    wait_until 10 serves 2
    expect 2 "$(grep -c 'the new configuration is in force' "$work/holdfast.err")" "reloads"

    if [ "$n_workers" = 2 ]; then # a fault in reading the file is a reload that fails, and no more
        begin_slow_reload 3
        kill -KILL "$reader"
        exec {writer}>&-
        wait_until 5 grep -q "cannot load the configuration: Killed" "$work/holdfast.err"
        expect 2 "$(request http://holdfast/)" "who serves after that"
    fi
    begin_slow_reload 4
    stop holdfast
    wait_until 5 is_gone "$reader"
    exec {writer}>&-
    : >"$work/holdfast.err"
done

# Nobody is left behind at the pipe by a master that is killed.
n_workers=2
write_config 0
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
begin_slow_reload 1
kill_hard holdfast
wait_until 5 is_gone "$reader"

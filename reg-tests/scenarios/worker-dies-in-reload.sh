#!/bin/bash
#
# Workers that die of a reload. One that dies once while it prepares: all are asked again, and take the new configuration.
# One that dies of it each time: after the second death the reload fails, says so, and the old configuration serves
# on. One that dies when it is told to commit: its successor has the new configuration. There is never more than one
# version to be seen.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

start_faulty
keep_conns

fault die-preparing
reload 1
expect 0 "$status" "status of a reload of which a worker dies once: $(cat "$work/said")"
expect 1 "$(n_died 6)" "deaths of a reload of which a worker dies once"
serve_after_death 1 "after a reload of which a worker dies once"

for row in 0 1; do # each of which may be the one that is asked first
    deaths=$(n_died 6)
    if [ $row = 0 ]; then fault die-compiling.0; else fault die-preparing.1; fi
    reload 2
    no_faults
    expect 1 "$status" "status of a reload of which worker $row dies each time"
    grep -q "a worker died when it was given the new configuration" "$work/said" || fail "-s reload says: $(cat "$work/said")"
    expect $((row + 1)) "$(n_logged 'a worker died when it was given the new configuration')" "reasons in the log"
    serve_after_death 1 "after a reload of which worker $row dies each time"
    expect 2 $(($(n_died 6) - deaths)) "deaths of a reload of which worker $row dies each time"
    reload 1 # a reload that succeeds forgets deaths: five in ten seconds are too many
    expect 0 "$status" "status of the reload after it: $(cat "$work/said")"
done

# SIGKILL comes from outside: the reload goes on, but not for ever.
worker_0() { # after it was replaced at least once
    sed -nE 's/.* worker 0 is process ([0-9]+) now$/\1/p' "$work/error.log" | tail -n 1
}
n_compiled() { wc -l <"$HOLDFAST_FAULTS/hold-compiling.0"; }
compiles_after() { [ "$(n_compiled)" -gt "$1" ] && [ "$(worker_0)" != "$victim" ]; }
kill_while_compiling() { # kill_while_compiling TIMES: in a reload that is under way
    local before=0 i victim=

    for ((i = 1; i <= $1; i++)); do
        wait_until 10 compiles_after "$before"
        sleep 0.15 # younger than 0.1 s it may be the victim of itself
        victim=$(worker_0)
        before=$(n_compiled)
        kill -KILL "$victim"
    done
    if [ "$1" -lt 5 ]; then wait_until 10 compiles_after "$before"; fi
}
for times in 4 5; do
    write_version 1$times
    fault hold-compiling.0
    : >"$work/told.err"
    start told "$build/holdfast" -s reload -f "$work/holdfast.cfg"
    kill_while_compiling $times
    no_faults
    status=0
    wait "${pid_of[told]}" || status=$?
    unset "pid_of[told]"
    expect $((times - 4)) "$status" "status of a reload of which $times workers are killed: $(cat "$work/told.err")"
    wait_until 10 both_live
    expect "14 " "$(fresh)" "what new connections see after $times workers were killed"
done
grep -q "a worker died when it was given the new configuration" "$work/told.err" || fail "-s reload says: $(cat "$work/told.err")"

# Both at the same moment, once each has it: their successors are asked, and nobody else is left to be.
fault hold-compiling.0
fault hold-compiling.1
write_version 16
start told "$build/holdfast" -s reload -f "$work/holdfast.cfg"
are_compiling() { [ -s "$HOLDFAST_FAULTS/hold-compiling.0" ] && [ -s "$HOLDFAST_FAULTS/hold-compiling.1" ]; }
wait_until 10 are_compiling
mapfile -t victims < <(workers)
kill -KILL "${victims[@]}"
no_faults
status=0
wait "${pid_of[told]}" || status=$?
unset "pid_of[told]"
expect 0 "$status" "status of a reload of which both workers are killed: $(cat "$work/told.err")"
wait_until 10 both_live
expect "16 " "$(fresh)" "what new connections see after both workers were killed"
close_conns
keep_conns

fault die-committing
reload 3
expect 0 "$status" "status of a reload that a worker dies of when all have prepared it: $(cat "$work/said")"
is_met die-committing || fail "no worker has died of committing"
serve_after_death 3 "after a reload that a worker dies of when all have prepared it"

expect 0 "$(n_died '([^69]|[0-9]{2})')" "other deaths"
stop holdfast

#!/bin/bash
#
# A worker that says nothing. While a reload is prepared: when the master has waited long enough, the reload fails, the
# worker is killed and replaced, and the old configuration serves on. After the decision: the reload succeeds, and the
# worker is killed and replaced by one that has the new configuration, since it would go on with the old one.
#
# The master is one that waits 2 seconds instead of 30; with TEST_LONG=1 it waits as long as any.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

patience=2
fault impatient
if [ -n "${TEST_LONG-}" ]; then
    patience=30
    no_faults
fi
reload_in_vain_for_long() {
    local since=$EPOCHREALTIME

    reload "$1"
    # Whole milliseconds, of a clock that nobody should turn back.
    [ $(((${EPOCHREALTIME/./} - ${since/./}) / 1000)) -ge $((patience * 1000 - 50)) ] || fail "the master was in a hurry"
}

start_faulty
keep_conns

victim=$(workers | tail -n 1)
kill -STOP "$victim"
reload_in_vain_for_long 1
expect 1 "$status" "status of a reload that a worker says nothing to"
grep -q "a worker does not answer" "$work/said" || fail "-s reload says: $(cat "$work/said")"
wait_until 10 has_died 9 1
logged "worker [01] \($victim\) does not answer; it is killed" || fail "the log does not say who was silent"
logged "worker [01] \(process $victim\) died of signal 9" || fail "the log does not say who has died"
serve_after_death 0 "after a worker has said nothing"

fault stop-committing
reload_in_vain_for_long 2
expect 0 "$status" "status of a reload that a worker says nothing to after the decision: $(cat "$work/said")"
expect 2 "$(n_died 9)" "deaths"
serve_after_death 2 "after a worker has said nothing to the decision"

# Nor does its successor, who is waited for no longer.
fault stop-committing.0
write_version 4
start told "$build/holdfast" -s reload -f "$work/holdfast.cfg"
wait_until 100 has_died 9 4
rm "$HOLDFAST_FAULTS/stop-committing.0"
status=0
wait "${pid_of[told]}" || status=$?
unset "pid_of[told]"
expect 0 "$status" "status of a reload that two workers say nothing to: $(cat "$work/told.err")"
close_conns
keep_conns
serve 4 "after that reload"

reload 3
expect 0 "$status" "status of the reload after it: $(cat "$work/said")"
serve 3 "after the reload after it"
stop holdfast

#!/bin/bash
#
# A worker that finds itself to be wrong: its master's log has the assertion, where it stands, the object in hand and a
# backtrace. A request that has this effect on every worker has it five times; then no worker is replaced, which the log
# says, and who is left serves. A reload makes them two again, and the dead are replaced again.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

start_faulty
dies() { # dies N: a request that ends its worker, for the Nth time
    if request -o /dev/null http://holdfast/ 2>/dev/null; then fail "a request has an answer from a worker that has died"; fi
    wait_until 10 has_died 6 "$1"
}

fault bad-move
dies 1
wait_until 10 both_live
logged 'worker [01]: holdfast: panic: txn_states\[t->state\]\.next & ' || fail "the log does not have the assertion"
logged 'worker [01]:   in txn_enter at src/proxy/txn\.c:[1-9][0-9]*$' || fail "the log does not say where it stands"
logged 'worker [01]:   about txn [0-9]+: route, route www/own, ' || fail "the log does not have the object"
logged 'worker [01]: .*holdfast-faults\(panic_at\+' || fail "the log has no backtrace"
expect "0 " "$(fresh)" "what new connections see after one death"

fault bad-move.0
fault bad-move.1
for i in 2 3 4 5; do
    wait_until 10 both_live
    dies $i
done
no_faults
wait_until 10 logged '5 workers died in 10 s: no more are replaced until the next reload; 1 are left'
expect 1 "$(workers | wc -l)" "workers after five deaths"
expect "0 " "$(fresh)" "what new connections see after five deaths"
expect 1 "$(workers | wc -l)" "workers some requests later"

reload 1
expect 0 "$status" "status of a reload after five deaths: $(cat "$work/said")"
wait_until 10 both_live
expect "1 " "$(fresh)" "what new connections see after the reload"
fault bad-move
dies 6
wait_until 10 both_live
keep_conns
serve 1 "after a death that follows the reload"
stop holdfast

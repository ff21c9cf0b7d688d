#!/bin/bash
#
# A worker that ends with status 0 though nobody has told it to has failed like any other: it is in the log, and counts among
# the five deaths in ten seconds after which there are no more successors. It was replaced without a word and without
# a bound. Those that are told to end are no news.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

start_faulty
for n in 1 2 3 4 5; do
    fault leave
    request -o /dev/null http://holdfast/ 2>/dev/null && fail "a request to a worker that leaves is answered"
    is_told() { [ "$(n_logged 'worker [01] \(process [0-9]+\) ended with status 0')" = "$n" ]; }
    wait_until 10 is_told
    settled() { both_live || logged "5 workers died in 10 s"; }
    wait_until 10 settled
done
wait_until 10 logged "5 workers died in 10 s: no more are replaced until the next reload; 1 are left"
expect 1 "$(workers | wc -l)" "workers that are left"

reload 1
expect 0 "$status" "status of the next reload: $(cat "$work/said")"
expect 1 "$(request http://holdfast/)" "a request after it"
stop holdfast
expect 5 "$(n_logged 'ended with status 0')" "workers that have left, when those that were told to have ended"

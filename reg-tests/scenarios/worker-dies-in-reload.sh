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
    fault die-preparing.$row
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

fault die-committing
reload 3
expect 0 "$status" "status of a reload that a worker dies of when all have prepared it: $(cat "$work/said")"
is_met die-committing || fail "no worker has died of committing"
serve_after_death 3 "after a reload that a worker dies of when all have prepared it"

expect 0 "$(n_died '([^6]|[0-9]{2})')" "other deaths"
stop holdfast

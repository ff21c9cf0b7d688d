#!/bin/bash
#
# Is a request ever sent twice where `replay` forbids it, a body taken for whole that is not, an answer lost or
# doubled? Random requests against servers that fail at random points, once with a seed that has found faults
# and once with a new one, which is printed: see reg-tests/tools/replay_property.c. With PROPERTY_REQUESTS=N
# more of them.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

for seed in 8 $((RANDOM * 32768 + RANDOM)); do
    "$build/reg-tests/tools/replay_property" "$build/holdfast" --seed $seed --max-body $((3 * mb)) \
        --requests "${PROPERTY_REQUESTS:-220}" || fail "rules were broken with seed $seed"
done

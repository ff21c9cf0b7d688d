#!/bin/bash
#
# A worker that refuses a reload by itself, as one without memory would: nobody takes it over, -s reload says why and
# ends with 1, the log says it too, and all workers, the same as before, serve on with what they had. A worker that
# refuses twice, or what it has taken, is not itself any more and is killed; the reload is what it was.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

start_faulty
keep_conns
before=$(workers | sort)

for i in 1 2 3; do # whichever worker it is
    fault refuse
    reload 1
    expect 1 "$status" "status of a reload that one worker refuses"
    is_met refuse || fail "no worker has refused"
    grep -q "this worker does not feel like it" "$work/said" || fail "-s reload does not say why: $(cat "$work/said")"
    expect "$i" "$(n_logged 'this worker does not feel like it')" "reasons in the log"
    expect "$i" "$(n_logged 'old configuration stays in force')" "failures in the log"
    serve 0 "after a reload that was refused"
done
reload 2
expect 0 "$status" "status of the reload after it: $(cat "$work/said")"
serve 2 "after the reload after it"
expect "$before" "$(workers | sort)" "the workers"

# Twice: the second time is nobody's reason.
fault refuse-twice
reload 3
expect 1 "$status" "status of a reload that one worker refuses twice"
wait_until 10 logged 'refuses out of turn; it is killed'
wait_until 10 has_died 9 1
serve_after_death 2 "after a worker has refused twice"
expect "4 0" "$(n_logged 'does not feel like it') $(n_logged 'on second thoughts')" "reasons in the log"

# What it has taken.
fault refuse-done
reload 4
expect 0 "$status" "status of a reload that a worker refuses afterwards: $(cat "$work/said")"
wait_until 10 has_died 9 2
serve_after_death 4 "after a worker has refused what it had"
expect 2 "$(n_logged 'refuses out of turn; it is killed')" "workers that were killed"
expect 0 "$(n_logged 'on second thoughts')" "reasons that are nobody's"

reload 5
expect 0 "$status" "status of the last reload: $(cat "$work/said")"
serve 5 "after the last reload"

# One without memory, which the master has: in one line, whatever else fails then.
if [[ $build != */asan ]]; then # which has other ideas of memory
    for pid in $(workers); do
        prlimit --pid "$pid" --as=$(($(awk '{ print $1 * 4096 }' "/proc/$pid/statm") + 1000000))
    done
    write_version 6
    for ((i = 0; i < 1000; i++)); do echo "    route r$i when path ~ \"^/$i(x|y)+/$i\$\" { respond 404 }"; done >"$work/routes"
    sed -i "/bind 127/r $work/routes" "$work/holdfast.cfg"
    if "$build/holdfast" -s reload -f "$work/holdfast.cfg" 2>"$work/said"; then fail "a megabyte was enough"; fi
    grep -q "^error: a worker cannot compile what the master could: .*memory" "$work/said" || fail "not said: $(cat "$work/said")"
    expect 2 "$(wc -l <"$work/said")" "lines of a reload that a worker has no memory for"
    serve 5 "after that"
fi
stop holdfast

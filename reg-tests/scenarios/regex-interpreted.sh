#!/bin/bash
# Where the system denies memory for machine code, regular expressions are interpreted: one warning for all of
# them, the same answers, and the same bounds.
source "$(dirname "$0")/../tools/scenario.sh"

deny=$build/reg-tests/tools/no_exec_memory
"$deny" true || skip "this kernel cannot deny executable memory"

cat >"$work/x.cfg" <<END
global { log $work/error.log }
frontend www {
    bind unix@$work/front.sock
    route user when path ~ '^/u/(?<user>[a-z]+)$' { respond 200 "\${match.user}" }
    route run when header.x-run ~ '^(a+)+\$' { respond 200 "ran" }
    route rest { respond 404 }
}
END

"$deny" "$build/holdfast" -c -f "$work/x.cfg" >"$work/check.out" 2>"$work/check.err" ||
    fail "the file is not valid: $(cat "$work/check.err")"
expect 1 "$(grep -c 'warning: regular expressions will be interpreted' "$work/check.err")" "warnings"
if "$deny" "$build/holdfast" -c --strict -f "$work/x.cfg" >/dev/null 2>&1; then fail "--strict let a warning pass"; fi
expect 0 "$("$build/holdfast" -c -f "$work/x.cfg" 2>&1 | grep -c warning)" "warnings where it is compiled"

start holdfast "$deny" "$build/holdfast" -f "$work/x.cfg"
wait_until 10 front_is_there
expect anna "$(request http://holdfast/u/anna)" "what the group held"
expect 404 "$(request -o /dev/null -w '%{http_code}' http://holdfast/u/ANNA)" "a path that does not match"
run=$(printf 'a%.0s' $(seq 60))b
expect 500 "$(request -o /dev/null -w '%{http_code}' -H "X-Run: $run" http://holdfast/)" "a pattern that runs away"
expect anna "$(request http://holdfast/u/anna)" "the next request"
grep -q "given up: it takes too many steps" "$work/error.log" || fail "the log does not say so"
stop holdfast

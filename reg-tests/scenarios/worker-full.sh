#!/bin/bash
#
# A worker that has no descriptor left takes neither a log that was opened anew nor a new configuration, says so, and serves on:
# nobody's connection is lost to the rotation of a log. When there is room again, the next time succeeds.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v prlimit >/dev/null || skip "no prlimit"

write_config() { # write_config VERSION
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log level notice; workers 1 }
frontend www {
    bind unix@$work/front.sock
    access-log $work/access.log
    route own { respond 200 "$1" }
}
CONFIG
}
rotate() { # rotate NUMBER
    mv "$work/access.log" "$work/access.log.$1"
    mv "$work/error.log" "$work/error.log.$1"
    kill -USR1 "${pid_of[holdfast]}"
}
reload() {
    status=0
    "$build/holdfast" -s reload -f "$work/holdfast.cfg" >"$work/said" 2>&1 || status=$?
}
has_said() { grep -qs "cannot reopen log '$work/access.log': out of descriptors" "$work/error.log.1"; }
n_lines() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
is_logged() { [ "$(n_lines "$1")" = "$2" ]; }

write_config 0
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
worker=$(workers)
limits=$(prlimit --pid "$worker" --nofile --noheadings --raw --output SOFT)

prlimit --pid "$worker" --nofile=3:
rotate 1
wait_until 10 has_said
rotate 2
wait_until 10 test -e "$work/error.log"
write_config 1
reload
expect 1 "$status" "status of a reload that the worker has no room for"
grep -q "error: out of descriptors" "$work/said" || fail "-s reload says: $(cat "$work/said")"

prlimit --pid "$worker" --nofile="$limits":
expect 0 "$(request http://holdfast/)" "who serves"
expect "$worker" "$(workers)" "the worker"
rotate 3
wait_until 10 test -e "$work/access.log"
reload
expect 0 "$status" "status of a reload when there is room again: $(cat "$work/said")"
expect 1 "$(request http://holdfast/)" "who serves after it"
wait_until 10 is_logged "$work/access.log" 1
expect "$worker" "$(workers)" "the worker in the end"
stop holdfast

#!/bin/bash
#
# A reload that brings back a spool, while bodies are held in it, and fails when it has been under way for some time: what
# they take is not forgotten by that either.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

make_file $((6 * mb))
mkdir "$work/a" "$work/b"
write_version() { # write_version DIRECTORY
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log level notice; workers 1 }
spool main { path $work/$1; reserve 0; quota $((10 * mb)) }
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 1m
    route status when path == /status { status-page }
    route all { use-backend nobody }
}
backend nobody { server a unix@$work/nobody.sock }
CONFIG
}
is_compiling() { [ -s "$HOLDFAST_FAULTS/hold-compiling.0" ]; }
has_a() { [ "$(find "/proc/${pid_of[holdfast]}/fd" -lname "$work/a" | wc -l)" = "$1" ]; }

write_version a
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
start_upload held "$file" /held
wait_until 20 is_sent held
reload b
expect 0 "$status" "status of the reload that takes the spool away"

fault hold-compiling.0
fault refuse
write_version a
start told "$build/holdfast" -s reload -f "$work/holdfast.cfg"
wait_until 10 is_compiling
# The one that was left and the one that may come. Spools that were left are looked at each second.
expect 2 "$(find "/proc/${pid_of[holdfast]}/fd" -lname "$work/a" | wc -l)" "descriptors of the directory"
sleep 2.5
rm "$HOLDFAST_FAULTS/hold-compiling.0"
status=0
wait "${pid_of[told]}" || status=$?
unset "pid_of[told]"
expect 1 "$status" "status of the reload that is refused: $(cat "$work/told.out" "$work/told.err")"
has_a 1 || fail "the directory is not open any more, with a body in it"

reload a
expect 0 "$status" "status of the reload that brings it back: $(cat "$work/said")"
start_upload more "$file" /more
finish_upload more
expect 507 "$code" "an upload beside the held one"
kill_hard held
wait_until 10 spools 0
stop holdfast

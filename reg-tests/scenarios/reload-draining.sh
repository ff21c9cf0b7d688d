#!/bin/bash
#
# `-s reload` while the instance drains is answered at once: it waited for the end, which may be far. So is one that
# is under way when the instance is told to stop.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

refused="error: the instance is shutting down
holdfast: reload failed; the old configuration stays in force"

is_compiling() { [ -s "$HOLDFAST_FAULTS/hold-compiling.0" ]; }
is_draining() { grep -q "shutting down: 1 connections to finish" "$work/holdfast.err"; }
has_asked() { grep -q 'left intact\|We are completely uploaded\|100 Continue' "$work/slow.err"; }

for n_workers in 2 0; do
    start_origin app
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers $n_workers; shutdown-timeout 1h }
spool main { path $work/spool; reserve 0 }
frontend www {
    bind unix@$work/front.sock
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    mkfifo "$work/body"
    start_upload slow "$work/body" /slow --header "Expect: 100-continue"
    exec {body}>"$work/body"
    wait_until 20 has_asked

    "$build/holdfast" -s stop -q -f "$work/holdfast.cfg"
    wait_until 10 is_draining
    for _ in 1 2; do
        status=0
        said=$(timeout 20 "$build/holdfast" -s reload -f "$work/holdfast.cfg" 2>&1) || status=$?
        expect "1 $refused" "$status $said" "a reload while $n_workers workers drain"
    done
    lives slow || fail "the request under way has ended"
    echo end >&"$body"
    exec {body}>&-
    finish_upload slow
    expect "200 0" "$code $status" "the request that was under way"
    wait "${pid_of[holdfast]}" || fail "holdfast has ended with status $?"
    unset "pid_of[holdfast]"
    rm "$work/body" "$work/holdfast.err"
    kill_hard app
done

start_faulty
fault hold-compiling.0
start reload "$build/holdfast" -s reload -f "$work/holdfast.cfg"
wait_until 10 is_compiling
kill -TERM "${pid_of[holdfast]}"
status=0
wait "${pid_of[reload]}" || status=$?
unset "pid_of[reload]"
expect "1 $refused" "$status $(cat "$work/reload.err")" "a reload that was under way"
no_faults
wait "${pid_of[holdfast]}" || fail "holdfast has ended with status $?"
unset "pid_of[holdfast]"

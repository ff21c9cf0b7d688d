#!/bin/bash
#
# Reloads under valgrind: neither the master nor a worker loses a byte of any generation, good or refused. In one process
# (workers 0) likewise. Only in `make test-long`: it takes half a minute.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

[ -n "${TEST_LONG-}" ] || skip "a test of make test-long"
command -v valgrind >/dev/null || skip "no valgrind"
[[ $build == */release ]] || skip "valgrind and sanitizers do not go together"

start_origin app
write_config() { # write_config VERSION [MORE]
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers $n_workers }
spool main$1 { path $work/spool$1; reserve 0 }
frontend www {
    bind unix@$work/front.sock
    bind unix@$work/other$1.sock
    access-log $work/access$1.log
    ${2-}
    error-page 404 file page.html
    route own when host ~ '^(?<name>own)\$' { redirect 302 "/\${match.name}" }
    route app { use-backend app$1 }
}
backend app$1 { server a 127.0.0.1:$port }
CONFIG
}
echo "page" >"$work/page.html"
for n_workers in 2 0; do
    write_config 0
    rm -f "$work/pid"
    start holdfast valgrind --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 \
        --log-file="$work/valgrind.%p" "$build/holdfast" -f "$work/holdfast.cfg"
    wait_until 60 test -s "$work/pid"
    for i in {1..12}; do
        write_config "$((i % 3))"
        "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "reload $i"
        request -o /dev/null http://holdfast/count || fail "a request after reload $i"
        write_config "$((i % 3))" "bind unix@/nowhere/at/all.sock"
        if "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" 2>/dev/null; then fail "reload $i had to fail"; fi
    done
    "$build/holdfast" -s stop -q -f "$work/holdfast.cfg"
    wait "${pid_of[holdfast]}" || fail "holdfast has ended with status $? under valgrind: $(grep -h lost "$work"/valgrind.*)"
    unset "pid_of[holdfast]"
done
n=0
for log in "$work"/valgrind.*; do
    n=$((n + 1))
    if grep -qE 'definitely lost: [1-9]|Invalid (read|write)|uninitialised' "$log"; then fail "$(cat "$log")"; fi
done
expect $((4 + 24)) "$n" "processes that valgrind has seen: a master, two workers, one by itself, a loader for each of 24 reloads"

#!/bin/bash
#
# What all workers share: a spool's quota and max-connections hold for them together, and the status page adds them up.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

bytes=1000000
make_file $bytes
cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers 3; max-connections 12 }
spool main { path $work/spool; reserve 0; quota $((4 * bytes + bytes / 2)) }
frontend www {
    bind unix@$work/front.sock
    hold 1m
    route status when path == /status { allow when header.X-Who == me; deny all; status-page }
    route all { request-buffering hold memory 16K; use-backend app }
}
backend app { server a unix@$work/app.sock }
CONFIG
start_holdfast "$work/holdfast.cfg"

page() { request -H 'X-Who: me' "http://holdfast/status$1"; }
value() { page '' | sed -n "s/^$1: //p"; }
expect 403 "$(request -o /dev/null -w '%{http_code}' http://holdfast/status)" "the status page under allow and deny"
expect "text/plain; charset=utf-8" "$(request -o /dev/null -H 'X-Who: me' -w '%{content_type}' http://holdfast/status)" "its type"

# Eight uploads for a quota of four: four are held, by whichever workers, and four get 507 at once.
for i in {1..8}; do start_upload "up$i" "$file" "/up/$i"; done
ended() {
    local i n=0

    for i in {1..8}; do lives "up$i" || n=$((n + 1)); done
    [ $n = 4 ]
}
wait_until 20 ended
wait_until 10 spools 4
held=() refused=0
for i in {1..8}; do
    if lives "up$i"; then held+=("up$i"); continue; fi
    finish_upload "up$i"
    expect 507 "$code" "an upload beyond the quota"
    refused=$((refused + 1))
done
expect "4 4" "${#held[@]} $refused" "held and refused"

expect 4 "$(value held)" "held"
expect 5 "$(value 'active connections')" "active connections"
expect 1 "$(value writing)" "writing: the page itself"
expect "$((4 * bytes)) bytes, 4 files, $((4 * bytes)) promised, quota $((4 * bytes + bytes / 2))" "$(value 'spool main')" "the spool"
expect 4 "$(page '' | grep -cE '^held request: route www/all, age [0-9]+\.[0-9]{3} s$')" "lines of held requests"
[ "$(value requests)" -ge 13 ] || fail "requests: $(value requests)"
if command -v jq >/dev/null; then
    expect "4 4 $((4 * bytes)) www/all" \
        "$(page '?json' | jq -r '"\(.held) \(.held_requests | length) \(.spools[0].bytes) \(.held_requests[0].route)"')" "the page as JSON"
    expect application/json "$(request -o /dev/null -H 'X-Who: me' -w '%{content_type}' 'http://holdfast/status?json')" "its type"
fi

# Who is one too many waits in the queue of the socket until another has gone.
for i in {1..8}; do
    mkfifo "$work/never$i"
    start "idle$i" curl -sS --max-time 50 --unix-socket "$work/front.sock" --upload-file "$work/never$i" http://holdfast/x/
    exec {keep}>"$work/never$i"
    # shellcheck disable=SC2034 # keeps the pipe open
    kept[i]=$keep
done
is_full() { ! request --max-time 1 -o /dev/null -H 'X-Who: me' http://holdfast/status 2>/dev/null; }
wait_until 20 is_full
kill_hard idle1
expect 200 "$(request -o /dev/null -H 'X-Who: me' -w '%{http_code}' http://holdfast/status)" "a request when one has gone"
for i in {2..8}; do kill_hard "idle$i"; done

# A worker takes its share of the quota along when it dies.
for pid in $(workers); do kill -KILL "$pid"; done
for name in "${held[@]}"; do
    wait "${pid_of[$name]}" || true
    unset "pid_of[$name]"
done
empty="0 bytes, 0 files, 0 promised, quota $((4 * bytes + bytes / 2))"
is_empty() { [ "$(value 'spool main')" = "$empty" ]; }
wait_until 10 is_empty
expect "0 1" "$(value held) $(value 'active connections')" "held and active when all have died"
start_upload again "$file" /up/again
wait_until 10 spools 1
start app "$build/reg-tests/tools/origin" --listen 127.0.0.1:0 --unix "$work/app.sock"
finish_upload again
expect "200 $file_sum 0" "$code $sum $status" "an upload afterwards"
stop holdfast

#!/bin/bash
#
# A client that leaves in the middle of its upload, or while the upload is held: its spool is freed at once
# and nothing reaches the server.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((20 * mb))
start_origin app
app_port=$port

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    hold 1m
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"

start_upload middle "$file" /upload/middle --limit-rate $((5 * mb))
wait_until 10 spools 1
kill_hard middle
wait_until 5 spools 0

kill_hard app
start_upload held "$file" /upload/held
wait_until 20 is_sent held
spools 1 || fail "the held body is not on disk"
kill_hard held
wait_until 5 spools 0

start_origin app --listen "127.0.0.1:$app_port"
expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/health)" "a request afterwards"
expect "requests 1" "$(curl -sS "http://127.0.0.1:$app_port/count" | grep requests)" "what the server saw"

stop holdfast

#!/bin/bash
#
# While no server listens at all, a client's 64 MB are taken in to the last byte: more than all socket
# buffers together, so a proxy that stalls the client fails here. The proxy's memory does not grow with the
# body. When the server comes, it gets the upload once, and whole.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((64 * mb))
start_origin app
app_port=$port
kill_hard app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    route all {
        hold 1m
        use-backend app
    }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"

start_upload a "$file" /upload/a
wait_until 30 is_sent a
spools 1 || fail "the held body is not on disk"

# Sanitizers keep freed memory, so the bound holds for the release build alone.
peak_kb=$(for pid in $(workers); do awk '$1 == "VmHWM:" { print $2 }' "/proc/$pid/status"; done | sort -n | tail -n 1)
if [[ $build == */release ]] && [ "$peak_kb" -gt $((8 * 1024)) ]; then
    fail "peak memory is $peak_kb KiB"
fi

start_origin app --listen "127.0.0.1:$app_port"
finish_upload a
expect "200 $file_sum 0" "$code $sum $status" "the upload that was held"
expect "requests 1" "$(curl -sS "http://127.0.0.1:$app_port/count" | grep requests)" "what the server saw"
wait_until 5 spools 0

stop holdfast

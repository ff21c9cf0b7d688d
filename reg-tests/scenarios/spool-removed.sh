#!/bin/bash
#
# Somebody removes the directory of the spool while holdfast runs: a reload makes it again, and what was held at
# that time is not lost, since its file is open.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file "$mb"
start_origin app
app_port=$port
kill_hard app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/deep/spool }
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 1m
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"

start_upload before "$file" /upload/before
wait_until 20 is_sent before
rm -r "$work/deep"
start_upload without "$file" /upload/without
finish_upload without
expect 500 "$code" "an upload that finds no directory"

kill -HUP "${pid_of[holdfast]}"
wait_until 5 grep -q "configuration is in force" "$work/holdfast.err"
expect "700" "$(stat -c %a "$work/deep/spool")" "the mode of the new directory"

start_upload after "$file" /upload/after
wait_until 20 is_sent after
wait_until 5 spools 3 # the old directory is gone too, and open
start_origin app --listen "127.0.0.1:$app_port"
for name in before after; do
    finish_upload "$name"
    expect "200 $file_sum 0" "$code $sum $status" "the upload $name the reload"
done

stop holdfast

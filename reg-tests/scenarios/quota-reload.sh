#!/bin/bash
#
# Without `quota` a spool has half of what was free at the start, and a reload that changes nothing leaves it at
# that, though held bodies have filled some of the disk by then. The disk is a tmpfs of 16 MB in a mount
# namespace of holdfast's own.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

unshare=(unshare --map-root-user --mount)
if [ "$(id -u)" = 0 ]; then unshare=(unshare --mount); fi
mkdir "$work/spool"
"${unshare[@]}" mount -t tmpfs -o size=$((16 * mb)) none "$work/spool" 2>/dev/null || skip "no mount namespaces"

make_file $((5 * mb))
head -c $((2 * mb)) "$file" >"$work/small"
small_sum=$(sha256sum "$work/small" | cut -d ' ' -f 1)
start_origin app
app_port=$port
kill_hard app

cat >"$work/holdfast.cfg" <<CONFIG
spool main {
    path    $work/spool
    reserve 0
}
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 1m
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start holdfast "${unshare[@]}" sh -c \
    "mount -t tmpfs -o size=$((16 * mb)),mode=0700 none '$work/spool' && exec '$build/holdfast' -f '$work/holdfast.cfg'"
wait_until 10 front_is_there

reload() { # reload HOW_OFTEN_SO_FAR
    kill -HUP "${pid_of[holdfast]}"
    wait_until 5 has_reloaded "$1"
}
has_reloaded() { [ "$(grep -c "configuration is in force" "$work/holdfast.err")" -eq "$1" ]; }

# 5 of some 8 MB are taken. Were it half of what is free now, another 2 would not fit beside them.
start_upload big "$file" /upload/big
wait_until 20 is_sent big
reload 1
start_upload small "$work/small" /upload/small
wait_until 20 is_sent small
wait_until 5 spools 2
reload 2

start_upload more "$file" /upload/more
finish_upload more
expect 507 "$code" "an upload beyond the quota"

start_origin app --listen "127.0.0.1:$app_port"
finish_upload big
expect "200 $file_sum 0" "$code $sum $status" "the upload before the reloads"
finish_upload small
expect "200 $small_sum 0" "$code $sum $status" "the upload between them"

stop holdfast

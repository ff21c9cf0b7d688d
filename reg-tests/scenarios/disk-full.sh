#!/bin/bash
#
# The spool's disk fills up during an upload: the client reads a 507, others are served on, the space is
# given back, the log says why. The disk is a tmpfs of 16 MB in a mount namespace of holdfast's own.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

unshare=(unshare --map-root-user --mount)
if [ "$(id -u)" = 0 ]; then unshare=(unshare --mount); fi
mkdir "$work/spool"
"${unshare[@]}" mount -t tmpfs -o size=$((16 * mb)) none "$work/spool" 2>/dev/null || skip "no mount namespaces"

make_file $((40 * mb))
head -c $((4 * mb)) "$file" >"$work/small"
small_sum=$(sha256sum "$work/small" | cut -d ' ' -f 1)
start_origin app

cat >"$work/holdfast.cfg" <<CONFIG
spool main {
    path    $work/spool
    quota   1G
    reserve 0
}
frontend www {
    bind unix@$work/front.sock
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start holdfast "${unshare[@]}" sh -c \
    "mount -t tmpfs -o size=$((16 * mb)),mode=0700 none '$work/spool' && exec '$build/holdfast' -f '$work/holdfast.cfg'"
wait_until 10 front_is_there

# Chunked: a declared length would be refused at the head.
start_upload slow "$work/small" /upload/slow --limit-rate $((4 * mb))
for i in 1 2; do
    start_upload "big$i" "$file" "/upload/big$i" -H 'Transfer-Encoding: chunked'
    finish_upload "big$i"
    expect "507 0" "$code $status" "an upload that fills the disk, time $i"
done
finish_upload slow
wait_until 5 spools 0
expect "200 $small_sum 0" "$code $sum $status" "an upload beside it"

start_upload after "$work/small" /upload/after
finish_upload after
expect "200 $small_sum 0" "$code $sum $status" "an upload after it"
grep -qi 'no space' "$work/holdfast.err" || fail "the log does not say why"

stop holdfast

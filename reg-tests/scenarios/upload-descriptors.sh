#!/bin/bash
#
# A hundred uploads at once, a server that is not there yet, and descriptors for a few only: those who come too
# many wait in the queue of the socket, and when the server comes each upload gets its 200. None fails for
# want of a spool file or of a connection to the server.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file "$mb"
start_origin app
app_port=$port
kill_hard app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 2m
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start holdfast bash -c "ulimit -n 64; exec '$build/holdfast' -f '$work/holdfast.cfg'"
wait_until 10 front_is_there

for i in {1..100}; do start_upload "client$i" "$file" "/upload/$i"; done

# Whoever is let in is held, on the disk; then there is no room for another.
no_more_fit() { grep -q "accepting pauses" "$work/holdfast.err" || is_full; }
is_full() {
    [ "$(spool_files | wc -l)" -ge 10 ]
}
wait_until 30 no_more_fit
start_origin app --listen "127.0.0.1:$app_port"

for i in {1..100}; do
    finish_upload "client$i"
    expect "200 $file_sum 0" "$code $sum $status" "upload $i of 100 ($(cat "$work/client$i.body"))"
done
expect "complete 100" "$(curl -sS "http://127.0.0.1:$app_port/count" | grep complete)" "what the server saw"
wait_until 5 spools 0
if grep "Too many open files" "$work/holdfast.err" | grep -v "accepting pauses"; then fail "descriptors ran out"; fi

stop holdfast

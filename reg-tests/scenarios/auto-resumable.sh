#!/bin/bash
#
# A resumable upload (tus, and the draft of the IETF) under `request-buffering auto`: the client is killed in the
# middle, while the server is there, slow, or down: all that had come reaches the server, which sees a body
# that is cut, once; then the spool is free. While the server is down the bytes wait for it as long as `hold`.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

bytes=$((24 * mb))
half=$((bytes / 2))
make_file $bytes
start_origin app
app_port=$port

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    request-buffering auto memory 16K
    hold 1m
    access-log $work/access.log format "\${uri} \${buffering} \${request-bytes} \${termination}"
    route short when path == /upload/short {
        hold 300ms
        use-backend app
    }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"

count() { curl -sS --max-time 10 "http://127.0.0.1:$app_port/count" | sed -n "s/^$1 //p"; }
count_is() { [ "$(count "$1")" = "$2" ]; }
in_log() { grep -qE -- "$1" "$work/access.log"; }
spool_has() { # the bytes in the one open file without a name
    local n

    n=$(spool_files -exec stat -Lc %s {} +)
    [ "${n:-0}" -ge "$1" ]
}

# Half of an upload comes; then the client is killed.
send_half() { # send_half NAME PATH FIELD
    rm -f "$work/pipe"
    mkfifo "$work/pipe"
    start_upload "$1" "$work/pipe" "$2" -X PATCH -H 'Expect:' -H 'Transfer-Encoding: chunked' -H "$3"
    exec 3>"$work/pipe"
    head -c $half "$file" >&3
    # What curl has read of the pipe and not sent, and what is in memory.
    wait_until 20 spool_has $((half - 400000))
}
drop_client() {
    kill_hard "$1"
    exec 3>&-
}

# The server is there and has most of it.
send_half there /upload/there 'Tus-Resumable: 1.0.0'
had_before=$(count bytes)
drop_client there
wait_until 10 in_log '^/upload/there resumable [0-9]+ client-gone$'
wait_until 10 count_is broken 1
said=$(sed -nE 's|^/upload/there resumable ([0-9]+) .*|\1|p' "$work/access.log")
[ "$had_before" -le "$said" ] || fail "more came out than in"
expect "$said" "$(count bytes)" "bytes of what came in that the server has: there"
wait_until 5 spools 0

# The server is slow: it has read nearly nothing when the client goes.
before=$(count bytes)
send_half slow "/slow/$((bytes / 2))" 'Upload-Complete: ?0'
drop_client slow
wait_until 20 in_log '^/slow/[0-9]+ resumable [0-9]+ client-gone$'
wait_until 20 count_is broken 2
said=$(sed -nE 's|^/slow/[0-9]+ resumable ([0-9]+) .*|\1|p' "$work/access.log")
expect "$((before + said))" "$(count bytes)" "bytes of what came in that the server has: slow"
wait_until 5 spools 0
expect 2 "$(count requests)" "requests: nothing is sent again"

# The server is down when the client goes, and comes back.
kill_hard app
send_half down /upload/down 'Upload-Offset: 0'
drop_client down
spools 1 || fail "what had come is not kept"
start_origin app --listen "127.0.0.1:$app_port"
wait_until 10 in_log '^/upload/down resumable [0-9]+ client-gone$'
said=$(sed -nE 's|^/upload/down resumable ([0-9]+) .*|\1|p' "$work/access.log")
wait_until 10 count_is broken 1
expect "$said" "$(count bytes)" "bytes of what came in that the server has: down"
wait_until 5 spools 0

# It does not come back within `hold`: the file is freed.
kill_hard app
send_half short /upload/short 'Tus-Resumable: 1.0.0'
drop_client short
wait_until 10 in_log '^/upload/short resumable [0-9]+ '
wait_until 5 spools 0

# Without a word of resuming, what a client that has left had sent is nobody's.
start_origin app --listen "127.0.0.1:$app_port"
send_half other /upload/other 'X-Other: 1'
drop_client other
wait_until 10 in_log '^/upload/other tee [0-9]+ client-gone$'
wait_until 5 spools 0

stop holdfast

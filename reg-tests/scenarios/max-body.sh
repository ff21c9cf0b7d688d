#!/bin/bash
#
# A body over max-body gets a 413 that the client can read, also while it is still sending, with a declared
# length or in chunks, held or streamed; nothing of it reaches the server where the length was declared.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((20 * mb))
start_origin app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    max-body $mb
    error-page 413 text "too much"
    route stream when header.X-Stream == yes {
        request-buffering stream
        use-backend app
    }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start_holdfast "$work/holdfast.cfg"

for stream in no yes; do
    for framing in 'Expect: 100-continue' 'Expect:' 'Transfer-Encoding: chunked'; do
        start_upload a "$file" /upload/a -H "X-Stream: $stream" -H "$framing"
        finish_upload a
        expect "413 0 too much" "$code $status $(cat "$work/a.body")" "$framing, streamed: $stream"
    done
done


head -c "$mb" "$file" >"$work/just"
start_upload b "$work/just" /upload/b
finish_upload b
expect "200 0" "$code $status" "a body of just max-body"
expect "complete 1" "$(curl -sS "http://127.0.0.1:$(sed -n 's/.*://p' "$work/app.out")/count" | grep complete)" \
    "what the server saw"

stop holdfast

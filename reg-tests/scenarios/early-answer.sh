#!/bin/bash
#
# A server that answers before it has read the body, and closes at once or lingers: the client gets that
# answer, whole, and no reset, held or streamed. It is a race between the proxy's writes and the server's
# close (nginx answers 502 now and then), hence the repeats.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((20 * mb))
start_origin app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
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
    for path in early/401 linger/413; do
        for i in 1 2 3 4 5; do
            start_upload a "$file" "/$path?$stream$i" -H "X-Stream: $stream" -H 'Expect:'
            finish_upload a
            expect "${path#*/} 0 an early answer" "$code $status $(cat "$work/a.body")" \
                "/$path, streamed: $stream, time $i"
        done
    done
done

stop holdfast

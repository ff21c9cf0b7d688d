#!/bin/bash
#
# A server that dies in the middle of the relay is sent the body again from byte 0: when its connection is
# reset, when it ends without an answer, when the process dies and comes back later, and when another server
# takes over. POST as well: the dead server cannot have had the whole request.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((20 * mb))
start_origin app
app_port=$port
start_origin other
other_port=$port

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    hold 1m
    route two when header.X-Two == yes {
        use-backend two
    }
    route all {
        use-backend app
    }
}
backend app { server app 127.0.0.1:$app_port }
backend two {
    server app   127.0.0.1:$app_port
    server other 127.0.0.1:$other_port
}
CONFIG
start_holdfast "$work/holdfast.cfg"

for method in PUT POST; do
    start_upload reset "$file" "/reset/$((5 * mb))/1?$method" -X $method
    finish_upload reset
    expect "200 $file_sum 0" "$code $sum $status" "$method: reset in the middle"
done

start_upload empty "$file" /empty/1
finish_upload empty
expect "200 $file_sum 0" "$code $sum $status" "PUT: closed without an answer"

# A POST that a server had to the last byte is not sent again under `replay safe`.
start_upload had "$file" "/empty/1?had" -X POST
finish_upload had
expect "502 0" "$code $status" "POST: had whole, and closed without an answer"

start_upload dies "$file" "/exit/$((5 * mb))" -X POST
wait "${pid_of[app]}" || true
unset "pid_of[app]"
lives dies || fail "the client was answered while no server was there: $(cat "$work/dies.out")"
# The server that comes back takes the body (--die-after: of nothing that is this small).
start_listening app "$build/examples/upload-demo/server" --listen "127.0.0.1:$app_port"
finish_upload dies
expect "200 $file_sum 0" "$code $sum $status" "POST: the process died and came back"

# Of two servers one dies; the other takes the upload at once.
kill_hard app
start_origin app --listen "127.0.0.1:$app_port" --die-after $((5 * mb))
for i in 1 2; do
    start_upload "two$i" "$file" "/upload/two$i" -H 'X-Two: yes'
    finish_upload "two$i"
    expect "200 $file_sum 0" "$code $sum $status" "two servers, upload $i"
done

stop holdfast

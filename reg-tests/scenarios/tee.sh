#!/bin/bash
#
# `request-buffering tee`: the server has the bytes while the client still sends, and they stay replayable. The
# server dies 1, 2 and 5 times at random bytes of one upload; another takes over; none is there at the start and
# one comes during or after the upload; one reads nothing, and does not slow the client. Each time the client
# has one 200 and the server the whole body, with a length and in chunks. With POST: no server can have had it whole.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

bytes=$((24 * mb))
make_file $bytes
start_origin app
app_port=$port
start_origin other
other_port=$port

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    request-buffering tee
    hold 1m
    retry 8
    access-log $work/access.log format "\${uri} \${status} \${attempts} \${buffering} \${termination}"
    route two when header.X-Two == yes { use-backend two }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
backend two {
    server app   127.0.0.1:$app_port
    server other 127.0.0.1:$other_port
}
CONFIG
start_holdfast "$work/holdfast.cfg"

seed=$RANDOM
RANDOM=$seed
echo "seed $seed"

# So far from the end that the rest cannot all be in the kernel of the server that dies: then a POST must not be
# sent again. In a torture build it always may be.
random_byte() { echo $((1 + (RANDOM * 32768 + RANDOM) % (bytes * 2 / 3))); }
method=POST
if [ $mb -lt 1000000 ]; then method=PUT; fi

in_log() { grep -q -- "$1" "$work/access.log"; }

# What the server says of itself.
count() { curl -sS --max-time 10 "http://127.0.0.1:$app_port/count" | sed -n "s/^$1 //p"; }
has_bytes() { [ "$(count bytes)" -gt "${1:-0}" ]; }

# Deaths by reset, at the same byte of each attempt, while the client sends.
for times in 1 2 5; do
    for framing in length chunked; do
        at=$(random_byte)
        path="/reset/$at/$times?$framing"
        arguments=(-X $method -H 'Expect:')
        if [ $framing = chunked ]; then arguments+=(-H 'Transfer-Encoding: chunked'); fi
        before=$(count requests)
        start_upload dies "$file" "$path" "${arguments[@]}" --limit-rate $((60 * mb))
        finish_upload dies
        expect "200 $file_sum 0" "$code $sum $status" "$path"
        expect $((before + times + 1)) "$(count requests)" "requests that the server has seen: $path"
        wait_until 5 in_log "$path 200 [0-9] tee ok"
    done
done

# Another server takes over from one whose process dies.
kill_hard app
start_origin app --listen "127.0.0.1:$app_port" --die-after "$(random_byte)"
for i in 1 2; do
    start_upload "two$i" "$file" "/upload/two$i" -X $method -H 'X-Two: yes'
    finish_upload "two$i"
    expect "200 $file_sum 0" "$code $sum $status" "two servers, upload $i"
done

# The client feeds from a pipe, so that it is known how far it has come.
feed_from_pipe() { # feed_from_pipe NAME PATH: half of the file
    rm -f "$work/pipe"
    mkfifo "$work/pipe"
    start_upload "$1" "$work/pipe" "$2" -X $method -H 'Expect:' -H 'Transfer-Encoding: chunked'
    exec 3>"$work/pipe"
    head -c $((bytes / 2)) "$file" >&3
}
feed_the_rest() {
    tail -c +$((bytes / 2 + 1)) "$file" >&3
    exec 3>&-
}

# No server at the start; it comes back in the middle of the upload, which it has from byte 0 at once.
lives app && kill_hard app
feed_from_pipe during /upload/during
wait_until 10 spools 1
start_origin app --listen "127.0.0.1:$app_port" 3>&- # it would keep the pipe open
wait_until 10 has_bytes 0
lives during || fail "the client was answered in the middle"
feed_the_rest
finish_upload during
expect "200 $file_sum 0" "$code $sum $status" "a server that comes back during the upload"

# It comes back after the upload.
kill_hard app
start_upload after "$file" /upload/after -X $method
wait_until 20 is_sent after
start_origin app --listen "127.0.0.1:$app_port"
finish_upload after
expect "200 $file_sum 0" "$code $sum $status" "a server that comes back after the upload"

# It dies in the middle, is away for a while, and comes back before the end.
feed_from_pipe middle /upload/middle
wait_until 10 has_bytes $((bytes / 4))
kill_hard app
lives middle || fail "the client noticed the server's death"
start_origin app --listen "127.0.0.1:$app_port" 3>&-
wait_until 10 has_bytes 0
feed_the_rest
finish_upload middle
expect "200 $file_sum 0" "$code $sum $status" "a server that dies and comes back in the middle"

# A client that sends no more keeps one connection busy at the server, and no second one.
before=$(count connections)
feed_from_pipe slow /upload/slow
polls=0
until has_bytes $((bytes / 4)); do
    polls=$((polls + 1))
    [ $polls -lt 1000 ] || fail "the server has nothing of the slow upload"
done
extra=$(($(count connections) - before - polls - 2)) # none where a kept connection serves
[ $extra -le 1 ] || fail "$extra connections for one slow upload"
feed_the_rest
finish_upload slow
expect "200 $file_sum 0" "$code $sum $status" "a slow upload"

# A server that reads nothing does not slow the client: all is taken in. When it dies, the next one has it all.
start_upload stalls "$file" /stall/1000 -X $method
wait_until 20 is_sent stalls
spools 1 || fail "the body is not on disk"
kill_hard app
start_listening app "$build/examples/upload-demo/server" --listen "127.0.0.1:$app_port"
finish_upload stalls
expect "200 $file_sum 0" "$code $sum $status" "a server that reads nothing"
wait_until 5 spools 0

# A client that leaves in the middle takes its file and the server's connection along, and nothing is sent again.
kill_hard app
start_origin app --listen "127.0.0.1:$app_port"
feed_from_pipe leaves /upload/leaves
wait_until 10 has_bytes 0
kill_hard leaves
exec 3>&-
wait_until 5 spools 0
broken_is() { [ "$(count broken)" = "$1" ]; }
wait_until 5 broken_is 1
expect 1 "$(count requests)" "requests of an upload whose client left"

stop holdfast

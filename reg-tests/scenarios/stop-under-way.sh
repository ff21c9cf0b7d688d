#!/bin/bash
#
# What a signal does to that which is under way. TERM: it is finished, within shutdown-timeout, after which who waits for
# a server is told 503. QUIT: it is finished, however long that takes, unless a TERM after it sets the bound. INT, and a
# second TERM: the end, now, although an upload is on its way. The status is 0 each time. With two workers, and in one process.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

free_port
front_port=$port
start_origin app
origin=${pid_of[app]}
make_file $((4 * mb))

start_one() { # start_one NAME SHUTDOWN_TIMEOUT [DIRECTIVE]: at $work/NAME.sock
    cat >"$work/$1.cfg" <<CONFIG
global { pid-file $work/$1.pid; workers $n_workers; shutdown-timeout $2 }
spool main { path $work/$1.spool; reserve 0 }
frontend www {
    bind unix@$work/$1.sock
    ${3-}
    route status when path == /status { status-page }
    route all { request-buffering hold memory 16K; use-backend app }
}
backend app { server a 127.0.0.1:$port }
CONFIG
    start "$1" "$build/holdfast" -f "$work/$1.cfg"
    wait_until 10 test -s "$work/$1.pid"
}
figures_of() { curl -sS --max-time 20 --unix-socket "$work/$1.sock" http://holdfast/status; }
has() { figures_of "$1" | grep -qx "$2"; }
no_longer_listens() { [ ! -e "$work/$1.sock" ]; }
is_gone() { ! lives "$1"; }
ends_well() { # ends_well NAME WHAT
    local status=0

    wait_until 10 is_gone "$1"
    wait "${pid_of[$1]}" || status=$?
    unset "pid_of[$1]"
    expect 0 "$status" "status after $2"
}
four_of() { # four_of NAME CURL_ARG...: uploads
    local name=$1 i
    shift

    for i in 1 2 3 4; do
        start_upload "$name$i" "$file" "/upload/$name$i" --unix-socket "$work/$name.sock" "$@"
    done
}

for n_workers in 2 0; do
    with="with $n_workers workers"

    # A server that does not answer until it is told to; the one that may wait 100 ms says when that is over.
    start_one quit 100ms
    start_one term 100ms
    start_one both 100ms
    kill -STOP "$origin"
    for name in quit term both; do
        four_of "$name"
        wait_until 20 has "$name" "waiting for a response: 4"
    done
    kill -QUIT "${pid_of[quit]}"
    kill -QUIT "${pid_of[both]}"
    wait_until 10 no_longer_listens quit
    wait_until 10 no_longer_listens both
    kill -QUIT "${pid_of[quit]}" # says nothing new
    kill -TERM "${pid_of[term]}"
    for i in 1 2 3 4; do
        finish_upload term$i
        expect "503 0" "$code $status" "a request that outlasts shutdown-timeout after TERM, $with"
    done
    ends_well term "TERM, $with"
    is_sent both1 # no answer yet
    kill -TERM "${pid_of[both]}"
    kill -QUIT "${pid_of[both]}" # takes no bound away
    for i in 1 2 3 4; do
        finish_upload both$i
        expect "503 0" "$code $status" "a request that outlasts shutdown-timeout after QUIT and TERM, $with"
    done
    ends_well both "QUIT and TERM, $with"
    lives quit || fail "QUIT has a bound, $with"
    kill -CONT "$origin"
    for i in 1 2 3 4; do
        finish_upload quit$i
        expect "200 0 $file_sum" "$code $status $sum" "a request that outlasts shutdown-timeout after QUIT, $with"
    done
    ends_well quit "QUIT, $with"

    # Uploads on their way: TERM lets them come to their end.
    start_one drain 1h
    four_of drain --limit-rate $((2 * mb))
    wait_until 20 has drain "receiving bodies: 4"
    kill -TERM "${pid_of[drain]}"
    wait_until 10 no_longer_listens drain
    for i in 1 2 3 4; do
        finish_upload drain$i
        expect "200 0 $file_sum" "$code $status $sum" "an upload on its way at TERM, $with"
    done
    ends_well drain "TERM with uploads, $with"

    # Uploads that go no further: only the end of holdfast is the end of them.
    for signals in INT "TERM TERM" "QUIT INT" "TERM INT"; do
        start_one now 1h "bind 127.0.0.2:$front_port"
        conns=()
        for i in 1 2 3 4; do
            exec {conn}<>"/dev/tcp/127.0.0.2/$front_port"
            conns+=("$conn")
            printf 'PUT /upload/now HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhello' >&"$conn"
        done
        wait_until 20 has now "receiving bodies: 4"
        for signal in $signals; do
            lives now || fail "the first of $signals was the end, $with"
            kill -s "$signal" "${pid_of[now]}"
            if [ "$signal" != INT ]; then wait_until 10 no_longer_listens now; fi
        done
        ends_well now "$signals, $with"
        for conn in "${conns[@]}"; do
            status=0
            IFS= read -r -t 10 -N 1 -u "$conn" answer 2>/dev/null || status=$?
            expect "1 " "$status $answer" "the end of an upload after $signals, $with"
            exec {conn}>&-
        done
    done
done

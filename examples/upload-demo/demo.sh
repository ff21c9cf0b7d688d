#!/bin/bash
#
# demo.sh - an upload survives the death of the application behind it, on real processes.
#
#     examples/upload-demo/demo.sh BUILD_DIR
#
# Starts upload-server and holdfast with examples/upload.cfg, sends a file with curl, kills the server with
# SIGKILL half-way, lets the upload go on to its end with no server there, starts the server again, and
# checks each claim. Then the same through a route that streams, which must fail. Exits 1 if a claim does
# not hold. Everything is in a temporary directory and is removed; processes end by their pid.
#
# DEMO_MEGABYTES (500), DEMO_RATE (80, in MB/s), DEMO_OUTAGE (5, seconds from the end of the upload to the
# server's return), DEMO_PAUSE_MS (1000, the longest pause of the client that is not called a stall).

set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 BUILD_DIR" >&2
    exit 2
fi
build=$(realpath "$1")
cd "$(dirname "$0")/../.."

megabytes=${DEMO_MEGABYTES:-500}
rate=${DEMO_RATE:-80}
outage=${DEMO_OUTAGE:-5}
pause_allowed_ms=${DEMO_PAUSE_MS:-1000}
size=$((megabytes * 1000000))

work=$(mktemp -d "${TMPDIR:-/var/tmp}/holdfast-demo.XXXXXX")
file=$work/upload.bin
server_pid=
proxy_pid=
curl_pid=
n_failed=0

# A pipe that nobody writes to: reading it with a time limit waits without starting a process.
mkfifo "$work/never"
exec {never}<>"$work/never"

clean_up() {
    local pid

    for pid in $curl_pid $server_pid $proxy_pid; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

### telling

step() { printf '\n%s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
claim() { # claim WORDS CONDITION...
    local words=$1
    shift
    if "$@"; then
        printf '   ok      %s\n' "$words"
    else
        printf '   FAILED  %s\n' "$words"
        n_failed=$((n_failed + 1))
    fi
}
give_up() {
    local log

    printf '\nThe demo cannot go on: %s\n' "$*" >&2
    for log in "$work"/*.log; do
        printf -- '--- %s\n' "${log##*/}" >&2
        tail -n 10 "$log" >&2
    done
    exit 1
}
seconds() { # milliseconds as seconds
    printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10))
}
mb() { printf '%d MB' $(($1 / 1000000)); }

# On a terminal one line is drawn again and again; in a log there is one for each tenth.
bar_tenth=-1
bar() { # bar BYTES NOTE
    local percent=$(($1 * 100 / size)) filled

    filled=$(printf '%*s' $((percent * 40 / 100)) '')
    if [ -t 1 ]; then
        printf '\r   [%-40s] %3d %%  %4d MB  %-24s' "${filled// /#}" "$percent" $(($1 / 1000000)) "$2"
    elif [ $((percent / 10)) -ne "$bar_tenth" ]; then
        printf '   [%-40s] %3d %%  %4d MB  %s\n' "${filled// /#}" "$percent" $(($1 / 1000000)) "$2"
    fi
    bar_tenth=$((percent / 10))
}
bar_end() {
    if [ -t 1 ]; then echo; fi
    bar_tenth=-1
}

### waiting

nap() { read -r -t "$1" -u "$never" || true; }
read_clock() { now_ms=$((${EPOCHREALTIME/[.,]/} / 1000)); }
lives() { kill -0 "$1" 2>/dev/null; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens at. Any of many, so that two demos on one machine do not meet; below those that
# the kernel gives to outgoing connections.
free_port() {
    local port

    while port=$((20000 + RANDOM % 12000)) && answers "$port"; do :; done
    echo "$port"
}

# Until connections are accepted, by the process that was started and nobody else.
wait_for_port() { # wait_for_port PORT PID WHO
    local i

    for ((i = 0; i < 200; i++)); do
        lives "$2" || give_up "$3 has ended"
        if answers "$1"; then
            nap 0.05
            lives "$2" || give_up "$3 has ended"
            return
        fi
        nap 0.05
    done
    give_up "$3 does not accept connections"
}

### acting

start_server() {
    "$build/examples/upload-demo/server" --listen "127.0.0.1:$app_port" \
        >>"$work/server.log" 2>&1 &
    server_pid=$!
    wait_for_port "$app_port" "$server_pid" "the upload server"
}

kill_server() {
    kill -KILL "$server_pid"
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}

start_proxy() {
    HOLDFAST_PORT=$proxy_port APP_PORT=$app_port HOLDFAST_SPOOL=$work/spool \
        "$build/holdfast" -f examples/upload.cfg >"$work/holdfast.log" 2>&1 &
    proxy_pid=$!
    wait_for_port "$proxy_port" "$proxy_pid" holdfast
}

# Begin to send the file; find the descriptor through which curl reads it: its position is what was sent.
start_upload() {
    local fd i

    curl --silent --show-error --upload-file "$file" --limit-rate $((rate * 1000000)) --max-time 120 \
        --output "$work/answer" --dump-header "$work/head" \
        --write-out 'code=%{http_code} sent=%{size_upload} seconds=%{time_total}\n' \
        "http://127.0.0.1:$proxy_port/$1/upload.bin" >"$work/curl.out" 2>"$work/curl.log" &
    curl_pid=$!
    read_clock
    upload_began_ms=$now_ms
    for ((i = 0; i < 200; i++)); do
        for fd in /proc/"$curl_pid"/fd/*; do
            if [ "$(readlink "$fd" 2>/dev/null)" = "$file" ]; then
                file_position=/proc/$curl_pid/fdinfo/${fd##*/}
                return
            fi
        done
        nap 0.02
    done
    give_up "curl has not begun"
}

# How many bytes curl has sent, into $position; fails when curl has ended.
read_position() {
    local key value

    { read -r key value <"$file_position"; } 2>/dev/null || return 1
    [ "$key" = pos: ] || return 1
    position=$value
}

# Follow the upload up to byte $1; keep the longest time in which it did not move in $longest_pause_ms.
follow_upload() {
    local until=$1 words=$2 moved_ms last=-1

    read_clock
    moved_ms=$now_ms
    while read_position; do
        read_clock
        if [ $((now_ms - moved_ms)) -gt "$longest_pause_ms" ]; then
            longest_pause_ms=$((now_ms - moved_ms))
        fi
        if [ "$position" -ne "$last" ]; then
            moved_ms=$now_ms
            last=$position
        fi
        bar "$position" "$words"
        if [ "$position" -ge "$until" ]; then return; fi
        nap 0.04
    done
}

wait_for_curl() { # at most $1 seconds
    local i

    for ((i = 0; i < $1 * 20; i++)); do
        lives "$curl_pid" || break
        nap 0.05
    done
    if lives "$curl_pid"; then give_up "the client still waits for an answer after $1 s"; fi
    curl_status=0
    wait "$curl_pid" || curl_status=$?
    curl_pid=
    read_clock
    total_ms=$((now_ms - upload_began_ms))
    code=$(sed -n 's/^code=\([0-9]*\) .*/\1/p' "$work/curl.out")
    sent=$(sed -n 's/.* sent=\([0-9]*\) .*/\1/p' "$work/curl.out")
    n_answers=$(grep -cE '^HTTP/1\.1 [2-5]' "$work/head" || true)
}

json() { sed -nE "s/.*\"$1\": \"?([0-9a-f]+).*/\\1/p" "$work/answer"; }

### the two acts

make_file() {
    local free_kb

    free_kb=$(df --output=avail -k "$work" | tail -n 1)
    if [ "$free_kb" -lt $((size * 3 / 1000 + 1200000)) ]; then
        give_up "not enough room in $work for a file of $(mb $size) and its copy in the spool"
    fi
    # Numbers, one after the other: no two parts of the file are alike.
    { seq 1000000000 1999999999 2>/dev/null || true; } | head -c "$size" >"$file"
    sha256sum "$file" >"$work/sum" &
    sum_pid=$!
}

show_outage() {
    local i

    for ((i = outage * 20; i > 0; i--)); do
        lives "$curl_pid" || break
        if [ -t 1 ]; then printf '\r   %d s ... ' $(((i + 19) / 20)); fi
        nap 0.05
    done
    if [ -t 1 ]; then printf '\r             \r'; fi
}

act_hold() {
    local killed_at taken_in_alone=0 back_ms was_alone=no client_waited=no

    longest_pause_ms=0
    step "2. An upload of $(mb $size) at $rate MB/s:  curl -T upload.bin http://127.0.0.1:$proxy_port/upload/"
    start_upload upload
    follow_upload $((size / 2)) "the application lives"
    kill_server
    killed_at=$position
    bar_end
    step "3. At $(mb "$killed_at") the application is killed with SIGKILL. Nobody listens on its port; the upload goes on."
    if ! answers "$app_port"; then was_alone=yes; fi
    follow_upload "$size" "no application"
    bar_end
    taken_in_alone=$((position - killed_at))
    if answers "$app_port"; then was_alone=no; fi
    if lives "$curl_pid"; then client_waited=yes; fi

    step "4. The upload has ended, $(mb "$taken_in_alone") of it with no application there. For $outage s nothing happens."
    show_outage
    if ! lives "$curl_pid"; then client_waited=no; fi
    if [ "$client_waited" = yes ]; then
        step "5. The application is started again."
    else
        step "5. The client is not waiting any more. The application is started again."
    fi
    start_server
    read_clock
    back_ms=$now_ms
    wait_for_curl 60
    read_clock
    note "$(seconds $((now_ms - back_ms))) later the client has its answer: ${code:-none}, $(seconds "$total_ms") after it began."
    note "$(cat "$work/answer" 2>/dev/null)"
    wait "$sum_pid"
    sum=$(cut -d ' ' -f 1 "$work/sum")

    step "   Did it hold?"
    claim "no application listened while the second half was sent" [ "$was_alone" = yes ]
    claim "the client sent all of it: $sent of $size bytes" [ "$sent" = "$size" ]
    claim "the client never stalled: its longest pause was $(seconds "$longest_pause_ms")" \
        [ "$longest_pause_ms" -lt "$pause_allowed_ms" ]
    claim "the client was never reset (curl's exit status $curl_status)$(sed 's/^/: /' "$work/curl.log")" \
        [ "$curl_status" -eq 0 ]
    claim "the client waited while nobody was there" [ "$client_waited" = yes ]
    claim "one answer came (${n_answers}), and it is 200 (${code:-none})" [ "$n_answers:$code" = 1:200 ]
    claim "the application took in $size bytes ($(json bytes))" [ "$(json bytes)" = "$size" ]
    claim "their SHA-256 is the file's: $sum" [ "$(json sha256)" = "$sum" ]
}

act_stream() {
    longest_pause_ms=0
    step "6. The same through the route with \`request-buffering stream\`:  curl -T upload.bin http://127.0.0.1:$proxy_port/stream/"
    rm -f "$work/answer" "$work/head"
    start_upload stream
    follow_upload $((size / 2)) "the application lives"
    kill_server
    bar_end
    note "At $(mb "$position") the application is killed with SIGKILL."
    follow_upload "$size" "no application"
    bar_end
    wait_for_curl 60
    note "The client's answer: ${code:-none}, after $(mb "$position")."

    step "   Did it fail as it must?"
    claim "the client got 502 (${code:-none})" [ "$code" = 502 ]
    claim "it got it in the middle of the upload, at $(mb "$position")" [ "$position" -lt "$size" ]
    claim "it could read it: it was not reset (curl's exit status $curl_status)$(sed 's/^/: /' "$work/curl.log")" \
        [ "$curl_status" -eq 0 ]
}

echo "Holdfast: an upload survives the death of the application behind it."
make_file
app_port=$(free_port)
proxy_port=$(free_port)
step "1. The application listens on 127.0.0.1:$app_port, holdfast on 127.0.0.1:$proxy_port with examples/upload.cfg."
start_server
start_proxy
act_hold
act_stream

if [ "$n_failed" -gt 0 ]; then
    printf '\n%d claims do not hold. What holdfast said:\n' "$n_failed"
    tail -n 20 "$work/holdfast.log"
    exit 1
fi
printf '\nAll of it holds.\n'

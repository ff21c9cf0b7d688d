# shellcheck shell=bash
#
# scenario.sh - what the scripts in reg-tests/scenarios share; each begins with
#
#     source "$(dirname "$0")/../tools/scenario.sh"
#
# and is run with BUILD_DIR. Gives $build, $root (of the repository) and $work, an empty directory that is
# removed at the end; what was started is ended by its pid. Exit status: 0 passed, 77 skipped. $mb is the
# size of a megabyte: 1000000, and less in a torture build, which reads and writes a few bytes at a time.
#
#     start NAME COMMAND...       in the background; output in $work/NAME.out and $work/NAME.err
#     start_origin NAME [ARG...]  the same for reg-tests/tools/origin; sets $port to where it listens
#     start_clients [ARG...]      reg-tests/tools/clients at $front, and the server behind it at $port. $front is
#                                 $work/front.sock, and with TEST_TCP=1 an address and a port; CONFIG has $front_bind
#     stop_clients                let them come to their end; sets $figures
#     figure NAME                 one of these
#     start_holdfast CONFIG       and wait until $work/front.sock, which CONFIG must bind, accepts; $program is started
#     free_port                   sets $port to one that nobody has, best used at 127.0.0.2: other processes on this
#                                 machine get theirs at 127.0.0.1, and whoever connects before it is bound cannot
#                                 happen to come from the very same port, and meet itself
#     request ARG...              curl to that socket, at most 60 s; URLs begin with http://holdfast/
#     start_upload NAME FILE PATH [ARG...]   curl -T in the background
#     is_sent NAME                has that curl sent everything? An answer before that fails the test
#     finish_upload NAME          wait for its answer: sets $code (000: none), $status (curl's, 0: never
#                                 reset) and $sum (SHA-256 of what the server had); body in $work/NAME.body
#     make_file BYTES             sets $file and $file_sum
#     workers                     the numbers of its workers, or its own where it has none
#     spool_files [FIND...]       what they have open that has no name, as find(1) shows it
#     spools N                    has holdfast N bodies on disk?
#     stop NAME                   SIGTERM, wait for the end, which must be clean
#     kill_hard NAME              SIGKILL
#     wait_until SECONDS COMMAND...   until it succeeds, else the test has failed
#     expect WANTED GOT WHAT      else the test has failed
#     fail WORDS / skip WORDS

set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 BUILD_DIR" >&2
    exit 2
fi
build=$(realpath "$1")
# shellcheck disable=SC2034 # for the scenario
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
mb=1000000
# shellcheck disable=SC2034 # for the scenario
if [[ $build == */torture ]]; then mb=50000; fi
program=$build/holdfast
work=$(mktemp -d "${TMPDIR:-/tmp}/scenario.XXXXXX")
declare -A pid_of=()

scenario_clean_up() {
    local status=$? name log

    for name in "${!pid_of[@]}"; do
        kill -KILL "${pid_of[$name]}" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
        for log in "$work"/*.err "$work"/*.out; do
            if [ -s "$log" ]; then
                echo "--- ${log##*/}"
                tail -n 25 "$log"
                echo
            fi
        done
    fi
    rm -rf "$work"
}
trap scenario_clean_up EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAILED: $*"
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

expect() {
    if [ "$1" != "$2" ]; then fail "$3: wanted '$1', got '$2'"; fi
}

# As sleep(1), without a process for it: nobody writes there.
exec {never}<> <(:)
pause() { read -r -t "$1" -u "$never" || true; }

# What comes soon is seen soon, and what takes long is not asked for all the time.
wait_until() {
    local limit=$((SECONDS + $1)) n=0
    shift
    until "$@"; do
        if [ $SECONDS -gt "$limit" ]; then fail "waited in vain for: $*"; fi
        n=$((n + 1))
        if [ $n -lt 25 ]; then pause 0.02; else pause 0.1; fi
    done
}

start() {
    local name=$1
    shift
    "$@" >>"$work/$name.out" 2>>"$work/$name.err" </dev/null &
    pid_of[$name]=$!
}

lives() {
    kill -0 "${pid_of[$1]}" 2>/dev/null
}

# Has NAME printed where it listens? Fails the test when it has ended instead.
listens() {
    if grep -q '^listening on ' "$work/$1.out"; then return 0; fi
    lives "$1" || fail "$1 has ended"
    return 1
}

# Start a server that prints "listening on ADDRESS:PORT" first, and set $port.
start_listening() {
    local name=$1

    : >"$work/$name.out"
    start "$@"
    wait_until 10 listens "$name"
    # shellcheck disable=SC2034 # for the scenario
    port=$(sed -nE 's/^listening on [0-9.]+:([0-9]+)$/\1/p' "$work/$name.out" | tail -n 1)
}

start_origin() {
    local name=$1
    shift
    if [[ " $* " != *" --listen "* ]]; then set -- --listen 127.0.0.1:0 "$@"; fi
    start_listening "$name" "$build/reg-tests/tools/origin" "$@"
}

# The kernel takes one for us, and lets it go.
free_port() {
    start_origin probe
    stop probe
}

# They go on until their standard input, which is ours to close, has ended.
start_clients() {
    front=$work/front.sock
    front_bind="bind unix@$front"
    if [ -n "${TEST_TCP-}" ]; then
        free_port
        front=127.0.0.2:$port
        # shellcheck disable=SC2034 # for the scenario
        front_bind="bind unix@$work/front.sock; bind $front"
    fi
    mkfifo "$work/go-on"
    : >"$work/clients.out"
    "$build/reg-tests/tools/clients" --listen 127.0.0.1:0 --front "$front" "$@" \
        >"$work/clients.out" 2>"$work/clients.err" <"$work/go-on" &
    pid_of[clients]=$!
    exec {go_on}>"$work/go-on"
    wait_until 10 listens clients
    # shellcheck disable=SC2034 # for the scenario
    port=$(sed -nE 's/^listening on [0-9.]+:([0-9]+)$/\1/p' "$work/clients.out")
}

stop_clients() {
    exec {go_on}>&-
    wait "${pid_of[clients]}" || fail "clients has ended with status $?"
    unset "pid_of[clients]"
    figures=$(tail -n 1 "$work/clients.out")
}

figure() { sed -nE "s/^(.* )?$1=([0-9]+)( .*)?$/\2/p" <<<"$figures"; }

# holdfast accepts on a socket file as soon as it is there (it is renamed into place).
front_is_there() {
    lives holdfast || fail "holdfast has ended"
    [ -S "$work/front.sock" ]
}

start_holdfast() {
    start holdfast "$program" -f "$1"
    wait_until 10 front_is_there
}

request() {
    curl --silent --show-error --max-time 60 --unix-socket "$work/front.sock" "$@"
}

start_upload() {
    local name=$1 from=$2 path=$3
    shift 3
    rm -f "$work/$name".{out,err,body}
    start "$name" curl --silent --verbose --max-time 60 \
        --unix-socket "$work/front.sock" --upload-file "$from" --output "$work/$name.body" \
        --write-out '%{http_code}' "$@" "http://holdfast$path"
}

is_sent() {
    lives "$1" || fail "$1 was answered before its time: $(cat "$work/$1.out" "$work/$1.body" 2>&1)"
    grep -qs 'We are completely uploaded' "$work/$1.err"
}

# shellcheck disable=SC2034 # for the scenario
finish_upload() {
    status=0
    wait "${pid_of[$1]}" || status=$?
    unset "pid_of[$1]"
    code=$(cat "$work/$1.out")
    sum=$(sed -nE 's/.*"sha256": "([0-9a-f]+)".*/\1/p' "$work/$1.body" 2>/dev/null || true)
}

# Numbers, one after the other: no two parts of the file are alike.
# shellcheck disable=SC2034 # for the scenario
make_file() {
    file=$work/file
    { seq 1000000000 1999999999 2>/dev/null || true; } | head -c "$1" >"$file"
    file_sum=$(sha256sum "$file" | cut -d ' ' -f 1)
}

# The numbers of the workers, each on a line; without workers that of holdfast itself.
workers() {
    pgrep -P "${pid_of[holdfast]}" -x "${program##*/}" || echo "${pid_of[holdfast]}"
}

# A body on disk has no name; it is seen as an open file that is "deleted". So is memory that is
# shared, but that has a name of its own.
spool_files() {
    local pid fds=()

    for pid in $(workers); do fds+=("/proc/$pid/fd"); done
    find "${fds[@]}" -lname '* (deleted)' ! -lname '/memfd:*' "$@" 2>/dev/null || true
}

spools() {
    [ "$(spool_files | wc -l)" -eq "$1" ]
}

stop() {
    local name=$1 pid=${pid_of[$1]} status=0 limit=$((SECONDS + 15))

    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -gt "$limit" ]; then fail "$name does not end on SIGTERM"; fi
        sleep 0.02
    done
    wait "$pid" || status=$?
    unset "pid_of[$name]"
    if [ "$status" -ne 0 ] && [ "$status" -ne 143 ]; then
        fail "$name ended with status $status"
    fi
}

kill_hard() {
    local pid=${pid_of[$1]}

    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    unset "pid_of[$1]"
}

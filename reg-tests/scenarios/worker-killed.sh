#!/bin/bash
#
# A worker is killed (kill -9) again and again under load: connect never fails, each dead worker is replaced at once, no
# request is broken but those on connections of a killed worker, and what the dead have counted is nobody's
# in the end: connections, bodies on disk, held requests.
#
# TEST_TCP=1: over TCP (over-tcp.sh). TEST_LONG=1: every 500 ms for 20 s.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

n_kills=8
pause=0.25
if [ -n "${TEST_TCP-}" ]; then n_kills=4; fi
pace=(--pause 1) # what they are in a hurry for is the long form
if [ -n "${TEST_LONG-}" ]; then
    pace=()
    n_kills=40
    pause=0.5
fi

start_clients "${pace[@]}" --keep 4 --close 4 --tunnels 8
cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log stderr level notice; workers 2 }
spool main { path $work/spool; reserve 0; quota 100M }
frontend www {
    $front_bind
    http-response set-header X-One "1"
    http-response set-header X-Two "1"
    hold 1m
    route status when path == /status { status-page }
    route own when path == /own { respond 200 "1" }
    route held when path under /held { request-buffering hold memory 16K; use-backend nobody }
    route all { use-backend app }
}
backend app { server a 127.0.0.1:$port }
backend nobody { server a unix@$work/nobody.sock }
CONFIG
start_holdfast "$work/holdfast.cfg"
wait_until 20 grep -qx ready "$work/clients.out"

# Held bodies, some of each worker: they go with their worker, and their room with them.
make_file 1000000
for i in 1 2 3 4 5 6; do start_upload "held$i" "$file" "/held/$i"; done
wait_until 20 spools 6

was_replaced() { [ "$(workers | wc -l)" = 2 ] && ! workers | grep -qx "$victim"; }
start_of() { cut -d ' ' -f 22 "/proc/$1/stat"; } # in ticks since the machine was started
# Sets $killed to a moment before the death of the victim, the start of a subshell of ours: by the kernel's own clock for
# processes, as its successor's start, so that it does not matter when we look.
kill_victim() { killed=$(kill -KILL "$victim" && start_of "$BASHPID"); }
conns_of() { # how many client connections that worker has: sockets of the path that it serves
    { ss -xpH state connected 2>/dev/null || true; } | grep -F "$work/front.sock" | grep -c "pid=$1," || true
}
at_stake=0
ticks=$(getconf CLK_TCK)
for ((i = 0; i < n_kills; i++)); do
    mapfile -t now < <(workers)
    victim=${now[$((i % 2))]}
    other=${now[$(((i + 1) % 2))]}
    at_stake=$((at_stake + $(conns_of "$victim")))
    kill_victim
    wait_until 10 was_replaced
    started=$(start_of "$(workers | grep -vx "$other")")
    echo $(((started - killed) * 1000 / ticks)) >>"$work/took"
    sleep "$pause"
done
# The median: on a machine that is busy with something else one or the other fork is late, but not half of them.
median=$(sort -n "$work/took" | sed -n "$(((n_kills + 1) / 2))p")
echo "half of the replacements took $median ms or less, the slowest $(sort -n "$work/took" | tail -n 1) ms"
# Sanitizers make a death long.
if [[ $build == */release ]] && [ "$median" -gt 100 ]; then fail "a worker is replaced after $median ms"; fi

for i in 1 2 3 4 5 6; do finish_upload "held$i"; done
stop_clients
echo "$figures; at stake: $at_stake or more"
expect 0 "$(figure refused)" "refused connections"
expect 0 "$(figure mixed)" "mixed answers"
# Each of the eight clients has one request under way at a time.
[ "$(figure broken)" -le $((n_kills * 8)) ] || fail "more requests are broken than can have been on killed workers"
[ "$(figure requests)" -gt $((n_kills * 20)) ] || fail "hardly any requests"
expect "$n_kills" "$(grep -c 'died of signal 9' "$work/holdfast.err")" "deaths in the log"
if grep -q "no more are replaced" "$work/holdfast.err"; then fail "SIGKILL counts as a fault of the workers"; fi

# This request is the only one that there is.
all_is_zero() {
    [ "$(request http://holdfast/status | sed 's/, quota.*//' |
        grep -vE '^(accepted|handled|requests):' | tr '\n' ';')" = "$idle_page" ]
}
idle_page='active connections: 1;reading heads: 0;receiving bodies: 0;held: 0;waiting for a response: 0;'
idle_page+='writing: 1;tunnels: 0;idle: 0;spool main: 0 bytes, 0 files, 0 promised;'
wait_until 10 all_is_zero
stop holdfast

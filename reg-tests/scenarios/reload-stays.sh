#!/bin/bash
#
# What is under way stays under way: slow uploads, WebSockets and idle connections across many reloads. None is dropped,
# there are no more processes than before, and they take no more memory.
#
# TEST_TCP=1: over TCP (over-tcp.sh). TEST_LONG=1: 50 uploads of 20 MB, 100 WebSockets and 1,000 idle connections
# across 50 reloads.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

n_reloads=12
sizes=(--uploads 8 --bytes 2000000 --rate 500000 --tunnels 10 --idle 100)
kept=(8 10 100)
slack_kb=512 # of so small a process
if [ -n "${TEST_LONG-}" ]; then
    n_reloads=50
    sizes=(--uploads 50 --bytes 20000000 --rate 1000000 --tunnels 100 --idle 1000)
    kept=(50 100 1000)
    slack_kb=0
fi
[ "$(ulimit -Hn)" -ge 8192 ] || skip "no more than $(ulimit -Hn) descriptors"

start_clients "${sizes[@]}"
write_config() { # write_config VERSION
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log stderr level notice; workers 2 }
spool main { path $work/spool; reserve 0 }
frontend www {
    $front_bind
    http-response set-header X-Version "$1"
    route own when path == /own { respond 200 "$1" }
    route all { request-buffering hold memory 16K; use-backend app }
}
backend app { server a 127.0.0.1:$port }
CONFIG
}
write_config 0
start_holdfast "$work/holdfast.cfg"
wait_until 30 grep -qx ready "$work/clients.out"

reload() {
    write_config "$1"
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "reload $1"
}
# Of the master and all workers, in KiB. Bodies lie on disk, so that it does not depend on how far they have come.
memory_kb() {
    local pid

    for pid in "${pid_of[holdfast]}" $(workers); do cat "/proc/$pid/smaps_rollup"; done |
        awk '$1 == "Rss:" { n += $2 } END { print n }'
}

# Once the uploads have the buffers that they need, and some reloads have taken what a reload takes.
are_under_way() { [ "$(spool_files -exec stat -Lc %s {} + | awk '{ n += $1 } END { print n + 0 }')" -ge "$quarter" ]; }
quarter=$((kept[0] * sizes[3] / 4))
wait_until 30 are_under_way
n_first=$((n_reloads / 4))
for ((i = 1; i <= n_first; i++)); do reload "$i"; done
processes=$(workers | sort)
before=$(memory_kb)
for ((; i <= n_reloads; i++)); do reload "$i"; done
after=$(memory_kb)
expect "$processes" "$(workers | sort)" "the workers"
echo "memory: $before KiB after $n_first reloads, $after after $n_reloads"
# Sanitizers keep freed memory.
if [[ $build == */release ]] && [ "$after" -gt $((before + before / 20 + slack_kb)) ]; then
    fail "memory has grown from $before to $after KiB"
fi

stop_clients
echo "$figures"
expect "${kept[*]}" "$(figure uploads) $(figure tunnels) $(figure idle)" "uploads, tunnels and idle connections"
expect "0 0 0 0" "$(figure uploads_lost) $(figure tunnels_lost) $(figure idle_lost) $(figure refused)" "of them lost"
stop holdfast

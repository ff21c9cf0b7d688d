#!/bin/bash
#
# Reloads under load that nobody can feel: clients that keep their connection and clients that open one for each request
# have all their answers, none refused, none broken off; each reload changes a header, and every answer is wholly old
# or wholly new. `-s reload` returns when the new configuration is in force, on old connections too.
#
# TEST_TCP=1: over TCP (over-tcp.sh). TEST_LONG=1: 200 reloads in at least 60 s.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

n_reloads=20
pause=0.02
if [ -n "${TEST_TCP-}" ]; then n_reloads=10; fi
pace=(--pause 1) # what they are in a hurry for is the long form
if [ -n "${TEST_LONG-}" ]; then
    pace=()
    n_reloads=200
    pause=0.25
fi

start_clients "${pace[@]}" --keep 4 --close 4
write_config() { # write_config VERSION
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log stderr level notice; workers 2 }
frontend www {
    $front_bind
    http-response set-header X-One "$1"
    route own when path == /own { http-response set-header X-Two "$1"; respond 200 "$1" }
    route all { http-response set-header X-Two "$1"; use-backend app }
}
backend app { server a 127.0.0.1:$port }
CONFIG
}
write_config 0
start_holdfast "$work/holdfast.cfg"
wait_until 20 grep -qx ready "$work/clients.out"
version() { request -o /dev/null -D - http://holdfast/own | sed -nE 's/^x-one: (.*)\r$/\1/ip'; }

before=$(workers | sort)
for ((i = 1; i <= n_reloads; i++)); do
    write_config "$i"
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "reload $i"
    expect "$i" "$(version)" "the version after reload $i"
    sleep "$pause"
done
expect "$before" "$(workers | sort)" "the workers"
stop_clients
echo "$figures"
expect "0 0 0" "$(figure mixed) $(figure refused) $(figure broken)" "mixed, refused and broken"
[ "$(figure requests)" -gt $((n_reloads * 10)) ] || fail "hardly any requests: $figures"
[ "$(figure versions)" -ge "$n_reloads" ] || fail "connections have not seen the new versions: $figures"
expect "$n_reloads" "$(grep -c 'the new configuration is in force' "$work/holdfast.err")" "reloads"
stop holdfast

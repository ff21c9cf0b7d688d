#!/bin/bash
#
# Tunnels: after a 101 each byte comes through, both ways at once, together with the 101, and each direction ends by
# itself; through the kernel's pipes and, without them, through memory; over a reload in the middle.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

tunnel() { # tunnel NAME [ARGUMENT...]: both ends of eight tunnels
    local name=$1
    shift

    start_listening "$name" "$build/reg-tests/tools/tunnel" --listen 127.0.0.1:0 \
        --front "$work/front.sock" --bytes $((2 * mb)) "$@"
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid }
frontend www {
    bind unix@$work/front.sock
    access-log $work/$name.log format "\${status} \${buffering-reason} \${request-bytes} \${response-bytes} \${termination}"
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
    start_holdfast "$work/holdfast.cfg"
    wait "${pid_of[$name]}" || fail "$name"
    unset "pid_of[$name]"
    expect 8 "$(grep -c '^passed: ' "$work/$name.out")" "$name: tunnels"
    stop holdfast
    expect 8 "$(grep -c '^101 upgrade .* ok$' "$work/$name.log")" "$name: lines of the log"
    grep -q "^101 upgrade $((2 * mb)) $((2 * mb)) ok$" "$work/$name.log" || fail "$name: bytes in the log"
}

tunnel spliced
HOLDFAST_NO_SPLICE=1 tunnel copied
tunnel spliced-reload --between "kill -HUP \$(cat $work/pid)"
HOLDFAST_NO_SPLICE=1 tunnel copied-reload --between "kill -HUP \$(cat $work/pid)"
[ "$(grep -c 'reload' "$work/holdfast.err")" -gt 0 ] || fail "there was no reload"

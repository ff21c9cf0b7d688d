#!/bin/bash
# A reload takes a bind away. Who has a connection there, fresh or kept alive, is still answered once, and told that the
# connection ends; nobody new is let in; a stop does not wait for those who say nothing.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

# A port that nobody has: the kernel takes one for us, and lets it go.
start_origin probe
stop probe

write_config() { # write_config BIND
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log }
frontend www {
    bind unix@$work/front.sock
    $1
    route all { respond 200 "served" }
}
CONFIG
}

write_config "bind 127.0.0.1:$port"
start_holdfast "$work/holdfast.cfg"
exec 3<>"/dev/tcp/127.0.0.1/$port" 4<>"/dev/tcp/127.0.0.1/$port" 5<>"/dev/tcp/127.0.0.1/$port"

ask() { printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&"$1"; }

# answer FD: the head of the answer on FD, and its body of six bytes.
answer() {
    local line head=

    while IFS= read -r -t 20 -u "$1" line && [ "$line" != $'\r' ]; do head+=$line; done
    IFS= read -r -t 20 -N 6 -u "$1" line || true
    echo "$head$line"
}

is_kept() { [[ $1 == "HTTP/1.1 200 "*served && $1 != *[Cc]"onnection: close"* ]]; }
is_last() { [[ $1 == "HTTP/1.1 200 "*served && $1 == *[Cc]"onnection: close"* ]]; }

ask 4
got=$(answer 4)
is_kept "$got" || fail "before the reload: $got"

write_config ""
"$build/holdfast" -s reload -f "$work/holdfast.cfg" >"$work/reload.out" 2>&1 || fail "the reload: $(cat "$work/reload.out")"
if (exec 6<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "the address is still bound"; fi

ask 3
got=$(answer 3)
is_last "$got" || fail "on a connection that had sent nothing yet: $got"
ask 4
got=$(answer 4)
is_last "$got" || fail "on a connection that was kept alive: $got"
expect served "$(request http://holdfast/)" "the bind that stays"

stop holdfast # 5 has said nothing so far

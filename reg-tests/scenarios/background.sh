#!/bin/bash
#
# -D: the parent's status is 0 when holdfast serves, and not before; 1, with a word why, when it does not. Standard
# descriptors that are closed (cron, some init scripts) are nothing to stumble over, in the background or not.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

start_origin app # some port that is taken
write_config() { # write_config FILE [MORE_BINDS]
    cat >"$work/$1" <<CONFIG
frontend www {
    bind unix@$work/$1.sock
    ${2-}
    route all { respond 200 "$1" }
}
CONFIG
}

answers() { [ "$(curl -sS --max-time 20 --unix-socket "$work/$1.sock" http://holdfast/)" = "$1" ]; }

# The process in the background is no child of ours: its end is seen in /proc.
adopt() { # adopt NAME
    pid=$(cat "$work/$1.pid")
    pid_of[$1]=$pid
    [ "$(readlink "/proc/$pid/exe")" = "$build/holdfast" ] || fail "$1: $pid is not holdfast"
}
has_ended() { [ ! -e "/proc/$1" ]; }
end() { # end NAME
    kill -TERM "${pid_of[$1]}"
    wait_until 15 has_ended "${pid_of[$1]}"
    unset "pid_of[$1]"
    if [ -e "$work/$1.pid" ] || [ -e "$work/$1.sock" ]; then fail "$1 leaves something behind"; fi
}

expect_null_fds() {
    local fd

    for fd in 0 1 2; do
        expect /dev/null "$(readlink "/proc/$pid/fd/$fd")" "$1: descriptor $fd"
    done
}

write_config one
status=0
"$build/holdfast" -D -f "$work/one" -p "$work/one.pid" </dev/null >"$work/one.out" 2>&1 || status=$?
expect 0 "$status" "the parent's status ($(cat "$work/one.out"))"
answers one || fail "the parent has ended, and nobody serves"
adopt one
expect_null_fds one
expect "$pid" "$(ps -o sid= -p "$pid" | tr -d ' ')" "the session"
end one

write_config taken "bind 127.0.0.1:$port"
status=0
"$build/holdfast" -D -f "$work/taken" -p "$work/taken.pid" </dev/null >"$work/taken.out" 2>&1 || status=$?
expect 1 "$status" "the parent's status where the address is taken"
grep -q "taken:3: error: .*127.0.0.1:$port" "$work/taken.out" || fail "no word of it: $(cat "$work/taken.out")"
if [ -s "$work/taken.pid" ] || [ -e "$work/taken.sock" ]; then fail "a start that failed leaves something behind"; fi

status=0
echo "frontned x {" >"$work/broken"
"$build/holdfast" -D -f "$work/broken" -p "$work/broken.pid" </dev/null >"$work/broken.out" 2>&1 || status=$?
expect 1 "$status" "the parent's status where the configuration is broken"

write_config closed
status=0
"$build/holdfast" -D -f "$work/closed" -p "$work/closed.pid" <&- >&- 2>&- || status=$?
expect 0 "$status" "the parent's status without standard descriptors"
answers closed || fail "nobody serves in the background without standard descriptors"
adopt closed
expect_null_fds closed
end closed

write_config front
"$build/holdfast" -f "$work/front" -p "$work/front.pid" <&- >&- 2>&- &
pid_of[front]=$!
is_there() { [ -s "$work/front.pid" ] || { lives front || fail "holdfast has ended"; false; }; }
wait_until 10 is_there
answers front || fail "nobody serves in the foreground without standard descriptors"
adopt front
expect_null_fds front
kill -HUP "$pid"
stop front
if [ -e "$work/front.pid" ] || [ -e "$work/front.sock" ]; then fail "something is left behind"; fi

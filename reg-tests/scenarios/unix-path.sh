#!/bin/bash
#
# What is at the path of a unix socket: the socket of an instance that serves is not taken, nor removed by the
# one that failed to start, for whatever reason; a regular file is not replaced; what a killed instance
# has left behind is.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

is_served() {
    expect "$1" "$(request http://holdfast/)" "who serves at the socket"
}

write_config() { # write_config FILE WORD [MORE_BINDS]
    cat >"$work/$1" <<CONFIG
frontend www {
    bind unix@$work/front.sock
    ${3-}
    route all { respond 200 "$2" }
}
CONFIG
}

must_not_start() { # must_not_start FILE WORDS
    local status=0

    timeout 20 "$build/holdfast" -f "$work/$1" >"$work/second.out" 2>&1 || status=$?
    expect 1 "$status" "exit status of $1 ($(cat "$work/second.out"))"
    grep -q "$2" "$work/second.out" || fail "$1: no word of $2: $(cat "$work/second.out")"
}

start_origin app # some port that is taken
write_config first.cfg first
write_config second.cfg second
write_config taken.cfg taken "bind 127.0.0.1:$port"
start_holdfast "$work/first.cfg"
identity=$(stat -c %i "$work/front.sock")

for _ in 1 2; do
    must_not_start second.cfg "second.cfg:2: error: .*front.sock"
    is_served first
    must_not_start taken.cfg "taken.cfg:"
    is_served first
done
expect "$identity" "$(stat -c %i "$work/front.sock")" "the socket at the path"

# The other bind comes first, fails, and the path is looked at all the same; here it is free.
sed "s/front.sock/other.sock/" "$work/taken.cfg" >"$work/other.cfg"
must_not_start other.cfg "other.cfg:3: error: .*127.0.0.1:$port"
if [ -e "$work/other.sock" ]; then fail "a start that failed leaves its socket behind"; fi

# A reload that fails takes nothing either.
cp "$work/first.cfg" "$work/first.keep"
sed -i "s/^    route/    bind unix@${work//\//\\/}\/reload.sock\n    bind 127.0.0.1:$port\n    route/" "$work/first.cfg"
kill -HUP "${pid_of[holdfast]}"
wait_until 5 grep -q "old configuration stays in force" "$work/holdfast.err"
is_served first
if [ -e "$work/reload.sock" ]; then fail "a reload that failed leaves its socket behind"; fi

# Killed: its socket stays, and nobody serves it.
kill_hard holdfast
[ -S "$work/front.sock" ] || fail "where is the socket of the killed one?"
start holdfast "$build/holdfast" -f "$work/second.cfg"
second_serves() {
    lives holdfast || fail "holdfast does not start over the socket of a killed one"
    [ "$(request http://holdfast/ 2>/dev/null)" = second ]
}
wait_until 10 second_serves
stop holdfast
if [ -e "$work/front.sock" ]; then fail "the socket is still there after the end"; fi

# Files that are no sockets.
echo "precious" >"$work/front.sock"
must_not_start first.keep "front.sock.*exists"
expect precious "$(cat "$work/front.sock")" "the file at the path"
rm "$work/front.sock"
ln -s "$work/nowhere" "$work/front.sock"
must_not_start first.keep "front.sock.*exists"
[ -L "$work/front.sock" ] || fail "a symbolic link was replaced"

expect "" "$(find "$work" -name '*.tmp')" "what is left of the starts"

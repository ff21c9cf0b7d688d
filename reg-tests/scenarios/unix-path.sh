#!/bin/bash
#
# What is at the path of a unix socket: the socket of an instance that serves is not taken, nor removed by the
# one that failed to start, for whatever reason; a regular file is not replaced; what a killed instance
# has left behind is. A socket file that somebody has removed is made anew by a reload (it was not: the bind was known
# by its name), and the connections of the old socket go on.

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
rm "$work/front.sock"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl; the rest has passed"

# One connection that stays; asks whenever it is sent a line, and prints what the answer says of it.
# shellcheck disable=SC2016 # perl
keep_asking='
    $| = 1;
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!";
    while (<STDIN>) {
        my $answer = "";
        syswrite $s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        1 while $answer !~ /served$/ && sysread $s, $answer, 65536, length $answer;
        print $answer =~ m{^HTTP/1.1 200 (?!.*connection: close).*served$}is ? "kept\n" : "lost: $answer\n";
    }
'
ask_kept() {
    local line=

    echo >&"${kept[1]}"
    read -r -t 20 line <&"${kept[0]}" || true
    expect kept "$line" "the connection of the old socket $1"
}
reload() { "$build/holdfast" -s reload -q -f "$work/removed.cfg" >"$work/said" 2>&1; }

for n_workers in 2 0; do
    sed "s/^frontend/global { pid-file ${work//\//\\/}\/pid; workers $n_workers }\n&/" "$work/first.keep" |
        sed 's/"first"/"served"/' >"$work/removed.cfg"
    start_holdfast "$work/removed.cfg"
    wait_until 10 test -s "$work/pid"
    coproc kept { perl -MIO::Socket::UNIX -e "$keep_asking" "$work/front.sock"; }
    # shellcheck disable=SC2154 # coproc sets it
    pid_of[kept]=$kept_PID
    ask_kept "at first"
    first=$(stat -c %i "$work/front.sock")
    reload || fail "a reload: $(cat "$work/said")"
    expect "$first" "$(stat -c %i "$work/front.sock")" "the socket after a reload"

    # In the way of a new one: the old configuration stays, with a connection that nobody else could make any more.
    rm "$work/front.sock"
    echo "precious" >"$work/front.sock"
    if reload; then fail "a reload that cannot make the socket file succeeds"; fi
    grep -q "front.sock': File exists" "$work/said" || fail "not for that: $(cat "$work/said")"
    expect precious "$(cat "$work/front.sock")" "the file at the path"
    ask_kept "after a reload that failed"

    # What was made for a reload that fails for another reason goes with it.
    rm "$work/front.sock"
    cp "$work/removed.cfg" "$work/removed.keep"
    echo "frontend other { bind 127.0.0.1:$port; route all { respond 200 } }" >>"$work/removed.cfg"
    if reload; then fail "a reload with a taken port succeeds"; fi
    if [ -e "$work/front.sock" ]; then fail "a reload that failed leaves its socket"; fi
    mv "$work/removed.keep" "$work/removed.cfg"

    for _ in 1 2; do
        reload || fail "a reload after the file was removed: $(cat "$work/said")"
        is_served served
        ask_kept "after a reload that succeeded"
        rm "$work/front.sock"
    done
    reload || fail "the last reload: $(cat "$work/said")"
    kill_hard kept
    stop holdfast
    if [ -e "$work/front.sock" ]; then fail "the new socket is still there after the end"; fi
done
expect "" "$(find "$work" -name '*.tmp')" "what is left of the reloads"

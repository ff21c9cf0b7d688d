#!/bin/bash
#
# Kept connections to a server: the one used last is used first, no more than `keepalive N` are kept and the one used longest
# ago goes, `idle` ends them; clients of HTTP/1.0, with and without keep-alive, share them with the others. The server gives
# each connection a number and says it in its answers.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::INET -e 1 2>/dev/null || skip "no perl"

# /wait/NAME is answered when the file NAME is there. Each connection is a process.
cat >"$work/server.pl" <<'PERL'
use IO::Socket::INET;
$| = 1;
$SIG{CHLD} = "IGNORE";
my ($dir) = @ARGV;
my $listener = IO::Socket::INET->new(Listen => 100, LocalAddr => "127.0.0.1") or die;
print "listening on 127.0.0.1:", $listener->sockport, "\n";
while (my $c = $listener->accept) {
    $n++;
    next if fork;
    my $in = "";
    while (1) {
        until ($in =~ /\r\n\r\n/) {
            next if sysread $c, $in, 65536, length $in;
            print "closed $n\n";
            exit;
        }
        my ($target) = $in =~ m{^GET (\S+)};
        $in =~ s/^.*?\r\n\r\n//s;
        print "asked $n $target\n";
        if ($target =~ m{^/wait/(\w+)}) {
            select undef, undef, undef, 0.01 until -e "$dir/$1" or getppid == 1;
        }
        syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: " . length($n) . "\r\n\r\n$n";
    }
}
PERL
start_listening app perl "$work/server.pl" "$work"

cat >"$work/holdfast.cfg" <<CONFIG
global { workers 1 } # each worker has connections of its own
frontend www {
    bind unix@$work/front.sock
    route one when path under /one { use-backend one }
    route idle when path under /idle { use-backend idle }
    route all { use-backend app }
}
backend app {
    server a 127.0.0.1:$port
    keepalive 8 idle 1h
}
backend one {
    server a 127.0.0.1:$port
    keepalive 1 idle 1h
}
backend idle {
    server a 127.0.0.1:$port
    keepalive 8 idle 200ms
}
CONFIG
start_holdfast "$work/holdfast.cfg"

said() { grep -qx -- "$1" "$work/app.out"; }
ask() { request "$@"; }
in_background() { start "$1" curl -sS --max-time 30 --unix-socket "$work/front.sock" "http://holdfast$2"; }
has_answer() { [ -s "$work/$1.out" ]; }
wait_for_answers() {
    local name

    for name in "$@"; do
        wait_until 10 has_answer "$name"
        wait "${pid_of[$name]}" || fail "$name has no answer"
        unset "pid_of[$name]"
    done
}

# Three at once, on connections 1, 2 and 3; they are done in the order 2, 3, 1.
for i in 1 2 3; do
    in_background "w$i" "/wait/go$i"
    wait_until 10 said "asked $i /wait/go$i"
done
for i in 2 3 1; do
    touch "$work/go$i"
    wait_for_answers "w$i"
    expect $i "$(cat "$work/w$i.out")" "connection of the waiting request"
done
expect 1 "$(ask http://holdfast/lifo)" "the connection used last comes first"
in_background first /wait/again
wait_until 10 said "asked 1 /wait/again"
expect 3 "$(ask http://holdfast/lifo)" "then the one used before it"
in_background second /wait/again
wait_until 10 said "asked 3 /wait/again"
expect 2 "$(ask http://holdfast/lifo)" "then the oldest"
touch "$work/again"
wait_for_answers first second

# Clients of HTTP/1.0: one request each, or several; no connection to the server is opened for them.
for options in --http1.0 '--http1.0 -H Connection:keep-alive' --http1.1; do
    # shellcheck disable=SC2086 # several options
    got=$(ask $options http://holdfast/a http://holdfast/b)
    [[ $got =~ ^[123]{2}$ ]] || fail "$options: connections $got"
done
answer=$(ask -i --http1.0 http://holdfast/a)
[[ $answer == *[Cc]onnection:\ close* ]] || fail "HTTP/1.0 without keep-alive: $answer"
answer=$(ask -i --http1.0 -H 'Connection: keep-alive' http://holdfast/a)
[[ $answer == *[Cc]onnection:\ keep-alive* ]] || fail "HTTP/1.0 with keep-alive: $answer"
! grep -q closed "$work/app.out" || fail "a kept connection was closed"

# keepalive 1: of two that are done only the one used last is kept.
in_background one1 /one
wait_for_answers one1
expect 4 "$(cat "$work/one1.out")" "another backend has connections of its own"
rm -f "$work"/go*
sed -i "s|route one when path under /one|route one when header.X-One == yes|" "$work/holdfast.cfg"
kill -HUP "${pid_of[holdfast]}"
ask_one() { request -H 'X-One: yes' "$1"; }
takes_one() { [[ $(ask_one http://holdfast/probe) == 4 ]]; }
wait_until 10 takes_one
start keep1 curl -sS --max-time 30 --unix-socket "$work/front.sock" -H 'X-One: yes' http://holdfast/wait/go4
wait_until 10 said "asked 4 /wait/go4"
start keep2 curl -sS --max-time 30 --unix-socket "$work/front.sock" -H 'X-One: yes' http://holdfast/wait/go5
wait_until 10 said "asked 5 /wait/go5"
touch "$work/go4"
wait_for_answers keep1
touch "$work/go5"
wait_for_answers keep2
wait_until 10 said "closed 4"
expect 5 "$(ask_one http://holdfast/cap)" "the connection that is kept"

# Idle connections end by themselves, and only those.
expect 6 "$(ask http://holdfast/idle)" "a third backend"
wait_until 10 said "closed 6"
expect 7 "$(ask http://holdfast/idle)" "a new connection after the old has ended"
! grep -qE 'closed [1235]$' "$work/app.out" || fail "a connection that may stay was closed"

stop holdfast

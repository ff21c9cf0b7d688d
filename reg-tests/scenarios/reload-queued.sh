#!/bin/bash
#
# Clients that wait in the accept queue of a bind when a reload removes it have been promised an answer: all of
# them get it. holdfast is stopped (SIGSTOP, all of it) while they come, more of them than it lets in at one wake.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

cat >"$work/holdfast.cfg" <<CONFIG
frontend www {
    bind unix@$work/front.sock
    bind unix@$work/old.sock
    route all { respond 200 "hello" }
}
CONFIG
start_holdfast "$work/holdfast.cfg"
wait_until 5 test -S "$work/old.sock"

sed -i '/old.sock/d' "$work/holdfast.cfg"
mapfile -t all < <(workers)
all+=("${pid_of[holdfast]}")
is_stopped() { [ "$(for pid in "${all[@]}"; do grep '^State:.T' "/proc/$pid/status"; done | wc -l)" = ${#all[@]} ]; }
kill -STOP "${all[@]}"
wait_until 5 is_stopped
kill -HUP "${pid_of[holdfast]}"

# shellcheck disable=SC2016 # perl
start clients perl -MIO::Socket::UNIX -e '
    alarm 60;
    my @clients = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!" } 1 .. 100;
    syswrite $_, "GET / HTTP/1.1\r\nHost: a\r\n\r\n" for @clients;
    syswrite STDOUT, "waiting\n";
    for (@clients) {
        my $answer = "";
        1 while $answer !~ /hello$/ && sysread $_, $answer, 65536, length $answer;
        $answered++ if $answer =~ m{^HTTP/1.1 200 .*hello$}s;
    }
    print "$answered of ", scalar @clients, " answered\n";
' "$work/old.sock"
wait_until 20 grep -q waiting "$work/clients.out"
kill -CONT "${all[@]}"

clients_are_done() { ! lives clients; }
wait_until 30 clients_are_done
expect "100 of 100 answered" "$(tail -n 1 "$work/clients.out")" "clients in the queue of a bind that is removed"
[ ! -e "$work/old.sock" ] || fail "the path of the removed bind is still there"
expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/)" "a request at the bind that stays"

stop holdfast

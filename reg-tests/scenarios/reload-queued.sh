#!/bin/bash
#
# Clients that wait in the accept queue of a bind when a reload removes it have been promised an answer: all of
# them get it. holdfast is stopped (SIGSTOP, all of it) while they come, more of them than it lets in at one wake. So at
# max-connections, where there is no place for them, and none will be free before the socket closes.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

# shellcheck disable=SC2016 # perl
waiting_clients='
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
'
# Takes all places, and keeps them until it is killed.
# shellcheck disable=SC2016 # perl
staying_clients='
    my @clients = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!" } 1 .. 4;
    for (@clients) {
        my $answer = "";
        syswrite $_, "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        1 while $answer !~ /hello$/ && sysread $_, $answer, 65536, length $answer;
    }
    syswrite STDOUT, "staying\n";
    sleep 600;
'
is_stopped() { [ "$(for pid in "${all[@]}"; do grep '^State:.T' "/proc/$pid/status"; done | wc -l)" = ${#all[@]} ]; }
is_removed() { [ ! -e "$work/old.sock" ]; }
clients_are_done() { ! lives clients; }

write_config() { # write_config MAX_CONNECTIONS
    cat >"$work/holdfast.cfg" <<CONFIG
global { workers $n_workers; max-connections $1 }
frontend www {
    bind unix@$work/front.sock
    bind unix@$work/old.sock
    route all { respond 200 "hello" }
}
CONFIG
}

remove_bind() { # remove_bind WHEN: while a hundred clients wait there
    : >"$work/clients.out"
    sed -i '/old.sock/d' "$work/holdfast.cfg"
    mapfile -t all < <(workers)
    if [ "$n_workers" -gt 0 ]; then all+=("${pid_of[holdfast]}"); fi
    kill -STOP "${all[@]}"
    wait_until 5 is_stopped
    kill -HUP "${pid_of[holdfast]}"
    start clients perl -MIO::Socket::UNIX -e "$waiting_clients" "$work/old.sock"
    wait_until 20 grep -q waiting "$work/clients.out"
    kill -CONT "${all[@]}"

    wait_until 30 clients_are_done
    expect "100 of 100 answered" "$(tail -n 1 "$work/clients.out")" "clients in the queue of a bind that is removed $1"
    wait_until 20 is_removed # some of them may have been let in before
}

for n_workers in 2 0; do
    write_config 1000
    start_holdfast "$work/holdfast.cfg"
    wait_until 5 test -S "$work/old.sock"
    remove_bind "under $n_workers workers"
    expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/)" "a request at the bind that stays"
    stop holdfast

    write_config 4
    start_holdfast "$work/holdfast.cfg"
    wait_until 5 test -S "$work/old.sock"
    : >"$work/staying.out"
    start staying perl -MIO::Socket::UNIX -e "$staying_clients" "$work/front.sock"
    wait_until 20 grep -q staying "$work/staying.out"
    remove_bind "at the limit of $n_workers workers"
    lives staying || fail "who had the places has gone"
    if request --max-time 1 -o /dev/null http://holdfast/ 2>/dev/null; then fail "somebody is let in beyond max-connections"; fi
    kill_hard staying
    expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/)" "a request when places are free"
    stop holdfast
done

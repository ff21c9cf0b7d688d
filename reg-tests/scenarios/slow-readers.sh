#!/bin/bash
#
# Fifty clients ask for 12 MB each and read nothing: with and without response buffering holdfast needs a window of memory
# for each, not the response; with buffering the server has sent everything. Bodies in the tee of fifty uploads to a
# server that reads nothing need no more.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

bytes=$((12 * mb))
# Room for the windows (128K each), for buffers, and for what a sanitizer adds; all responses are 600 MB.
bound_kb=$((100 * 1024))
start_origin app

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    request-buffering tee
    route off when header.X-Off == yes {
        response-buffering off
        use-backend app
    }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start_holdfast "$work/holdfast.cfg"

cat >"$work/stuck.pl" <<'PERL'
use IO::Socket::UNIX;
my ($path, $request, $body) = @ARGV;
my @stuck;

for (1 .. 50) {
    my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!";
    my $rest = "x" x $body;

    print $s $request =~ s/\\r\\n/\r\n/gr, $rest or die "send: $!";
    $s->flush;
    push @stuck, $s;
}
open my $f, ">", "$path.stuck";
sleep 60;
PERL

count() { curl -sS --max-time 10 "http://127.0.0.1:$port/count" | sed -n "s/^$1 //p"; }
has_requests() { [ "$(count requests)" -ge "$1" ]; }
bytes_on_disk() {
    spool_files -exec stat -Lc %s {} + | awk '{ n += $1 } END { print n + 0 }'
}
all_is_in() { [ "$(bytes_on_disk)" -ge $((50 * (bytes - 600000))) ]; }
memory_kb() { # of all workers
    local pid

    for pid in $(workers); do cat "/proc/$pid/status"; done | awk '$1 == "VmHWM:" { n += $2 } END { print n }'
}
are_stuck() { [ -e "$work/front.sock.stuck" ]; }

stuck() { # stuck WHAT REQUEST [BODY]: fifty clients
    rm -f "$work/front.sock.stuck"
    start stuck perl "$work/stuck.pl" "$work/front.sock" "$2" "${3:-0}"
    wait_until 40 are_stuck
}
check_memory() {
    local grown=$(($(memory_kb) - at_start))

    echo "$1: $grown kB, $(bytes_on_disk) bytes on disk"
    [ $grown -lt $bound_kb ] || fail "$1 took $grown kB of memory"
    kill_hard stuck
    wait_until 10 spools 0
}

at_start=$(memory_kb)
stuck off "GET /bytes/$bytes HTTP/1.1\r\nHost: a\r\nX-Off: yes\r\n\r\n"
wait_until 10 has_requests 50
check_memory "no buffering"
expect 0 "$(bytes_on_disk)" "bytes on disk"

stuck on "GET /bytes/$bytes HTTP/1.1\r\nHost: a\r\n\r\n"
wait_until 10 has_requests 100
if [ $mb -ge 1000000 ]; then wait_until 60 all_is_in; fi
check_memory "buffering"

stuck tee "POST /stall/1000 HTTP/1.1\r\nHost: a\r\nContent-Length: $((bytes / 4))\r\n\r\n" $((bytes / 4))
wait_until 10 has_requests 150
check_memory "tee"

stop holdfast

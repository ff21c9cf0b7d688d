#!/bin/bash
#
# A client that goes on sending after a 413 is read for the bytes that `lingering` grants, so that it can
# see the answer, and no further: a blind sender is not served on until the time is over.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

cat >"$work/holdfast.cfg" <<CONFIG
frontend www {
    bind unix@$work/front.sock
    lingering 10m max 64K
    timeout client-body 10m
    max-body 1000
    route all { use-backend app }
}
backend app { server app unix@$work/nobody.sock }
CONFIG
start_holdfast "$work/holdfast.cfg"

cat >"$work/blind.pl" <<'PERL'
use IO::Socket::UNIX;
use constant TIOCOUTQ => 0x5411;
$SIG{PIPE} = "IGNORE";
alarm 60;

my ($path, $fields, $rest) = @ARGV;
my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!";
my $answer = "";

# Until holdfast has read whatever was sent. It decides in the same turn whether to go on.
sub send_and_wait {
    my $left = length $_[0];

    syswrite($s, $_[0]) == $left or die "the client was closed too early: $!";
    for (my $i = 0; unpack("i", $left) != 0 && $i < 2000; $i++) {
        $left = pack "i", 0;
        ioctl $s, TIOCOUTQ, $left or die "ioctl: $!";
        select undef, undef, undef, 0.01;
    }
    die "holdfast does not read on" if unpack("i", $left) != 0;
}

send_and_wait "POST / HTTP/1.1\r\nHost: a\r\n$fields\r\n\r\n$rest";
1 while sysread $s, $answer, 65536, length $answer;
$answer =~ m{^HTTP/1.1 413 } or die "the answer is '$answer'";

# Less than the bound: still there.
send_and_wait "x" x 1000 for 1 .. 60;

# More than it and all that may be under way: closed.
for (my $sent = 0; $sent < 64 << 20;) {
    my $n = syswrite $s, "x" x 65536;
    if (!defined $n) {
        print "closed\n";
        exit 0;
    }
    $sent += $n;
}
die "still read after 64 MB";
PERL

# Known to be too long at its head, and found to be when it comes.
perl "$work/blind.pl" "$work/front.sock" "Content-Length: 1000000000" "" >"$work/length.out" || fail "a declared length"
perl "$work/blind.pl" "$work/front.sock" "Transfer-Encoding: chunked" \
    $'1000000\r\n'"$(printf %02000d 0)" >"$work/chunked.out" || fail "chunked"

stop holdfast

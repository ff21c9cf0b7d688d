#!/bin/bash
#
# A server sends interim responses while the request is still on its way to it, and the client, busy sending, reads
# none of them: the upload goes on to its end, the server is not read beyond a window, and then everything
# arrives in its order.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

# One process writes, the other reads.
# shellcheck disable=SC2016 # perl
start_listening app perl -MIO::Socket::INET -e '
    $| = 1;
    my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 9) or die;
    print "listening on 127.0.0.1:", $l->sockport, "\n";
    while (my $c = $l->accept) {
        my $in = "";
        1 while $in !~ /\r\n\r\n/ && sysread $c, $in, 65536, length $in;
        my $writer = fork;
        if (!$writer) {
            print $c "HTTP/1.1 104 Upload\r\nUpload-Offset: $_\r\n\r\n" for 1 .. 20000;
            $c->flush;
            exit 0;
        }
        $in = substr $in, -7 while $in !~ /\r\n0\r\n\r\n$/ && sysread $c, $in, 65536, length $in;
        waitpid $writer, 0;
        print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        close $c;
    }'

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    route tee when path == /tee { request-buffering tee; use-backend app }
    route all { request-buffering stream; use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start_holdfast "$work/holdfast.cfg"

# It sends until no more interim responses come to its socket, then the end; only then it reads.
cat >"$work/client.pl" <<'PERL'
use IO::Socket::UNIX;
use constant FIONREAD => 0x541b;
$SIG{PIPE} = "IGNORE";
alarm 60;

my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!";
my ($all, $before, $same) = ("", -1, 0);

sub put { syswrite($s, $_[0]) == length $_[0] or die "the upload stops: $!" }

put "PUT $ARGV[1] HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
while ($same < 50) {
    my $n = pack "i", 0;

    put "3e8\r\n" . "x" x 1000 . "\r\n";
    ioctl $s, FIONREAD, $n or die "ioctl: $!";
    $n = unpack "i", $n;
    $same = $n > 0 && $n == $before ? $same + 1 : 0;
    $before = $n;
}
put "0\r\n\r\n";
1 while sysread $s, $all, 65536, length $all;

my @offsets = $all =~ /^upload-offset: (\d+)\r$/mig;
@offsets == 20000 or die scalar @offsets, " interim responses";
$offsets[$_ - 1] == $_ or die "$offsets[$_ - 1] in the place of $_" for 1 .. 20000;
$all =~ m{\r\n\r\nHTTP/1.1 200 .*\r\n\r\nok$}s or die "the end is '", substr($all, -200), "'";
PERL

for path in /stream /tee; do
    perl "$work/client.pl" "$work/front.sock" $path || fail "$path"
done

stop holdfast

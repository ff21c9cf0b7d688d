#!/bin/bash
#
# A server that sends thousands of interim responses (104, as resumable uploads do) in one go before its 200: the
# client gets them all, in their order, and the 200 behind them; the proxy's memory does not grow with their number.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::INET -e 1 2>/dev/null || skip "no perl"

# shellcheck disable=SC2016 # perl
start_listening app perl -MIO::Socket::INET -e '
    $| = 1;
    my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 9) or die;
    print "listening on 127.0.0.1:", $l->sockport, "\n";
    while (my $c = $l->accept) {
        my $head = "";
        1 while $head !~ /\r\n\r\n/ && sysread $c, $head, 65536, length $head;
        my ($n) = $head =~ m{^[A-Z]+ /(\d+)};
        print $c "HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: $_\r\n\r\n" for 1 .. $n;
        print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        $c->flush;
        1 while sysread $c, $head, 65536;
        close $c;
    }'

cat >"$work/holdfast.cfg" <<CONFIG
global { workers 1 }
frontend www {
    bind unix@$work/front.sock
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start_holdfast "$work/holdfast.cfg"

peak_kb() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$(workers)/status"; }

ask() { # ask HOW_MANY
    request --dump-header "$work/heads" -o "$work/body" "http://holdfast/$1" || fail "curl's status is $?"
    expect ok "$(cat "$work/body")" "the body after $1 interim responses"
    expect 200 "$(awk '/^HTTP/ { last = $2 } END { print last }' "$work/heads")" "the status after $1"
    sed -nE 's/^upload-offset: ([0-9]+)\r$/\1/ip' "$work/heads" >"$work/got"
    sort -n -u -c "$work/got" || fail "of $1 interim responses some came twice, or not in their order"
}

got() { wc -l <"$work/got"; }

ask 500
expect 500 "$(got)" "how many of 500 interim responses came"
before=$(peak_kb)
ask 4000 # curl takes no more than 300 KiB of heads
expect 4000 "$(got)" "how many of 4000 interim responses came"
# Sanitizers keep freed memory, so the bound holds for the release build alone.
if [[ $build == */release ]] && [ "$(peak_kb)" -gt $((before + 1024)) ]; then
    fail "peak memory went from $before to $(peak_kb) KiB"
fi

stop holdfast

#!/bin/bash
#
# Under a service manager: what it is told (READY, RELOADING, STOPPING, WATCHDOG) and when; sockets that it passes, by
# name and by number, and none that nothing names; the unit in examples/systemd, whose exposure is at most 2.0.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "no perl"

# The service manager's socket: each message is a line, `|` between its own lines.
: >"$work/manager.out" # it is looked for before the manager has begun
# shellcheck disable=SC2016 # perl
start manager perl -MIO::Socket::UNIX -MSocket -e '
    $| = 1;
    my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "bind: $!";
    print "is there\n";
    while (defined $s->recv(my $text, 4096)) { $text =~ tr/\n/|/; print "$text\n" }
' "$work/notify"
wait_until 10 grep -q "is there" "$work/manager.out"
told() { grep -qE "$1" "$work/manager.out"; }
n_told() { grep -cE "$1" "$work/manager.out" || true; }

write_config() { # write_config VERSION
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers $n_workers }
frontend www {
    bind unix@$work/front.sock
    ${bind-}
    route all { respond 200 "$1" }
}
CONFIG
}

for n_workers in 2 0; do
    : >"$work/manager.out"
    write_config 1
    export NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=100000
    start_holdfast "$work/holdfast.cfg"
    unset NOTIFY_SOCKET WATCHDOG_USEC
    wait_until 10 told "^READY=1\|MAINPID=${pid_of[holdfast]}\|STATUS="
    expect "${pid_of[holdfast]}" "$(cat "$work/pid")" "the pid file when READY is told"
    expect 1 "$(request http://holdfast/)" "a request when READY is told"
    wait_until 10 told '^WATCHDOG=1$'
    ready=$(n_told '^READY=1')
    kill -HUP "${pid_of[holdfast]}"
    wait_until 10 told '^RELOADING=1\|MONOTONIC_USEC=[0-9]+\|STATUS='
    again() { [ "$(n_told '^READY=1')" -gt "$ready" ]; }
    wait_until 10 again
    echo "nonsense {" >"$work/holdfast.cfg"
    kill -HUP "${pid_of[holdfast]}"
    wait_until 10 told '^READY=1\|.*STATUS=Reload failed'
    stop holdfast
    wait_until 10 told '^STOPPING=1'
done

# Sockets that are passed. Descriptor 5 is nobody's: it is closed. perl plays systemd-socket-activate, which names all
# its sockets alike.
start_origin free
front_port=$port
kill_hard free
for n_workers in 2 0; do
    bind="bind fd@web; bind fd@4"
    write_config activated
    # shellcheck disable=SC2016 # perl
    start holdfast perl -MIO::Socket::INET -MIO::Socket::UNIX -MPOSIX -e '
        my ($port, $dir, @command) = @ARGV;
        my @s = (IO::Socket::INET->new(Listen => 100, LocalAddr => "127.0.0.1:$port", ReuseAddr => 1),
                 IO::Socket::UNIX->new(Listen => 100, Local => "$dir/four.sock"),
                 IO::Socket::UNIX->new(Listen => 100, Local => "$dir/five.sock"));
        my @copies = map { fcntl($_, 0, 20) } @s; # F_DUPFD: out of the way
        POSIX::dup2($copies[$_], 3 + $_) for 0 .. 2;
        POSIX::close($_) for @copies;
        $^F = 10;
        @ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)} = (3, $$, "web:other:stray");
        exec @command;
    ' "$front_port" "$work" "$build/holdfast" -f "$work/holdfast.cfg"
    wait_until 10 front_is_there
    expect activated "$(curl -sS --max-time 20 "http://127.0.0.1:$front_port/")" "the socket called web"
    expect activated "$(curl -sS --max-time 20 --unix-socket "$work/four.sock" http://holdfast/)" "descriptor 4"
    status=0
    curl -sS --max-time 20 --unix-socket "$work/five.sock" http://holdfast/ 2>/dev/null || status=$?
    expect 7 "$status" "curl's status (7: refused) at a socket that nothing names"
    # A reload may let go of one and name it again; one that nothing named at the start is gone.
    bind="bind fd@web"
    write_config less
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload without descriptor 4"
    bind="bind fd@other"
    write_config again
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload that names descriptor 4 again"
    expect again "$(curl -sS --max-time 20 --unix-socket "$work/four.sock" http://holdfast/)" "descriptor 4 by its name"
    bind="bind fd@stray"
    write_config stray
    if "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" 2>"$work/said"; then fail "a stray was bound"; fi
    grep -q "cannot listen on 'fd@stray': not inherited, or closed" "$work/said" || fail "not said: $(cat "$work/said")"
    bind="bind fd@nobody"
    write_config nobody
    if "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" 2>"$work/said"; then fail "a socket without a name was bound"; fi
    grep -q "cannot listen on 'fd@nobody': no inherited socket is called 'nobody'" "$work/said" ||
        fail "not said: $(cat "$work/said")"
    stop holdfast
    rm -f "$work/four.sock" "$work/five.sock"
done

"$build/holdfast" -c -q -f "$root/examples/systemd/holdfast.cfg" || fail "the installed configuration is not valid"
command -v systemd-analyze >/dev/null || skip "no systemd-analyze; the rest has passed"
said=$(systemd-analyze security --no-pager --offline=true "$root/examples/systemd/holdfast.service" | tail -n 1)
exposure=$(sed -nE 's/.*exposure level for [^:]*: ([0-9]+\.[0-9]).*/\1/p' <<<"$said")
[ -n "$exposure" ] || fail "systemd-analyze says: $said"
echo "exposure: $exposure"
awk -v e="$exposure" 'BEGIN { exit !(e <= 2.0) }' || fail "the unit's exposure is $exposure"

#!/bin/bash
#
# `-s reload` has the answer that is its own, however long that takes and however many ask: after 120 s it gave up,
# and of more than 16 the first were told that the instance had ended. A socket that somebody has removed is made anew by
# HUP, and the error says so; it was gone until the next start. What takes effect at the next start is said to who
# asks, compared with what the process started with.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

write_config() { # write_config VERSION [MORE_OF_GLOBAL]
    cat >"$work/holdfast.cfg" <<CONFIG
global { log stderr level notice; ${2-pid-file $work/pid; workers $n_workers} }
frontend www {
    bind unix@$work/front.sock
    route all { respond 200 "$1" }
}
CONFIG
}
ask() { # sets $status, output in $work/said
    status=0
    timeout 60 "$build/holdfast" -s reload -q -p "$work/pid" >"$work/said" 2>&1 || status=$?
}
n_logged() { grep -c "$1" "$work/holdfast.err" || true; }
n_waiting() { cat "$work"/asks*.err | grep -cx "holdfast: no answer yet; the reload may take minutes" || true; }
all_wait() { [ "$(n_waiting)" = 20 ]; }
socket_is_there() { [ -S "$work/pid.control" ]; }

for n_workers in 0 2; do
    write_config 0
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"

    # What cannot be taken over.
    user=$(id -un)
    fixed="pid-file $work/pid; workers"
    write_config 1 "$fixed 3"
    for _ in 1 2; do
        ask
        expect "0 warning: \`workers\` takes effect at the next start" "$status $(cat "$work/said")" \
            "$n_workers workers, 3 from the next start on"
    done
    expect 2 "$(n_logged 'warning: .workers. takes effect')" "warnings in the log"
    write_config 2 "workers 3; poller poll; user $user"
    ask
    expect "0 warning: \`workers\` takes effect at the next start
warning: \`poller\` takes effect at the next start
warning: \`user\` takes effect at the next start
warning: \`pid-file\` takes effect at the next start" "$status $(cat "$work/said")" "all that cannot be taken over"
    expect 2 "$(request http://holdfast/)" "who serves"
    write_config 3
    ask
    expect "0 " "$status $(cat "$work/said")" "a reload back to what runs"

    # The socket is gone.
    rm "$work/pid.control"
    ask
    expect "1 holdfast: cannot ask for a reload at $work/pid.control: No such file or directory
holdfast: if somebody has removed it, \`kill -HUP ${pid_of[holdfast]}\` makes it anew" "$status $(cat "$work/said")" \
        "a reload without the socket"
    kill -HUP "${pid_of[holdfast]}"
    wait_until 10 socket_is_there
    expect 600 "$(stat -c %a "$work/pid.control")" "the new socket's mode"
    ask
    expect "0 " "$status $(cat "$work/said")" "a reload by the new socket"

    # Who is silent makes room.
    if perl -MIO::Socket::UNIX -e 1 2>/dev/null; then
        # shellcheck disable=SC2016 # perl
        start silent perl -MIO::Socket::UNIX -e '
            my @silent = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!" } 1 .. 16;
            syswrite STDOUT, "there\n";
            sleep 60;
        ' "$work/pid.control"
        wait_until 10 grep -q there "$work/silent.out"
        ask
        expect "0 " "$status $(cat "$work/said")" "a reload beside 16 who do not ask"
        kill_hard silent
        rm "$work/silent.out"
    fi
    stop holdfast
    rm "$work/holdfast.err"
done

# The first of twenty waits for a worker that is long in compiling, the others for the reload after it.
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"
is_compiling() { [ -s "$HOLDFAST_FAULTS/hold-compiling.0" ]; }
start_faulty
fault hold-compiling.0
for i in {1..20}; do start "asks$i" "$build/holdfast" -s reload -p "$work/pid"; done
wait_until 10 is_compiling
write_version 1
wait_until 30 all_wait
no_faults
for i in {1..20}; do
    wait "${pid_of[asks$i]}" || fail "number $i of twenty: $(cat "$work/asks$i.err")"
    unset "pid_of[asks$i]"
    expect "holdfast: the new configuration is in force" "$(cat "$work/asks$i.out")" "number $i of twenty"
done
expect 1 "$(request http://holdfast/)" "who serves after them"
stop holdfast

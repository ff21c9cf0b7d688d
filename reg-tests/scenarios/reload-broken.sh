#!/bin/bash
#
# A reload that fails, by errors in the file or by something that cannot be opened: the reasons are in the log and on the
# command line, whose status is 1, and the old configuration serves on, connections and all. With a master and in
# one process (workers 0).

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

start_origin app # some port that is taken
write_config() { # write_config VERSION [MORE_OF_THE_FRONTEND]
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log; workers $n_workers }
frontend www {
    bind unix@$work/front.sock
    ${2-}
    route all { respond 200 "$1" }
}
CONFIG
}
signal() { # signal WORD: sets $status, output in $work/said
    status=0
    "$build/holdfast" -s "$1" -f "$work/holdfast.cfg" >"$work/said" 2>&1 || status=$?
}
fails_with() { # fails_with TEXT WHAT
    : >"$work/error.log"
    signal reload
    expect 1 "$status" "$2: exit status of -s reload ($(cat "$work/said"))"
    grep -qF "$1" "$work/said" || fail "$2: not on the command line: $(cat "$work/said")"
    grep -qF "$1" "$work/error.log" || fail "$2: not in the log: $(cat "$work/error.log")"
    grep -qF "old configuration stays in force" "$work/error.log" || fail "$2: the log does not say so"
    expect 0 "$(request http://holdfast/)" "$2: who serves"
}

for n_workers in 2 0; do
    write_config 0
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    before=$(workers | sort)

    write_config 1 "bnid unix@$work/other.sock"
    fails_with "unknown directive 'bnid'" "a wrong word"
    write_config 1 "bind unix@$work/new.sock; bind 127.0.0.1:$port"
    fails_with "cannot listen on '127.0.0.1:$port': Address already in use" "an address that is taken"
    [ ! -e "$work/new.sock" ] || fail "the socket of a reload that failed is there"
    write_config 1 "access-log $work/nowhere/access.log"
    fails_with "cannot open log '$work/nowhere/access.log'" "a log that cannot be opened"
    write_config 1
    sed -i "1i spool s { path /proc/no/spool }" "$work/holdfast.cfg"
    fails_with "cannot use spool 's' at '/proc/no/spool'" "a spool that cannot be made"

    # By signal: nobody is told, the log is.
    echo "frontned www {" >"$work/holdfast.cfg"
    : >"$work/error.log"
    kill -HUP "${pid_of[holdfast]}"
    wait_until 5 grep -qF "old configuration stays in force" "$work/error.log"
    grep -qF "frontned" "$work/error.log" || fail "the log does not say what is wrong"
    expect 0 "$(request http://holdfast/)" "who serves"

    write_config 2
    signal reload
    expect 0 "$status" "exit status of a good reload ($(cat "$work/said"))"
    expect 2 "$(request http://holdfast/)" "who serves after a good reload"
    expect "$before" "$(workers | sort)" "the workers"

    # What else there is to be told; whoever does not run cannot be.
    mv "$work/error.log" "$work/old.log"
    signal reopen
    expect 0 "$status" "exit status of -s reopen"
    wait_until 5 test -e "$work/error.log"
    write_config 3
    signal reload
    wait_until 5 grep -qF "configuration is in force" "$work/error.log"
    signal stop
    expect 0 "$status" "exit status of -s stop"
    wait "${pid_of[holdfast]}" || fail "holdfast has ended with status $?"
    unset "pid_of[holdfast]"
    for word in reload stop quit reopen; do
        signal $word
        expect 1 "$status" "exit status of -s $word where nobody runs"
        grep -q "nothing runs with the pid file $work/pid: there is no such file" "$work/said" || fail "not said: $(cat "$work/said")"
    done
    [ ! -e "$work/pid.control" ] || fail "the control socket is still there"
    rm -f "$work"/*.log
done

status=0
"$build/holdfast" -s relaod -f "$work/holdfast.cfg" 2>"$work/said" || status=$?
expect 2 "$status" "exit status of a word that is none"

# A number that was left behind, and is somebody's now: nobody holds the file.
n_workers=2
write_config 0
sleep 60 &
pid_of[stranger]=$!
echo "${pid_of[stranger]}" >"$work/pid"
signal stop
expect 1 "$status" "exit status of -s stop with a stale pid file"
lives stranger || fail "-s stop has killed a stranger"

# Whoever has the pid file keeps it.
start_holdfast "$work/holdfast.cfg"
wait_until 10 grep -qx "${pid_of[holdfast]}" "$work/pid"
sed "s/front.sock/second.sock/" "$work/holdfast.cfg" >"$work/second.cfg"
status=0
timeout 20 "$build/holdfast" -f "$work/second.cfg" 2>"$work/said" || status=$?
expect 1 "$status" "exit status of a second instance with the same pid file"
grep -q "process ${pid_of[holdfast]} has the pid file" "$work/said" || fail "not said: $(cat "$work/said")"
grep -qx "${pid_of[holdfast]}" "$work/pid" || fail "the second instance has changed the pid file"
stop holdfast

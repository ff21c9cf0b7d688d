#!/bin/bash
#
# A request that began before a reload writes its line to the log that it began with. USR1 opens that one anew too, and it is
# closed when the last such request has gone. With a master and in one process (workers 0).

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file 100000
start_origin app
app_port=$port
write_config() { # write_config LOG
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers $n_workers }
frontend www {
    bind unix@$work/front.sock
    access-log $work/$1.log format "\${path}"
    request-buffering hold memory 1M
    hold 1m
    route all { use-backend app }
}
backend app { server a 127.0.0.1:$app_port }
CONFIG
}
n_open() { find "/proc/${pid_of[holdfast]}/fd" -lname "$work/$1.log*" | wc -l; }
is_open() { [ "$(n_open "$1")" = "$2" ]; }
has_line() { grep -qsx "$1" "$2"; }

for n_workers in 2 0; do
    kill_hard app
    rm -f "$work"/*.log*
    write_config old
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    start_upload held "$file" /upload/held
    wait_until 20 is_sent held
    write_config new
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload with $n_workers workers"
    mv "$work/old.log" "$work/old.log.1"
    mv "$work/new.log" "$work/new.log.1"
    kill -USR1 "${pid_of[holdfast]}"
    wait_until 10 test -e "$work/old.log"
    wait_until 10 test -e "$work/new.log"

    start_origin app --listen "127.0.0.1:$app_port"
    finish_upload held
    expect 200 "$code" "the upload"
    wait_until 10 has_line /upload/held "$work/old.log"
    [ ! -s "$work/old.log.1" ] || fail "the file that was moved away has a line, with $n_workers workers"
    request -o /dev/null http://holdfast/count
    wait_until 10 has_line /count "$work/new.log"
    wait_until 10 is_open old 0
    expect 1 "$(n_open new)" "descriptors of the new log, with $n_workers workers"
    stop holdfast
done

#!/bin/bash
#
# Out of descriptors: accepting pauses before those who have been let in would lack what they come to need (a
# spool file, a connection to a server), nothing spins, and when descriptors are free again, it resumes. So for a
# master: it spun where somebody asked for a reload, and said ten times a second that it could fork no worker.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

start_origin app

cat >"$work/holdfast.cfg" <<CONFIG
global { workers 1; pid-file $work/pid } # whose descriptors are counted
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    route here when path == /here { respond 200 "here" }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start holdfast bash -c "ulimit -n 40; exec '$build/holdfast' -f '$work/holdfast.cfg'"
wait_until 10 front_is_there

# Ticks (1/100 s) of CPU time that a process has used.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

n_descriptors() { find "/proc/$(workers)/fd" -type l | wc -l; }
at_start=$(n_descriptors)
some_are_in() { [ "$(n_descriptors)" -ge $((at_start + 4)) ]; }

# Sixty clients that begin an upload and send nothing of it.
mkfifo "$work/never"
exec {never}<>"$work/never"
for i in {1..60}; do
    curl --silent --max-time 60 --unix-socket "$work/front.sock" --upload-file - \
        --output /dev/null http://holdfast/upload/a <&"$never" 2>/dev/null &
    pid_of[client$i]=$!
done
wait_until 10 some_are_in
status=0
request --max-time 1 -o /dev/null http://holdfast/here || status=$?
expect 28 "$status" "curl's status (28: timed out) while accepting pauses"

before=$(ticks "$(workers)")
sleep 1
used=$(($(ticks "$(workers)") - before))
if [ "$used" -gt 50 ]; then fail "holdfast has used $used % of a core while it could not accept"; fi

for i in {1..60}; do kill_hard "client$i"; done
expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/here)" "a request afterwards"

master=$(cat "$work/pid")
prlimit --pid "$master" --nofile=3:
start reload "$build/holdfast" -s reload -p "$work/pid"
kill -HUP "$master"
wait_until 10 grep -q "cannot load the configuration: Too many open files" "$work/holdfast.err"
kill -KILL "$(workers)"
wait_until 10 grep -q "cannot fork worker 0: Too many open files" "$work/holdfast.err"
before=$(ticks "$master")
sleep 1
used=$(($(ticks "$master") - before))
if [ "$used" -gt 30 ]; then fail "a master without descriptors has used $used % of a core"; fi
expect 1 "$(grep -c "cannot fork worker" "$work/holdfast.err")" "lines about a worker that cannot be forked"
lives reload || fail "-s reload has ended: $(cat "$work/reload.err")"
prlimit --pid "$master" --nofile=40:
wait "${pid_of[reload]}" || fail "a reload when descriptors are free: $(cat "$work/reload.err")"
unset "pid_of[reload]"
expect 200 "$(request -o /dev/null -w '%{http_code}' http://holdfast/here)" "a request to the new worker"

stop holdfast

#!/bin/bash
#
# Masters and workers that die: a worker's last words are in the log, those who wait in the queue of its socket are served, a
# successor takes its place; after five deaths in ten seconds there are no more successors until a reload; without a
# worker the master ends. Without their master the workers finish what they have, and end.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

start_origin app
app_port=$port
cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log; workers 2; shutdown-timeout 20s }
frontend www {
    bind unix@$work/front.sock
    route own when path == /own { respond 200 "own" }
    route all { use-backend app }
}
backend app { server a 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
logged() { grep -qE "$1" "$work/error.log"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# All workers stand still while clients come; then all of them are killed, one by their own fault.
mapfile -t old < <(workers)
kill -STOP "${old[@]}"
for i in 1 2 3 4 5 6; do start "queued$i" curl -sS --max-time 30 --unix-socket "$work/front.sock" http://holdfast/own; done
sleep 0.2 # they are in the queue, or come later: either will do
kill -KILL "${old[@]}"
for i in 1 2 3 4 5 6; do
    wait "${pid_of[queued$i]}" || fail "a client in the queue of a killed worker has no answer"
    unset "pid_of[queued$i]"
    expect own "$(cat "$work/queued$i.out")" "a client in the queue"
done
expect 2 "$(workers | grep -cvE "^(${old[0]}|${old[1]})$")" "successors"

# A request on its way is lost with its worker, and only that.
victim=$(workers | head -n 1)
kill -ABRT "$victim"
wait_until 10 is_gone "$victim"
wait_until 10 logged "worker [01] \(process $victim\) died of signal 6 \(Aborted\)"
logged "holdfast: panic: signal 6" || fail "the log has no word of the signal: $(cat "$work/error.log")"
logged "worker [01]: .*holdfast\(" || fail "the log has no backtrace: $(cat "$work/error.log")"
two_serve() { [ "$(workers | wc -l)" = 2 ] && [ "$(request http://holdfast/own)" = own ]; }
wait_until 10 two_serve

# More of them, until there are five in ten seconds.
two_or_given_up() { [ "$(workers | wc -l)" = 2 ] || logged "5 workers died in 10 s"; }
while ! logged "5 workers died in 10 s"; do
    victim=$(workers | head -n 1)
    kill -ABRT "$victim"
    wait_until 10 is_gone "$victim"
    wait_until 10 two_or_given_up
done
expect 1 "$(workers | wc -l)" "workers after five deaths"
expect own "$(request http://holdfast/own)" "a request to the one that is left"
"$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "a reload after five deaths"
wait_until 10 two_serve

# A reload whose workers die is sent once more, and succeeds.
expect 0 "$(kill -STOP $(workers); "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" & reload=$!
    sleep 0.3; kill -KILL $(workers | head -n 1); kill -CONT $(workers); wait $reload; echo $?)" "a reload during which a worker is killed"
wait_until 10 two_serve

# The master is killed: a request under way is finished, then there is nobody left.
mapfile -t orphans < <(workers)
start slow curl -sS --max-time 30 --unix-socket "$work/front.sock" http://holdfast/delay/1500
asked() { [ "$(curl -sS --max-time 10 "http://127.0.0.1:$app_port/count" | sed -n 's/^requests //p')" -ge 1 ]; }
wait_until 10 asked
kill_hard holdfast
wait "${pid_of[slow]}" || fail "a request under way has no answer without the master"
unset "pid_of[slow]"
for pid in "${orphans[@]}"; do wait_until 20 is_gone "$pid"; done

# No worker is left: the master ends, with a status that says so.
sed -i 's/workers 2/workers 1/' "$work/holdfast.cfg"
rm -f "$work/pid" # of the master that was killed
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"
for _ in 1 2 3 4 5; do
    victim=$(workers)
    kill -ABRT "$victim"
    wait_until 10 is_gone "$victim"
    replaced_or_ended() { ! lives holdfast || pgrep -P "${pid_of[holdfast]}" -x holdfast >/dev/null; }
    wait_until 10 replaced_or_ended
done
status=0
wait "${pid_of[holdfast]}" || status=$?
unset "pid_of[holdfast]"
expect 1 "$status" "the master's status without workers"
logged "no worker is left" || fail "the log does not say why the master has ended"
[ ! -e "$work/front.sock" ] || fail "the master leaves its socket"

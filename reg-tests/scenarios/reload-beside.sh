#!/bin/bash
#
# Workers compile beside their connections: one that is held up in compiling serves on. Where the others abort the reload
# meanwhile, what it compiles is nobody's: the next reload does not wait for it, and is not mistaken for it. An
# end does not wait for it either.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"
# shellcheck source=reg-tests/tools/faults.sh
source "$(dirname "$0")/../tools/faults.sh"

begin_reload() { # begin_reload VERSION: in the background
    write_version "$1"
    : >"$work/reload.out"
    start reload "$build/holdfast" -s reload -f "$work/holdfast.cfg"
}
end_reload() { # end_reload: sets $status
    status=0
    wait "${pid_of[reload]}" || status=$?
    unset "pid_of[reload]"
}
is_compiling() { [ "$(wc -l <"$HOLDFAST_FAULTS/hold-compiling.$1")" = "$2" ]; }

start_faulty
keep_conns

for row in 0 1; do
    fault hold-compiling.$row
    begin_reload $((row + 1))
    wait_until 10 is_compiling $row 1
    serve $row "while worker $row compiles"
    lives reload || fail "the reload has not waited for worker $row"
    no_faults
    end_reload
    expect 0 "$status" "status of a reload that worker $row holds up"
    serve $((row + 1)) "after it"
done

# Two threads at a time: of a reload that was aborted, and of the next.
fault hold-compiling.0
fault refuse.1
reload 200
expect 1 "$status" "status of the reload that is aborted"
wait_until 10 is_compiling 0 1
rm "$HOLDFAST_FAULTS/refuse.1"
begin_reload 3
wait_until 10 is_compiling 0 2
serve 2 "while worker 0 compiles twice"
no_faults
end_reload
expect 0 "$status" "status of the reload after it: $(cat "$work/reload.out" "$work/reload.err")"
serve 3 "after it"

# Who takes longer than the master waits for an answer (2 s here) says so, and is waited for.
fault impatient
fault hold-compiling.0
begin_reload 4
wait_until 10 is_compiling 0 1
sleep 3
lives reload || fail "the reload has ended while worker 0 compiles"
no_faults
end_reload
expect 0 "$status" "status of a reload that takes long"
serve 4 "after a reload that takes long"
expect 0 "$(n_logged 'does not answer')" "workers that were taken for silent"

fault hold-compiling.1
begin_reload 5
wait_until 10 is_compiling 1 1
close_conns
stop holdfast

#!/bin/bash
#
# run.sh - runs every test of the project and closes with "N passed, N failed".
#
#     reg-tests/run.sh BUILD_DIR
#
# What a test is: a CUnit test, a golden file of the configuration language, a case of raw bytes (reg-tests/http1,
# in each mode), an input that fuzzing has found (reg-tests/fuzz/corpus), a scenario of varnishtest (once under each
# poller: epoll with a master and a worker, poll in one process), a script in reg-tests/scenarios (exit status 0:
# passed, 77: skipped), an example configuration that must be valid and in the canonical layout, the check of layers.
# Each is counted one by one; of each that fails the end of its log is shown.
#
# TEST_TIMEOUT: seconds that one scenario of varnishtest may take (30).

set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 BUILD_DIR" >&2
    exit 2
fi
cd "$(dirname "$0")/.."
build=$(realpath "$1")
export TMPDIR=/tmp # varnishtest puts sockets there, and the path of a socket is short
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1

work=$(mktemp -d)
results=$work/results # lines of: passed|failed|skipped, name, log; separated by tabs
jobs_running=()

clean_up() {
    local pid

    for pid in "${jobs_running[@]}"; do
        kill -- "-$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

record() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results"
}

# One line when a part is done: what came of it.
report_part() {
    local part=$1 since=$2 summary

    summary=$(awk -F '\t' -v part="$part" '
        index($2, part "/") == 1 || $2 == part { n[$1]++ }
        END {
            printf "%d passed, %d failed", n["passed"], n["failed"]
            if (n["skipped"]) printf ", %d skipped", n["skipped"]
        }' "$results")
    printf '%-14s %-40s %4d s\n' "$part" "$summary" $((SECONDS - since))
}

# A part that is one test.
run_one() {
    local name=$1 log=$work/${1//\//-}.log status=0
    shift

    timeout -k 5 180 "$@" >"$log" 2>&1 </dev/null || status=$?
    case $status in
        0) record passed "$name" "$log" ;;
        77) record skipped "$name" "$log" ;;
        124 | 137) echo "took longer than 180 s" >>"$log"; record failed "$name" "$log" ;;
        *) echo "exit status $status" >>"$log"; record failed "$name" "$log" ;;
    esac
}

# A part that runs many tests and says "N passed, N failed" in its last line.
run_counted() {
    local part=$1 log=$work/$1.log since=$SECONDS status=0 counts i
    shift

    timeout -k 5 300 "$@" >"$log" 2>&1 </dev/null || status=$?
    counts=$(tail -n 1 "$log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*$/\1 \2/p')
    if [ -z "$counts" ]; then
        echo "exit status $status, and no last line 'N passed, N failed'" >>"$log"
        counts="0 1"
    elif [ "$status" -ne 0 ] && [ "${counts#* }" = 0 ]; then
        echo "exit status $status" >>"$log"
        counts="${counts% *} 1"
    fi
    for ((i = 0; i < ${counts% *}; i++)); do record passed "$part/$i" "$log"; done
    for ((i = 0; i < ${counts#* }; i++)); do record failed "$part" "$log"; done
    report_part "$part" "$since"
}

# varnish POLLER WORKERS JOBS LOG SCENARIO...
varnish() {
    local poller=$1 workers=$2 jobs=$3 log=$4
    shift 4

    HOLDFAST_POLLER=$poller HOLDFAST_WORKERS=$workers HOLDFAST_BINARY=$build/holdfast \
        HAPROXY_PROGRAM=$PWD/reg-tests/vtc/holdfast-shim.sh \
        varnishtest -k -j "$jobs" -t "${TEST_TIMEOUT:-30}" -b 2m "$@" >"$log" 2>&1 </dev/null || true
}

# What came of each scenario in a log of varnishtest, as lines of results. Each test's output ends with its TEST line.
read_varnish() { # read_varnish PART LOG
    awk -v part="$1" -v base="$work/$1" '
        { text = text $0 "\n" }
        /^#+ +top +TEST / {
            n = split($4, path, "/")
            name = path[n]
            sub(/\.vtc$/, "", name)
            word = $5 == "passed" || $5 == "skipped" ? $5 : "failed"
            file = base "-" name ".log"
            printf "%s", text > file
            close(file)
            printf "%s\t%s/%s\t%s\n", word, part, name, file
            text = ""
        }' "$2"
}

# All scenarios under one poller, with so many workers (0: no master). One worker: connections to servers, and what is
# known of them, are a worker's own. What fails while four run beside each other gets a second try alone, and is
# named: a kernel that is slow to send decides what a fake server's reset overtakes.
run_vtc() {
    local part=vtc-$1 since=$SECONDS log=$work/vtc-$1.log scenarios name

    scenarios=(reg-tests/vtc/*.vtc)
    [ -e "${scenarios[0]}" ] || return 0
    varnish "$1" "$2" 4 "$log" "${scenarios[@]}"
    read_varnish "$part" "$log" >"$work/$part.first"
    if [ "$(wc -l <"$work/$part.first")" -lt ${#scenarios[@]} ]; then
        record failed "$part/varnishtest" "$log"
    fi
    for name in $(sed -nE "s|^failed\t$part/([^\t]*)\t.*|\1|p" "$work/$part.first" | head -n 3); do
        varnish "$1" "$2" 1 "$work/$part-again.log" "reg-tests/vtc/$name.vtc"
        read_varnish "$part" "$work/$part-again.log" >"$work/$part.again"
        if grep -q '^passed' "$work/$part.again"; then
            echo "$part/$name: passed at a second try, alone"
            sed -i "s|^failed\t$part/$name\t|passed\t$part/$name\t|" "$work/$part.first"
        fi
    done
    cat "$work/$part.first" >>"$results"
    report_part "$part" "$since"
}

# Two at a time: they wait more than they work.
run_scenarios() {
    local since=$SECONDS script n=0

    for script in reg-tests/scenarios/*.sh; do
        [ -e "$script" ] || return 0
        run_one "scenarios/$(basename "$script" .sh)" "$script" "$build" &
        n=$((n + 1))
        if [ $n -ge 2 ]; then wait -n; fi
    done
    wait
    report_part scenarios "$since"
}

run_examples() {
    local since=$SECONDS config

    for config in examples/*.cfg examples/*/*.cfg; do
        [ -e "$config" ] || return 0
        run_one "examples/$(basename "$config" .cfg)" "$build/holdfast" -c -f "$config"
        run_one "examples/layout-of-$(basename "$config" .cfg)" "$build/holdfast" fmt --check "$config"
    done
    report_part examples "$since"
}

run_layers() {
    local since=$SECONDS

    run_one layers reg-tests/layers.sh
    report_part layers "$since"
}

# Run the functions beside each other, each in a process group of its own, and wait for all.
beside() {
    local name

    jobs_running=()
    set -m
    for name in "$@"; do
        $name &
        jobs_running+=($!)
    done
    set +m
    wait "${jobs_running[@]}"
    jobs_running=()
}

unit() { run_counted unit "$build/unit"; }
config() { run_counted config reg-tests/config/run.sh "$build/holdfast"; }
fuzz() {
    local corpus

    for corpus in reg-tests/fuzz/corpus/*; do
        run_counted "fuzz-${corpus##*/}" "$build/replay/${corpus##*/}" "$corpus"
    done
}
http1() { run_counted http1 reg-tests/http1/run.sh "$build"; }
scenarios_of_varnishtest() {
    run_vtc epoll 1
    run_vtc poll 0
}

# The end of the log of each test that failed, without the bytes of bodies.
show_failures() {
    local word name log shown=""

    while IFS=$'\t' read -r word name log; do
        if [ "$word" != failed ] || [ "$log" = "$shown" ]; then
            continue
        fi
        shown=$log
        printf '\n--- FAILED: %s\n' "$name"
        grep -av '\\x[0-9a-f][0-9a-f]' "$log" | tail -n 60 | cut -c 1-160
    done <"$results"
}

show_total() {
    awk -F '\t' '
        { n[$1]++ }
        END {
            printf "%d passed, %d failed", n["passed"], n["failed"]
            if (n["skipped"]) printf ", %d skipped", n["skipped"]
            print ""
            exit n["failed"] > 0 || n["passed"] == 0
        }' "$results"
}

: >"$results"
beside unit config http1 fuzz run_examples run_layers
beside scenarios_of_varnishtest run_scenarios
show_failures
awk -F '\t' '$1 != "passed" { print $1 ": " $2 }' "$results"
show_total

#!/bin/bash
#
# run.sh BUILD_DIR - plays every case of this directory in every mode, and closes with "N passed, N failed".

set -uo pipefail
[ $# -eq 1 ] || { echo "usage: $0 BUILD_DIR" >&2; exit 2; }
build=$(realpath "$1") || exit 2
cd "$(dirname "$0")" || exit 2
passed=0
failed=0

# play FILE SETTING...: one mode of one file; its counts are added up.
play() {
    local said counts

    said=$("$build/reg-tests/tools/http1_cases" "$build/holdfast" "$@" 2>&1)
    counts=$(tail -n 1 <<<"$said" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
    if [ -z "$counts" ]; then
        counts="0 1"
        said+=$'\nhttp1_cases has ended before its time'
    fi
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    echo "$*: ${counts% *} passed, ${counts#* } failed"
    grep -avE '^[0-9]+ passed, ' <<<"$said"
}

# One process: the program that plays the cases notices its death.
export HOLDFAST_WORKERS=0
play requests.cases "request-buffering hold"
play requests.cases "request-buffering stream"
play responses.cases "response-buffering on" "request-buffering stream"
play responses.cases "response-buffering off" "request-buffering stream"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/bin/bash
#
# consoles.sh - fills in what the program prints where the manual shows it.
#
#     doc/generate/consoles.sh [--check] HOLDFAST
#
# Of doc/configuration.md, the block ```console has commands, `$ holdfast ...`, each followed by what it prints; the
# block ```text behind a ```holdfast-error or ```holdfast-warning has what -c says about that file. The files of the
# snippets before it lie in the directory where the commands run, which the manual calls /etc/holdfast; reg-tests/
# scenarios/manual-snippets.sh says how they are named. With --check nothing is written: the differences are
# printed, and the exit status is 1 if there are any.

set -euo pipefail

check=false
if [ "${1:-}" = --check ]; then
    check=true
    shift
fi
if [ $# -ne 1 ]; then
    echo "usage: $0 [--check] HOLDFAST" >&2
    exit 2
fi
holdfast=$(realpath "$1")
cd "$(dirname "$(realpath "$0")")/../.."
manual=$PWD/doc/configuration.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$(dirname "$holdfast"):$PATH
unset HOLDFAST_MANUAL_PORT TMPDIR

# What the snippets name.
mkdir -p "$work/etc/pages" "$work/etc/www"
echo '<p>offline</p>' >"$work/etc/pages/offline.html"
cd "$work/etc"

run() {
    bash -c "$1" 2>&1 </dev/null | sed "s|$work/etc|/etc/holdfast|g" || true
}

# Where we are in the manual. $inside: the kind of block, empty between blocks; $file: the snippet that is being
# written; $said: the one that a ```text would be about.
inside="" file="" said=""

open_block() {
    local word name=""

    read -r word name <<<"${1#\`\`\`}"
    case $word in
        holdfast*)
            inside=snippet file=${name:-example.cfg} said=""
            if [[ $word == *-error || $word == *-warning ]]; then said=$file; fi
            mkdir -p "$(dirname "$file")"
            : >"$file"
            ;;
        console) inside=console said="" ;;
        text)
            inside=other
            if [ -n "$said" ]; then
                inside=printed
                run "holdfast -c -q -f '$said'"
            fi
            said=""
            ;;
        *) inside=other said="" ;;
    esac
}

# A line of a console: a command is run, and what it printed once is left out.
console_line() {
    [[ $1 == '$ '* ]] || return 0
    [[ $1 == '$ holdfast '* ]] || echo "the manual's '$1' is no command of holdfast" >&2
    printf '%s\n' "$1"
    run "${1#$ }"
}

fill() {
    local line

    while IFS= read -r line; do
        if [[ $inside == printed && $line != '```' ]]; then continue; fi
        if [[ $inside == console && $line != '```' ]]; then
            console_line "$line"
            continue
        fi
        printf '%s\n' "$line"
        if [[ -n $inside && $line == '```' ]]; then
            inside=""
        elif [[ $inside == snippet ]]; then
            printf '%s\n' "$line" >>"$file"
        elif [[ -z $inside && $line == '```'* ]]; then
            open_block "$line"
        elif [[ -z $inside && -n $line ]]; then
            said=""
        fi
    done
}

fill <"$manual" >"$work/filled"
if cmp -s "$manual" "$work/filled"; then exit 0; fi
if $check; then
    diff -u --label doc/configuration.md --label 'doc/configuration.md, as printed' "$manual" "$work/filled"
    exit 1
fi
cat "$work/filled" >"$manual"
echo doc/configuration.md

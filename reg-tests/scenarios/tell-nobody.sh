#!/bin/bash
#
# `-s WORD` where there is nobody to tell says why: what is wrong with the file (it said that the file names no pid file),
# or which pid file it is that nobody holds.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

cd "$work"

expect_words() { # expect_words WHAT WANTED OPTION...: on standard error, whatever the word is; nothing on standard output
    local what=$1 wanted=$2 word status
    shift 2

    for word in reload stop quit reopen; do
        status=0
        "$build/holdfast" -s $word "$@" >out 2>said || status=$?
        expect 1 "$status" "$what: exit status of -s $word"
        expect "$wanted" "$(cat said)" "$what: what -s $word says"
        expect "" "$(cat out)" "$what: standard output of -s $word"
    done
}
ending="holdfast: so the pid file is not known: use -p FILE"

expect_words "no file" "error: cannot read 'none.cfg': No such file or directory
$ending" -f none.cfg

printf 'frontend www { bind *:8080 }\nbind *:1\nglobal { pid-file { } }\n' >wrong.cfg
"$build/holdfast" -c -f wrong.cfg 2>check && fail "wrong.cfg is right"
expect_words "a file with errors" "$(cat check)
$ending" -f wrong.cfg

echo 'frontend www { bind *:8080; route all { respond 200 } }' >nameless.cfg
expect_words "a file without pid-file" \
    "holdfast: nameless.cfg names no pid file: use \`pid-file\` there, or -p FILE" -f nameless.cfg

# Errors elsewhere do not matter; -p is asked first.
printf 'nonsense\nglobal { pid-file run/pid }\n' >elsewhere.cfg
expect_words "no pid file" "holdfast: nothing runs with the pid file $work/run/pid: there is no such file" -f elsewhere.cfg
mkdir run
echo 1 >run/pid
expect_words "a pid file that was left behind" "holdfast: nothing runs with the pid file $work/run/pid: nobody holds it" \
    -f elsewhere.cfg
expect_words "the pid file of -p" "holdfast: nothing runs with the pid file other: there is no such file" \
    -p other -f elsewhere.cfg
expect_words "no directory" "holdfast: cannot read the pid file nameless.cfg/pid: Not a directory" -p nameless.cfg/pid

#!/bin/sh
# Golden tests of the configuration: run.sh BINARY
#
#   good/x.cfg  is valid; its dump is x.dump, and the dump of that is the same text
#   bad/x.cfg   is refused; what is said about it is x.err, to the letter
#   dubious/x.cfg  is valid, but for --strict; the warnings are x.err
#   explain/x.cfg  lines of `#? METHOD URL …` ask `explain`, whose answers are x.out
#   fmt/x.cfg   in the canonical layout is x.out; or it is refused as x.err says
#
# All of good/ means the same in the canonical layout.
#
# Paths in the expected texts are relative to this directory, from which the tests run.
[ $# -eq 1 ] || { echo "usage: $0 BINARY" >&2; exit 2; }
binary=$(realpath "$1") || exit 2
cd "$(dirname "$0")" || exit 2
here=$(pwd -P)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
unset TMPDIR HOLDFAST_UNSET
export HOLDFAST_FD=7 HOLDFAST_PORT=8081 HOLDFAST_EMPTY='' HOLDFAST_WORDS='two words'
passed=0
failed=0

# check WHAT COMMAND...: count it, and say which failed.
check() {
    what=$1
    shift
    if "$@" >"$work/difference" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' "$work/difference"
    fi
}

is_valid() {
    said=$("$binary" -c -f "$1" 2>/dev/null) || return 1
    case $said in *'Configuration file is valid'*) return 0 ;; esac
    echo "exit status 0, but it said: $said"
    return 1
}

dump() {
    "$binary" dump -f "$1" 2>/dev/null | sed "s|$here/||g"
}

for file in good/*.cfg; do
    name=${file%.cfg}
    check "$name: is valid" is_valid "$file"
    dump "$file" >"$work/dump"
    check "$name: its dump" diff -u "$name.dump" "$work/dump"
    "$binary" dump -f "$file" >"$work/first.cfg" 2>/dev/null
    "$binary" dump -f "$work/first.cfg" >"$work/second.cfg" 2>/dev/null
    check "$name: the dump of its dump" diff -u "$work/first.cfg" "$work/second.cfg"
done

for file in bad/*.cfg; do
    name=${file%.cfg}
    "$binary" -c -f "$file" >/dev/null 2>"$work/said"
    status=$?
    sed "s|$here/||g" "$work/said" >"$work/err"
    check "$name: exit status 1, not $status" test "$status" -eq 1
    check "$name: what is said" diff -u "$name.err" "$work/err"
done

for file in dubious/*.cfg; do
    name=${file%.cfg}
    if [ "$name" = dubious/spools ] && [ "$(stat -f -c %T /dev/shm)" != tmpfs ]; then continue; fi
    check "$name: is valid" is_valid "$file"
    "$binary" -c --strict -f "$file" >/dev/null 2>"$work/said"
    status=$?
    sed "s|$here/||g; s/which is [0-9]*[KMGT]/which is SIZE/" "$work/said" >"$work/err"
    check "$name: exit status 1 with --strict, not $status" test "$status" -eq 1
    check "$name: what is said" diff -u "$name.err" "$work/err"
done

# explain FILE: ask all its questions.
explain() {
    sed -n 's/^#? //p' "$1" | while IFS= read -r question; do
        echo "=== $question"
        eval "\"$binary\" explain -f \"$1\" $question" 2>&1 || echo "exit status $?"
    done | sed "s|$here/||g"
}

for file in explain/*.cfg; do
    name=${file%.cfg}
    explain "$file" >"$work/out"
    check "$name: what explain says" diff -u "$name.out" "$work/out"
done

# is_stable FILE: nothing changes when it is laid out once more.
is_stable() {
    "$binary" fmt "$1" | diff -u "$1" -
}

for file in fmt/*.cfg; do
    name=${file%.cfg}
    "$binary" fmt "$file" >"$work/out.cfg" 2>"$work/err"
    status=$?
    if [ -e "$name.out" ]; then
        check "$name: exit status 0, not $status" test "$status" -eq 0
        check "$name: its layout" diff -u "$name.out" "$work/out.cfg"
        check "$name: the layout of its layout" is_stable "$work/out.cfg"
    else
        check "$name: exit status 1, not $status" test "$status" -eq 1
        check "$name: what is said" diff -u "$name.err" "$work/err"
        check "$name: nothing is printed" test ! -s "$work/out.cfg"
    fi
done

# Includes and relative paths lead to the same places in the copy.
mkdir "$work/copy"
cp -R ./* "$work/copy"
find "$work/copy/good" -name '*.cfg' -exec "$binary" fmt --write {} +
for file in good/*.cfg; do
    name=${file%.cfg}
    (cd "$work/copy" && "$binary" dump -f "$file" 2>/dev/null) | sed "s|$work/copy/||g" >"$work/dump"
    check "$name: the dump of its layout" diff -u "$name.dump" "$work/dump"
    check "$name: the layout of its layout" is_stable "$work/copy/$file"
done

# What is wrong with its words alone can be laid out, and then nothing is said of brackets and quotes.
for file in bad/*.cfg; do
    name=${file%.cfg}
    "$binary" fmt "$file" >"$work/out.cfg" 2>"$work/err"
    case $? in
        0) check "$name: the layout of its layout" is_stable "$work/out.cfg" ;;
        1) check "$name: nothing is printed, and something said" test ! -s "$work/out.cfg" -a -s "$work/err" ;;
        *) check "$name: exit status of fmt" false ;;
    esac
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

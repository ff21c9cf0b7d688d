#!/bin/bash
#
# Files that no person writes, through the real program: `-c` and `fmt` say where they are wrong, and need neither
# much memory nor much time for it. Both are bounded by the kernel (ulimit), so that a walk without an end, or
# a square of the length of a file, ends the program and fails the test.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

cd "$work"

# The address sanitizer maps terabytes and is several times slower.
memory_kb=1800000
cpu_seconds=20
if [[ $build != */release ]]; then
    memory_kb=unlimited
    cpu_seconds=120
fi

# bounded STATUS COMMAND...: within the bounds; output in out and err.
bounded() {
    local wanted=$1 code=0
    shift

    (ulimit -v "$memory_kb" -t "$cpu_seconds" && exec "$@") >out 2>err </dev/null || code=$?
    expect "$wanted" "$code" "the exit status of $* ($(tail -n 1 err | cut -c 1-200))"
}

says() { grep -qF -- "$1" err || fail "'$1' is not among what was said: $(head -n 4 err | cut -c 1-300)"; }

# No more than fifty errors are printed, and the others counted.
says_little() {
    [ "$(grep -c ': error: ' err)" -le 50 ] || fail "more than 50 errors were printed"
    [ "$(wc -c <err)" -le 100000 ] || fail "$(wc -c <err) bytes of errors were printed"
}

check() { bounded 1 "$build/holdfast" -c -f "$1"; says "$2"; says_little; }
format() { bounded 1 "$build/holdfast" fmt "$1"; says "$2"; says_little; [ ! -s out ] || fail "fmt has printed a part of $1"; }
both() { check "$1" "$2"; format "$1" "$2"; }

# many BYTES TEXT: so much of it, line after line.
many() { yes "$2" | head -c "$1" || true; }

frontend='frontend f { bind 127.0.0.1:0; route a { respond 200 } }'
megabyte=$((1 << 20))

# Too large, of whatever it is made: nothing of it is read, or no more than its bound.
truncate -s 100M sparse.cfg
many $((100 * megabyte)) "# a comment of some length, to fill the file with something" >text.cfg
check sparse.cfg "cannot read 'sparse.cfg': the file is too large"
format sparse.cfg "cannot read 'sparse.cfg': the file is too large"
both text.cfg "cannot read 'text.cfg': the file is too large"
both /dev/zero "cannot read '/dev/zero': the file is too large"
echo "include text.cfg" >one.cfg
check one.cfg "one.cfg:1:9: error: cannot read 'text.cfg': the file is too large"
rm text.cfg

# As large as a file may be, or with as many words: where memory is bounded too.
large_files() {
    many $((9 * megabyte)) 'a' >words.cfg
    format words.cfg "words.cfg:2097153:1: error: a file has no more than 4194304 words and marks"
    many $((5 * megabyte)) '' >lines.cfg
    format lines.cfg "lines.cfg:4194305:1: error: a file has no more than 4194304 words and marks"
    many $((16 * megabyte - 100)) '# a comment of some length, to fill the file with something' >comments.cfg
    printf '\na {\n' >>comments.cfg
    check comments.cfg "comments.cfg:279620:3: error: this '{' has no '}'"
    many $((9 * megabyte)) '}' | tr -d '\n' >close.cfg
    check close.cfg "error: a file has no more than 4194304 words and marks"
    { printf 'frontend f { route a when ('; many $((3 * megabyte)) ''; echo; } >parenthesis.cfg
    check parenthesis.cfg "parenthesis.cfg:1:27: error: this '(' has no ')'"
    { printf 'a '; head -c $((15 * megabyte)) /dev/zero | tr '\0' x; printf '"\n'; } >long.cfg
    format long.cfg "long.cfg:1:15728643: error: expected a blank between two words"
    many $((12 * megabyte)) '# nothing, but much of it' >filler.cfg
    many $((19 * 100000)) 'include filler.cfg' >includes.cfg
    check includes.cfg "includes.cfg:6:9: error: cannot read 'filler.cfg': that is too much in all"
    expect 1 "$(grep -c ': error: ' err)" "the reports of files that do not fit any more"
    rm ./*.cfg
}
if [ "$memory_kb" != unlimited ]; then large_files; fi

# Bytes that no text holds.
printf 'a b\nc \0 d "\n' >nul.cfg
both nul.cfg "nul.cfg:2:3: error: a NUL byte: this is not a text file"
expect 1 "$(grep -c ': error: ' err)" "the errors of a file with a NUL"
printf '# \xc3\xbc\n\xc3\xbc\xffx \xc0\xaf\n' >utf8.cfg
both utf8.cfg 'utf8.cfg:2:2: error: this is not UTF-8'
says 'utf8.cfg:2:5: error: this is not UTF-8'
many $((1 * megabyte)) $'a\xff' >utf8.cfg
both utf8.cfg 'utf8.cfg:1:2: error: this is not UTF-8'
says 'more errors'

# Depth.
{ many 4000 'a {'; many 2000 '}'; } >braces.cfg
check braces.cfg "braces.cfg:33:3: error: blocks nest more than 32 deep"
format braces.cfg "braces.cfg:33:3: error: blocks nest more than 32 deep"
expect 1 "$(grep -c ': error: ' err)" "the errors of blocks that are too deep"
{
    printf 'frontend f { bind 127.0.0.1:0; route a when '
    many 2000 '(' | tr -d '\n'
    printf 'path == /'
    many 2000 ')' | tr -d '\n'
    echo ' { respond 200 } }'
} >parentheses.cfg
both parentheses.cfg 'parentheses.cfg:1:77: error: parentheses nest more than 32 deep'
expect 1 "$(grep -c ': error: ' err)" "the errors of parentheses that are too deep"

# Errors by the thousand: fifty of them, in order, and how many there are.
seq -f 'bogus-%.0f on' 10000 >errors.cfg
check errors.cfg "errors.cfg:50:1: error: unknown directive 'bogus-50'"
expect 'and 9950 more errors' "$(tail -n 1 err)" "the last line about 10,000 errors"
seq -f 'log "%.0f' 10000 >errors.cfg
format errors.cfg 'errors.cfg:50:5: error: the string that starts here does not end on its line'
expect 'and 9950 more errors' "$(tail -n 1 err)" "the last line about 10,000 open strings"

# What can be included, and cannot be read. Each is an error where it is named.
mkdir directory
mkfifo fifo
echo "$frontend" >locked.cfg
chmod 000 locked.cfg
printf 'include %s\n' missing.cfg directory fifo locked.cfg /dev/zero 'none/*.cfg' >all.cfg
runner=()
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 755 .
    runner=(setpriv --reuid nobody --clear-groups)
fi
bounded 1 "${runner[@]}" "$build/holdfast" -c -f all.cfg
says "all.cfg:1:9: error: cannot read 'missing.cfg': No such file or directory"
says "all.cfg:2:9: error: cannot read 'directory': Is a directory"
says "all.cfg:3:9: error: cannot read 'fifo': nobody writes to this pipe"
if [ "$(id -u)" -ne 0 ] || [ ${#runner[@]} -gt 0 ]; then
    says "all.cfg:4:9: error: cannot read 'locked.cfg': Permission denied"
fi
says "all.cfg:5:9: error: cannot read '/dev/zero': the file is too large"
both fifo "cannot read 'fifo': nobody writes to this pipe"

# A pipe that somebody writes to is a file like others, however slow he is.
(sleep 0.3; echo "$frontend") >fifo &
bounded 0 "$build/holdfast" -c -f fifo
wait $!

# Files that include themselves: by their name, by a link, by another name of the same file, by way of others, and
# so often that a walk over all ways would not end.
printf 'include loop.cfg\ninclude soft.cfg\ninclude hard.cfg\ninclude ./directory/../loop.cfg\n' >loop.cfg
ln -s loop.cfg soft.cfg
ln loop.cfg hard.cfg
check loop.cfg "loop.cfg:1:9: error: 'loop.cfg' would include itself"
says "loop.cfg:2:9: error: 'soft.cfg' would include itself"
says "loop.cfg:3:9: error: 'hard.cfg' would include itself"
says "loop.cfg:4:9: error: './directory/../loop.cfg' would include itself"
echo 'include turn-b.cfg' >turn-a.cfg
echo 'include turn-?.cfg' >turn-b.cfg
check turn-a.cfg "turn-b.cfg:1:9: error: 'turn-a.cfg' would include itself"
for i in $(seq 0 40); do
    printf 'include tree-%d.cfg\ninclude tree-%d.cfg\n' $((i + 1)) $((i + 1)) >"tree-$i.cfg"
done
check tree-0.cfg "tree-16.cfg:1:9: error: files include each other more than 16 deep"

# fmt looks at no other file.
bounded 0 "$build/holdfast" fmt loop.cfg

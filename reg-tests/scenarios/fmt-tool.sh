#!/bin/bash
#
# What `holdfast fmt` does with files: prints, checks, compares, writes; a file with faults is left alone and
# keeps nobody from the others. What the layout is, is tested in reg-tests/config/fmt.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

cd "$work"

# fmt STATUS ARG...: run it; output in out and err.
fmt() {
    local wanted=$1 code=0
    shift

    "$build/holdfast" fmt "$@" >out 2>err || code=$?
    expect "$wanted" "$code" "the exit status of fmt $*"
}

is_same() { cmp "$1" "$2" || fail "$3"; }
is_silent() { if [ -s out ] || [ -s err ]; then fail "fmt had something to say: $(cat out err)"; fi; }

printf 'global {\n    workers 0\n}\n' >good.cfg
printf 'global{\r\nworkers   0;poller poll\r\n\r\n}' >ill.cfg
printf 'global {\n    workers 0\n    poller poll\n}\n' >wanted.cfg
printf 'global {\n    log "stderr\n}\n}\n' >bad.cfg
cp ill.cfg ill.kept
cp bad.cfg bad.kept

# Printed, one after the other; standard input among them.
fmt 0 good.cfg ill.cfg
cat good.cfg wanted.cfg >both
is_same both out "fmt does not print the files one after the other"
fmt 0 - <ill.cfg
is_same wanted.cfg out "fmt - does not print what it reads"
fmt 0 good.cfg - wanted.cfg </dev/null

# Asked for.
fmt 0 --check good.cfg wanted.cfg
is_silent
fmt 1 --check good.cfg ill.cfg wanted.cfg - <good.cfg
expect 'ill.cfg:1: not formatted' "$(cat out)" "what --check says"
sed 's/   0;/ 0\n/; s/{/ {/; s/\r//' <ill.cfg >late.cfg
fmt 1 --check late.cfg
expect 'late.cfg:2: not formatted' "$(cat out)" "the line that --check names"

# All faults of all files; the others are looked at all the same.
fmt 1 --check bad.cfg ill.cfg missing.cfg . bad.cfg
expect 'ill.cfg:1: not formatted' "$(cat out)" "what --check says beside files that are wrong"
expect 2 "$(grep -c '^bad.cfg:2:9: error: the string that starts here' err)" "reports of the open string"
grep -qF "holdfast: cannot read 'missing.cfg': No such file or directory" err || fail "$(cat err)"
grep -qF "holdfast: cannot read '.': Is a directory" err || fail "$(cat err)"
fmt 1 bad.cfg good.cfg
is_same good.cfg out "a file with faults is not left out, or the next one is"
fmt 1 - <bad.cfg
grep -q '^-:2:9: error: ' err || fail "standard input is not called -: $(cat err)"

# Compared: what patch(1) makes of it is the layout.
fmt 0 --diff good.cfg
is_silent
fmt 0 --diff ill.cfg good.cfg
cp ill.cfg patched.cfg
if command -v patch >/dev/null; then
    patch -s --binary patched.cfg out || fail "patch(1) does not take the output of --diff"
    is_same wanted.cfg patched.cfg "--diff does not lead to the layout"
fi
expect "--- ill.cfg +++ ill.cfg @@ -1,4 +1,4 @@" "$(head -n 3 out | tr '\n' ' ' | sed 's/ $//')" "the head of --diff"
expect 1 "$(grep -c '^\\ No newline at end of file$' out)" "the remark about the last line"
fmt 1 --check --diff ill.cfg
grep -q '^--- ill.cfg$' out || fail "--check --diff does not print the difference"

# Far apart in a long file: each change by itself.
{ seq -f '# line %.0f' 1000; } >long.cfg
sed '10s/.*/   # indented/; 500d; 990s/$/\n\n/' long.cfg >long-ill.cfg
fmt 0 --diff long-ill.cfg
expect 2 "$(grep -c '^@@' out)" "the number of hunks"
expect 2 "$(grep -c '^[-+][^-+]' out)" "the lines that differ and are not empty"

# And what patch(1) makes of files that were laid out by dice.
if command -v patch >/dev/null; then
    for seed in $(seq 40); do
        "$build/reg-tests/tools/config_text" "$seed" >dice.cfg
        fmt 0 --diff dice.cfg
        cp out dice.patch
        fmt 0 dice.cfg
        patch -s --binary dice.cfg dice.patch || fail "patch(1) does not take the difference of seed $seed"
        is_same out dice.cfg "the difference of seed $seed does not lead to the layout"
    done
fi

# Written: the same owner and mode, through links, and nothing at all where nothing changes.
chmod 640 ill.cfg
mkdir links
ln -s ../ill.cfg links/link.cfg
if [ "$(id -u)" -eq 0 ]; then chown nobody ill.cfg; fi
owner=$(stat -c '%U %G %a' ill.cfg)
before=$(stat -c '%i %Y' good.cfg)
fmt 0 --write links/link.cfg good.cfg
is_silent
is_same wanted.cfg ill.cfg "--write has not written the layout"
[ -L links/link.cfg ] || fail "--write has replaced the link"
expect "$owner" "$(stat -c '%U %G %a' ill.cfg)" "owner and mode of what was written"
expect "$before" "$(stat -c '%i %Y' good.cfg)" "a file that had the layout already"
fmt 1 --write bad.cfg
is_same bad.kept bad.cfg "--write has changed a file with faults"
expect '' "$(find . -name '.holdfast-fmt-*')" "temporary files that are left"

# A directory that nobody may write to: the file stays.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    mkdir locked
    cp ill.kept locked/x.cfg
    chmod 755 . locked
    chmod 666 locked/x.cfg
    code=0
    setpriv --reuid nobody --clear-groups "$build/holdfast" fmt --write locked/x.cfg 2>err || code=$?
    expect 1 "$code" "the exit status where the file cannot be written"
    grep -qF "holdfast: cannot write 'locked/x.cfg': Permission denied" err || fail "$(cat err)"
    is_same ill.kept locked/x.cfg "a file that could not be written has changed"
fi

# The output goes nowhere: that is no success.
if [ -e /dev/full ]; then
    code=0
    "$build/holdfast" fmt good.cfg >/dev/full 2>err || code=$?
    expect 1 "$code" "the exit status where the output cannot be written"
fi

# The command line.
fmt 2
grep -q "'fmt' needs more arguments" err || fail "$(cat err)"
fmt 2 --write -
fmt 2 --write --check good.cfg
fmt 2 --write --diff good.cfg
fmt 2 --no-such-option good.cfg
fmt 0 --help

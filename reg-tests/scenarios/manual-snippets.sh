#!/bin/bash
#
# The manual says what is so. Of its snippets, in their order,
#
#     ```holdfast NAME            is a file of this name (example.cfg) that -c accepts without a word, and that
#                                 `fmt` lays out without changing what it means
#     ```holdfast-part NAME       is a file that a later one includes
#     ```holdfast-warning NAME    is accepted, but not by --strict
#     ```holdfast-error NAME      is refused
#
# All of them lie in one directory, so that later ones can include earlier ones; what the program prints about them is
# checked by docs-current.sh. The manual names every directive with its
# default, every word of `termination`, and nothing in its tables is unknown to the program.

# shellcheck disable=SC2016 # ${} and ` are the language's and the manual's
# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

manual=$root/doc/configuration.md
has() { grep -qF -- "$1" "$manual"; }

# What the snippets refer to.
mkdir -p "$work/pages" "$work/conf.d" "$work/public/site"
echo '<p>offline</p>' >"$work/pages/offline.html"
cd "$work"
id -u www-data >/dev/null 2>&1 || skip "no user www-data, whom the manual's examples become"
unset HOLDFAST_MANUAL_PORT TMPDIR

# N.KIND, its name in N.name; N counts from 1000 so that the shell sorts them.
awk '
    function start(kind, name) {
        printf "%s\n", name == "" ? "example.cfg" : name > (1000 + ++n) ".name"
        file = (1000 + n) "." kind
        printf "" > file
    }
    /^```/ && file != ""    { close(file); file = ""; next }
    /^```holdfast( |$)/     { start("good", $2); next }
    /^```holdfast-part /    { start("part", $2); next }
    /^```holdfast-warning/  { start("warning", $2); next }
    /^```holdfast-error/    { start("bad", $2); next }
    /^```/                  { file = "/dev/null"; next }
    file != ""              { print > file }
    END                     { if (file != "") exit 1 }
' "$manual" || fail "a snippet does not end"

# What the program says of snippet N: its exit status must be WANTED.
check() {
    local code=0

    "$build/holdfast" -c -q "${@:3}" -f "$(cat "$1.name")" >checked.out 2>checked.err || code=$?
    # How large the disks of this machine are the manual cannot know.
    sed -i '/warning: the quota is above the size of the disk/,+2d' checked.err
    expect "$2" "$code" "the exit status for the snippet $(cat "$1.name"), of which is said: $(cat checked.err)"
}

n_good=0
for snippet in 1*.name; do
    snippet=${snippet%.name}
    name=$(cat "$snippet.name")
    mkdir -p "$(dirname "$name")"
    for kind in good part warning bad; do
        if [ -e "$snippet.$kind" ]; then cp "$snippet.$kind" "$name"; fi
    done
    if [ -e "$snippet.good" ]; then
        check "$snippet" 0
        if [ -s checked.err ]; then fail "the snippet $(cat "$snippet.good") has warnings: $(cat checked.err)"; fi
        n_good=$((n_good + 1))

        # Laid out, it means the same, and stays as it is.
        "$build/holdfast" dump -f "$name" >before.dump 2>/dev/null
        "$build/holdfast" fmt --write "$name" || fail "the snippet $name cannot be laid out"
        "$build/holdfast" fmt --check "$name" || fail "the layout of the snippet $name is not stable"
        "$build/holdfast" dump -f "$name" 2>/dev/null | diff before.dump - ||
            fail "the snippet $name means something else in the canonical layout"
    elif [ -e "$snippet.warning" ]; then
        check "$snippet" 1 --strict
        check "$snippet" 0
    elif [ -e "$snippet.bad" ]; then
        check "$snippet" 1
    fi
done
[ "$n_good" -ge 15 ] || fail "only $n_good snippets were found"

# Rows of a .def file, one a line, without the comments.
rows() {
    tr '\n' ' ' <"$1" | sed -E 's/\*\//&\n/g; s/ X\(/\nX(/g' | grep -E '^X\([A-Z]' | grep -v '^X(ID,' |
        sed -E 's/" +"//g'
}

# Directives: `NAME ...` or **`NAME ...`**; the default as `...` (timeouts: each of them).
rows "$root/grammar/settings.def" >settings
[ "$(wc -l <settings)" -ge 40 ] || fail "the rows of settings.def cannot be read"
while read -r row; do
    name=$(sed -E 's/^X\([A-Z_]+, "([a-z-]+)".*/\1/' <<<"$row")
    grep -qE "\`$name([ \`]|\\\$)" "$manual" || fail "the directive '$name' is not in the manual"
    # form, default, least, most, doc: the default is the last string but one.
    default=$(sed -nE 's/^.*"([^"]*)", +[0-9]+, +[0-9]+, +"[^"]*"\).*$/\1/p' <<<"$row")
    while read -r one; do
        if [ -z "$one" ]; then continue; fi
        has "\`$one\`" || fail "the default of '$name' is not in the manual: $one"
    done < <(tr ';' '\n' <<<"$default")
done <settings

# The words of a form: each timeout, each mode of buffering.
while read -r words; do
    for word in ${words//|/ }; do
        grep -qE "[\`|]${word}[\` |]" "$manual" || fail "the word '$word' of settings.def is not in the manual"
    done
done < <(grep -E '^X\((TIMEOUT|REQUEST_BUFFERING),' settings | grep -oE '"[a-z-]+[|][a-z|-]+' | tr -d '"')

# What a request's body is treated as, and why.
words=$(sed -nE 's/.*set_mode\(t, MODE_[A-Z]+, .*/&/p' "$root/src/proxy/txn_mode.c" | grep -oE '"[a-z-]+"' | sort -u | tr -d '"')
[ "$(wc -w <<<"$words")" -ge 6 ] || fail "the reasons of txn_mode.c cannot be read"
for word in $words; do
    grep -F '| `buffering-reason` |' "$manual" | grep -qw -- "$word" ||
        fail "the buffering-reason '$word' is not in the manual"
done

# Variables: a row `NAME` | type | phase.
rows "$root/grammar/variables.def" >variables
[ "$(wc -l <variables)" -ge 30 ] || fail "the rows of variables.def cannot be read"
while IFS=, read -r _ name type phase argument _; do
    name=${name//[ \"]/}
    if [ "${argument// /}" = true ]; then name=$name.NAME; fi
    type=${type# VAR_}
    phase=${phase# PHASE_}
    has "| \`$name\` | ${type,,} | ${phase,,} | " ||
        fail "the variable '$name' (${type,,}, ${phase,,}) is not in the manual's table"
done <variables

# Nothing is in the table that the program does not have.
while read -r name; do
    name=${name/%.NAME/.x}
    printf "frontend f { bind *:1; access-log stdout format \"\${%s}\"; route a when uri ~ '(?<x>a)' { respond 200 } }\n" "$name" \
        >example.cfg
    "$build/holdfast" -c -q -f example.cfg 2>/dev/null || fail "there is no variable '$name'"
done < <(sed -nE 's/^\| `([a-zA-Z0-9.-]+)` \| [a-z]+ \| (request|response|end) \|.*/\1/p' "$manual")

while read -r row; do
    status=$(sed -E 's/^X\([A-Z_]+, ([0-9]+), .*/\1/' <<<"$row")
    word=$(sed -E 's/^X\([A-Z_]+, [0-9]+, "([a-z-]+)".*/\1/' <<<"$row")
    line=$(grep -E "^\| [^|]+ \| \`$word\` \|" "$manual") || fail "'$word' of reason.def is not in the manual"
    if [ "$word" = server-status ]; then continue; fi # the server's own
    if [ "$status" -ne 0 ] && [[ $line != "| $status |"* ]]; then
        fail "the manual gives '$word' another status than reason.def: $line"
    fi
done < <(rows "$root/include/proxy/reason.def")

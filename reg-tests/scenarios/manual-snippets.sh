#!/bin/bash
#
# The manual says what is so: each ```holdfast snippet of doc/configuration.md is a file that -c accepts
# without a word, each ```holdfast-error snippet is refused, and where a ```text block follows it, with just
# these diagnostics. The manual names every directive with its default, every variable with its phase, every
# word of `termination`, and the access-log formats as the program has them.

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

# N.good, N.bad, and N.said for the ```text block that comes next after N.bad.
awk '
    /^```/ && file != ""   { close(file); file = ""; next }
    /^```holdfast$/        { file = ++n ".good"; after_bad = 0; printf "" > file; next }
    /^```holdfast-error$/  { file = ++n ".bad"; after_bad = 1; printf "" > file; next }
    /^```text$/ && after_bad { file = n ".said"; after_bad = 0; printf "" > file; next }
    /^```/                 { file = "/dev/null"; next }
    file != ""             { print > file }
    file == "" && NF > 0   { after_bad = 0 }
    END                    { if (file != "") exit 1 }
' "$manual" || fail "a snippet does not end"

n_good=0
for snippet in *.good; do
    cp "$snippet" example.cfg
    "$build/holdfast" -c -q -f example.cfg >checked.out 2>checked.err ||
        fail "snippet ${snippet%.good} is refused: $(cat checked.err)"
    if [ -s checked.err ]; then fail "snippet ${snippet%.good} has warnings: $(cat checked.err)"; fi
    n_good=$((n_good + 1))
done
[ "$n_good" -ge 15 ] || fail "only $n_good snippets were found"

n_said=0
for snippet in *.bad; do
    cp "$snippet" example.cfg
    code=0
    "$build/holdfast" -c -q -f example.cfg >checked.out 2>checked.err || code=$?
    expect 1 "$code" "the exit status for snippet ${snippet%.bad}, which is wrong"
    [ -e "${snippet%.bad}.said" ] || continue
    diff "${snippet%.bad}.said" checked.err ||
        fail "what is said about snippet ${snippet%.bad} differs from the manual"
    n_said=$((n_said + 1))
done
[ "$n_said" -ge 3 ] || fail "only $n_said diagnostics were found"

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
    grep -F '| `buffering-reason` |' "$manual" | grep -qF "\`$word\`" ||
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
    printf 'frontend f { bind *:1; access-log stdout format "${%s}"; route a { respond 200 } }\n' "$name" \
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

for format in default common combined; do
    printf 'frontend f { bind *:1; access-log stdout format %s; route a { respond 200 } }\n' "$format" >example.cfg
    text=$("$build/holdfast" dump -f example.cfg 2>/dev/null | sed -nE 's/^ *access-log stdout format //p' | head -n 1)
    if [ -z "$text" ] || ! has "    $text"; then fail "the format '$format' in the manual is not the program's: $text"; fi
done

#!/bin/bash
#
# The manual pages are clean for mandoc; holdfast(8) names every command and option, and holdfast.cfg(5) has
# an example that the program accepts.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v mandoc >/dev/null || skip "no mandoc"
cd "$work"
pages=("$root"/doc/*.[58])
[ ${#pages[@]} -ge 2 ] || fail "there are no manual pages"
mandoc -T lint -W warning "${pages[@]}" >said || fail "mandoc: $(cat said)"

if command -v jq >/dev/null; then
    "$build/holdfast" keywords >keywords.json
    while read -r option; do
        grep -qE -- "^\.It .*Fl ${option#-}( |\$)" "$root/doc/holdfast.8" || fail "holdfast(8) does not describe '$option'"
    done < <(jq -r '.commands[].options[] | if .word != null then "--\(.word)" else "-\(.letter)" end' keywords.json | sort -u)
    while read -r command; do
        grep -qE "^\.It Cm $command( |$)" "$root/doc/holdfast.8" || fail "holdfast(8) does not describe '$command'"
    done < <(jq -r '.commands[].name | select(. != "")' keywords.json)
fi

awk '/^\.Bd -literal/ && ++n == 1 { inside = 1; next } /^\.Ed/ { inside = 0 } inside' "$root/doc/holdfast.cfg.5" >example.cfg
[ -s example.cfg ] || fail "holdfast.cfg(5) has no example"
"$build/holdfast" -c -q --strict -f example.cfg || fail "the example of holdfast.cfg(5) is refused"

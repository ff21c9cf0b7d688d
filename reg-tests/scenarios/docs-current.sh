#!/bin/bash
# The documents and the editors' files say what the tables of the program say, and the manual shows what it prints:
# `make docs` would change nothing.
# Links within the manual lead somewhere.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v jq >/dev/null || skip "no jq"
"$root/doc/generate/generate.sh" --check "$build/holdfast" || fail "run 'make docs'"
"$root/doc/generate/consoles.sh" --check "$build/holdfast" || fail "run 'make docs'"

# As GitHub makes anchors of headings: lower case, no marks, hyphens for blanks.
manual=$root/doc/configuration.md
sed -nE 's/^#{2,} +//p' "$manual" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g' >"$work/anchors"
if [ -n "$(sort "$work/anchors" | uniq -d)" ]; then fail "two headings: $(sort "$work/anchors" | uniq -d)"; fi
while read -r anchor; do
    grep -qxF -- "$anchor" "$work/anchors" || fail "a link of the manual leads nowhere: #$anchor"
done < <(grep -oE '\]\(#[^)]*\)' "$manual" | sed -E 's/^\]\(#(.*)\)$/\1/' | sort -u)

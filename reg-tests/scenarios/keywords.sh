#!/bin/bash
#
# `holdfast keywords` is one JSON object with the members that doc/keywords.md names, each row of the tables
# once and in order, and whatever a row refers to is there. Two runs print the same bytes.

# shellcheck disable=SC2016 # $ is jq's
# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v jq >/dev/null || skip "no jq"
cd "$work"
"$build/holdfast" keywords >keywords.json
"$build/holdfast" keywords | cmp - keywords.json || fail "a second run prints something else"

is() {
    jq -e "$1" keywords.json >jq.out || fail "$2"
}

# Names of the rows of a .def file, in order.
names() {
    sed -nE 's/^X\([A-Z0-9_]+, "([^"]+)".*/\1/p' "$root/grammar/$1.def"
}

expect "$(cat "$root/VERSION")" "$(jq -r .version keywords.json)" "the version"
is '.program == "holdfast" and .schema == 1' "the object does not say what it is"
expect "$(names settings)" "$(jq -r '.directives[].name' keywords.json)" "the directives"
expect "$(names operators)" "$(jq -r '.operators[].name' keywords.json)" "the operators"
expect "$(names variables)" "$(jq -r '.variables[].name' keywords.json)" "the variables"

# Every member is in the description, and nothing else is: at the top, and of each kind of row.
for kind in . '.commands[0]' '.places[0]' '.directives[0]' '.types[0]' '.variables[0]' '.operators[0]' '."log-formats"[0]'; do
    while read -r member; do
        grep -qF "\`$member\`" "$root/doc/keywords.md" || fail "doc/keywords.md says nothing of '$member' of $kind"
    done < <(jq -r "$kind | keys[]" keywords.json)
done

is '[.places[].name] as $places | all(.directives[]; .places != [] and .places - $places == [])' \
    "a directive stands in a place that is not there"
is '[.types[].name] as $types | all(.directives[]; .types - $types == [])' "a form has an unknown type"
is '[.directives[] | select(.opens != null) | .opens] as $opened | all(.places[1:][]; .name | IN($opened[]))' \
    "nothing opens a place"
is 'all(.directives[]; (.opens == null) == (.block == "none"))' "a block and its place do not agree"
is 'all(.directives[]; .doc != "") and all(.variables[]; .doc != "")' "a row has no doc"
is 'all(.directives[]; (.bounds == null) == (.types | index("COUNT") == null))' "bounds and COUNT do not agree"
is '.directives[] | select(.name == "retry") |
    .words == ["on"] and .types == ["COUNT", "FAILURE"] and .bounds == [1, 100] and
    .defaults == ["3 on reset empty-response"] and .places == ["defaults", "policy", "frontend", "route"]' \
    "the row of 'retry' is not as it should be: $(jq -c '.directives[] | select(.name == "retry")' keywords.json)"
is '.directives[] | select(.name == "timeout") | .defaults | index("client-idle 75s")' "the defaults of 'timeout' are not split"
is '.commands | map(.name) | index("") == 0 and index("keywords") != null' "the commands are not there"

# A default can be written in the language: the program takes each back.
jq -r '.directives[] | select(.places | index("defaults")) | .name as $n | .defaults[] | "\($n) \(.)"' keywords.json >lines
{ echo "defaults {"; sort -u lines; echo "}"; echo "frontend f { bind *:1; route a { use-backend b } }"; echo "backend b { server s 127.0.0.1:1 }"; } >defaults.cfg
"$build/holdfast" -c -q -f defaults.cfg >said 2>&1 || fail "the defaults do not compile: $(cat said)"

# Output that cannot be written is an error.
if [ -e /dev/full ]; then
    code=0
    "$build/holdfast" keywords >/dev/full 2>full.err || code=$?
    expect 1 "$code" "the exit status where the disk is full"
    grep -q 'No space left' full.err || fail "nothing is said about a full disk"
fi

#!/bin/bash
#
# The completion for bash: commands and options as the program has them, each option of each command accepted by
# it, names of files with blanks in them whole.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

cd "$work"
# shellcheck source=doc/editors/bash/holdfast
source "$root/doc/editors/bash/holdfast"
complete -p holdfast >registered.out || fail "the completion is not registered"
grep -q -- '-F _holdfast holdfast' registered.out || fail "another function is registered: $(cat registered.out)"

# completes WORD... WANTED: what is offered for the last WORD, sorted and joined by `|`.
completes() {
    local wanted=${*: -1}

    COMP_WORDS=(holdfast "${@:1:$#-1}")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _holdfast
    expect "$wanted" "$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd '|')" "what 'holdfast ${*:1:$#-1}' becomes"
}

mkdir conf
touch "a b.cfg" app.cfg
completes du dump
completes --st --strict
completes -f a 'a b.cfg|app.cfg'
completes -f c conf
completes dump -f app 'app.cfg'
completes dump -q -f a 'a b.cfg|app.cfg'
completes -c -f app.cfg --s --strict
completes keywords '' --help
completes explain -f app.cfg P 'PATCH|POST|PUT'
completes explain GET '' ''
completes explain --from 1 ''
completes explain --fro '--from|--frontend'
completes no-such-thing -x ''

# Each command and each of its options is one: the program does not call it unknown.
for command in '' $_holdfast_commands; do
    for option in $(_holdfast_options "$command"); do
        # `unused` is the value of an option that takes one, a word too many after the others.
        timeout 10 "$build/holdfast" ${command:+"$command"} "$option" unused --help >said 2>&1 || true
        if grep -qE "no such option|(invalid|unrecognized) option" said; then
            fail "'holdfast $command $option': $(cat said)"
        fi
    done
done

# The start of the help names no command that is not completed.
"$build/holdfast" --help >help
while read -r command; do
    [[ " $_holdfast_commands " == *" $command "* ]] || fail "the command '$command' of --help is not completed"
done < <(sed -nE 's/^ *(usage:)? *holdfast ([a-z]+).*/\2/p' help)

#!/bin/bash
#
# states.sh - prints doc/states.md from include/proxy/txn_state.def; with --check compares it instead.

set -euo pipefail
cd "$(dirname "$0")/.."

make_page() {
    echo "# The states of a transaction"
    echo
    echo "Made from \`include/proxy/txn_state.def\` by \`make doc/states.md\`; txn_enter() is the only writer."
    echo
    echo "| state | what it is | may go to |"
    echo "| --- | --- | --- |"
    # A row may span lines: join them, then take it apart.
    sed '1,/\*\//d' include/proxy/txn_state.def | tr '\n' ' ' | sed 's/X(/\n&/g' |
        sed -nE 's/^X\(([A-Z]+), "[a-z]+", ([^"]*), *"([^"]*)"\).*/\1\t\2\t\3/p' |
        while IFS=$'\t' read -r name next what || [ -n "$name" ]; do
            next=$(grep -oE 'BIT\([A-Z]+\)' <<<"$next" | sed -E 's/BIT\((.*)\)/\1/' | paste -sd ' ' || true)
            echo "| $name | $what | ${next:--} |"
        done
}

if [ "${1:-}" = --check ]; then
    diff <(make_page) doc/states.md
else
    make_page
fi

#!/bin/bash
#
# generate.sh - fills in the parts of the documents that come from the tables of the program.
#
#     doc/generate/generate.sh [--check] HOLDFAST
#
# A document marks such a part by a comment, in whatever way it writes comments:
#
#     <!-- generated: NAME -->        .\" generated: NAME        # generated: NAME
#     ...                             ...                        ...
#     <!-- end generated -->          .\" end generated          # end generated
#
# What stands between is replaced by the text that chunks.jq makes of `HOLDFAST keywords` under this name; the rest
# of the document is written by hand and stays. With --check nothing is written: the differences are printed, and
# the exit status is 1 if there are any. Needs jq.

set -euo pipefail

check=false
if [ "${1:-}" = --check ]; then
    check=true
    shift
fi
if [ $# -ne 1 ]; then
    echo "usage: $0 [--check] HOLDFAST" >&2
    exit 2
fi
holdfast=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
cd "$here/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

manual=doc/configuration.md
documents=("$manual" doc/holdfast.cfg.5 doc/editors/vim/syntax/holdfast.vim doc/editors/bash/holdfast)

# The directives that have a section in the manual.
documented=$(sed -nE 's/^<!-- generated: directive (.*) -->$/\1/p' "$manual" | jq -R . | jq -s .)
"$holdfast" keywords | jq -r --argjson documented "$documented" -f "$here/chunks.jq" >"$work/chunks"

# The document on standard output. Fails on a name that chunks.jq does not make, and on a part without end.
fill() {
    awk -v chunks="$work/chunks" -v document="$1" '
        BEGIN {
            while ((getline line < chunks) > 0)
                if (line ~ /^@@ /) {
                    name = substr(line, 4)
                    known[name] = 1
                } else
                    text[name] = text[name] line "\n"
        }
        /end generated/ { inside = 0 }
        !inside
        /[^ ] generated: / {
            name = $0
            sub(/^.* generated: /, "", name)
            sub(/ *-->$/, "", name)
            if (!(name in known)) {
                print document ":" NR ": nothing is generated under the name \"" name "\"" > "/dev/stderr"
                exit 1
            }
            printf "%s", text[name]
            inside = 1
        }
        END {
            if (inside) {
                print document ": the part \"" name "\" has no end" > "/dev/stderr"
                exit 1
            }
        }' "$1"
}

status=0
for document in "${documents[@]}"; do
    if [ ! -e "$document" ]; then continue; fi
    fill "$document" >"$work/filled"
    if cmp -s "$document" "$work/filled"; then continue; fi
    if $check; then
        diff -u --label "$document" --label "$document, as generated" "$document" "$work/filled" || status=1
    else
        cat "$work/filled" >"$document"
        echo "$document"
    fi
done

# A place that the manual has no table of.
while read -r name; do
    if ! grep -qF -- "<!-- generated: $name -->" "$manual"; then
        echo "$manual has no part '$name'" >&2
        status=1
    fi
done < <(sed -nE 's/^@@ (directives of .*|matrix.*|types|variables|log formats)$/\1/p' "$work/chunks")
exit $status

#!/bin/bash
#
# shape.sh - prints functions over 70 lines and files over 800, or "nothing".
#
#     reg-tests/shape.sh [ROOT]
#
# By our layout (.clang-format) a function opens with { and closes with } in the first column, and a
# struct or table does not. Its length is counted from the first line of its signature.

set -euo pipefail

cd "${1:-$(dirname "$0")/..}"
mapfile -t files < <(find src include grammar -type f 2>/dev/null | LC_ALL=C sort)
if [ ${#files[@]} -eq 0 ]; then
    echo nothing
    exit 0
fi

awk -v function_lines=70 -v file_lines=800 '
    function end_of_file() {
        if (file != "" && last > file_lines) {
            print file ": " last " lines"
            n_found++
        }
    }

    FNR == 1 {
        end_of_file()
        file = FILENAME
        start = 0
        opened = 0
    }

    { last = FNR }

    # A signature starts at the first line in column one after the end of what came before.
    !opened && /^[A-Za-z_]/ && !start { start = FNR; name = $0 }
    !opened && /(^$|;[ \t]*$|^}|^#|\*\/[ \t]*$)/ { start = 0 }

    /^\{[ \t]*$/ && start { opened = 1 }

    /^}[ \t]*$/ && opened {
        if (FNR - start + 1 > function_lines) {
            sub(/\(.*/, "", name)
            sub(/^.*[ *]/, "", name)
            print file ":" start ": " name ": " FNR - start + 1 " lines"
            n_found++
        }
        opened = 0
        start = 0
    }

    END {
        end_of_file()
        if (!n_found)
            print "nothing"
    }
' "${files[@]}"

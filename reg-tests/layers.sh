#!/bin/bash
#
# layers.sh - no layer includes one above it.
#
#     reg-tests/layers.sh [ROOT]
#
# Reads every #include "..." in src, include and grammar (doc/architecture.md, section 1). Fails with
# file:line on: an include of a higher layer; a header in no layer; a cycle of headers; an umbrella header,
# one that declares nothing and only includes others, since whoever includes it depends on them all.

set -euo pipefail

cd "${1:-$(dirname "$0")/..}"
mapfile -t files < <(find src include grammar -type f \
    \( -name '*.[chy]' -o -name '*.re' -o -name '*.def' \) 2>/dev/null | LC_ALL=C sort)
if [ ${#files[@]} -eq 0 ]; then
    echo "layers: no sources found" >&2
    exit 1
fi

awk '
    BEGIN {
        n = split("base io http conf proxy proc", order, " ")
        for (i = 1; i <= n; i++)
            rank[order[i]] = i
    }

    # The layer of a path as it stands in the tree or in an #include; "" if it has none.
    function layer_of(path,    part, n) {
        sub(/^(src|include)\//, "", path)
        n = split(path, part, "/")
        if (part[n] ~ /^(config|settings|variables|operators)/ && (n == 1 || part[1] == "grammar"))
            return "conf"
        if (part[n] ~ /^(http|fields)/ && (n == 1 || part[1] == "grammar"))
            return "http"
        if (part[1] == "grammar")
            return "proxy"
        return part[1] in rank ? part[1] : ""
    }

    function fault(text) {
        print text
        n_faults++
    }

    function end_of_file() {
        if (file ~ /\.h$/ && n_includes > 1 && !declares)
            fault(file ":1: an umbrella header: it only includes others")
    }

    FNR == 1 {
        end_of_file()
        file = FILENAME
        own = layer_of(file)
        declares = 0
        n_includes = 0
        in_comment = 0
        if (own == "")
            fault(file ":1: stands in no layer")
    }

    /^[ \t]*#[ \t]*include[ \t]*"/ {
        target = $0
        sub(/^[^"]*"/, "", target)
        sub(/".*/, "", target)
        n_includes++
        layer = layer_of(target)
        if (layer == "")
            fault(file ":" FNR ": \"" target "\" is in no layer")
        else if (own != "" && rank[layer] > rank[own])
            fault(file ":" FNR ": " own " includes \"" target "\" of " layer ", which lies above it")
        if (file ~ /^include\//) {
            edges[substr(file, 9)] = edges[substr(file, 9)] " " target
            line[substr(file, 9), target] = FNR
        }
        next
    }

    # Anything but comments, blank lines and other directives counts as a declaration.
    /^[ \t]*\/\*/ { in_comment = 1 }
    in_comment    { if (/\*\//) in_comment = 0; next }
    /^[ \t]*#[ \t]*define[ \t]+[A-Za-z_0-9]+[ \t(]/ { declares = 1 }
    !/^[ \t]*(#.*|\/\/.*)?$/ { declares = 1 }

    # Depth first; a header met again while it is being visited closes a cycle.
    function visit(header,    next_header, n, i) {
        state[header] = 1
        n = split(edges[header], next_header, " ")
        for (i = 1; i <= n; i++) {
            if (state[next_header[i]] == 1)
                fault("include/" header ":" line[header, next_header[i]] \
                    ": a cycle: \"" next_header[i] "\" leads back to this header")
            else if (state[next_header[i]] == 0)
                visit(next_header[i])
        }
        state[header] = 2
    }

    END {
        end_of_file()
        for (header in edges)
            if (state[header] == 0)
                visit(header)
        if (n_faults) {
            print n_faults " faults"
            exit 1
        }
        print "layers: " ARGC - 1 " files, nothing includes upward"
    }
' "${files[@]}"

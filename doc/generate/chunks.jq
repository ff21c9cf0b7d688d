# chunks.jq - from the JSON of `holdfast keywords` to the parts of documents that doc/generate/generate.sh fills in.
#
# Each part is a line `@@ NAME` and the text that follows it. $documented: the directives that have a section of
# their own in the manual, to which the tables link.

def code: "`\(.)`";

# A `|` in a table's cell would end the cell.
def cell: gsub("\\|"; "\\|");

def chunk(name; lines): "@@ \(name)", lines;

# Greedy lines of at most `most` characters, broken at blanks and behind a `|`; the second and later ones indented.
def wrapped(most; indent):
    reduce (gsub("\\|"; "|\u0000") | gsub(" "; " \u0000") | split("\u0000"))[] as $piece ([""];
        if (.[-1] + $piece | length) > most and .[-1] != "" then . + [indent + $piece] else .[-1] += $piece end)
    | map(sub(" +$"; ""));

def whole: if .form == "" then .name else "\(.name) \(.form)" end;

# Policies have one table, that of `defaults`, and not one for each place.
def is_policy: .places | index("defaults") != null;
def of_place($place): select((.places | index($place)) != null and (is_policy | not or $place == "defaults"));

def linked: .name as $name | if $documented | index($name) then "[\(.)](#\($name))" else . end;

def default_cell: if .defaults == [] then "" else .defaults | map(code) | join(", ") end;

def table_row:
    .name as $name
    | (if (whole | length) <= 64 then whole else "\(.name) …" end) as $text
    | ($text | code | cell) as $shown
    | (if $documented | index($name) then "[\($shown)](#\($name))" else $shown end) as $first
    | "| \($first) | \(if (.defaults | length) > 1 then "see there" else default_cell end) | \(.doc | cell) |";

def how_often:
    if .repeats == "by-name" and (.form | startswith("NAME")) then "once for each name"
    else {
        once: "once in a block",
        "by-name": "once for each first word",
        "by-status": "once for each status",
        many: "any number of times"
    }[.repeats] end;

def where:
    if .places == ["top"] then "At the top level" else "In " + (.places | map(code) | join(", ")) end;

# A form that ends in a choice has a line for each of its alternatives.
def alternatives:
    whole
    | if test("\\{.*\\}$") then capture("^(?<before>[^{]*)\\{(?<choice>.*)\\}$") | .before as $before
        | .choice | split(" / ")[] | $before + .
      else . end;

def opening: {none: "", optional: " [{ … }]", needed: " { … }"}[.block];

# The head of a directive's section: its form, and what else the table knows.
def section:
    opening as $opening
    | (alternatives + $opening | wrapped(88; "    ") | map("    " + .)[]),
    "",
    ("\(where); \(how_often)."
        + (if .bounds != null and .bounds[0] != .bounds[1] then " COUNT: \(.bounds[0]) to \(.bounds[1])." else "" end)
        + (if .defaults == [] then "" else " Default: \(default_cell)." end));

# HAProxy's matrix: who looks for a word finds where it may stand.
def matrix:
    [.places[].name] as $places
    | "| directive | " + ($places | map(if . == "top" then "file" else . end) | join(" | ")) + " |",
      "| --- |" + ($places | map(" :-: |") | join("")),
      (.directives | group_by(.name)[]
        | map(.places) as $in
        | (.[0].name) as $name
        | "| " + (if $documented | index($name) then "[\($name | code)](#\($name))" else $name | code end) + " | "
            + ($places | map(. as $place | if $in | flatten | index($place) then "x" else "" end) | join(" | ")) + " |");

def markdown:
    chunk("matrix of directives"; matrix),
    (.places[].name as $place
        | chunk("directives of \($place)";
            "| directive | default | meaning |", "| --- | --- | --- |", (.directives[] | of_place($place) | table_row))),
    (.directives | group_by(.name)[] | chunk("directive \(.[0].name)"; [.[] | [section]] | map(.[]) [])),
    chunk("types"; "| type | a value is |", "| --- | --- |", (.types[] | "| \(.name | code) | \(.expected | cell) |")),
    chunk("variables"; "| variable | type | phase | meaning |", "| --- | --- | --- | --- |",
        (.variables[] | "| `\(.name)\(if .argument then ".NAME" else "" end)` | \(.type) | \(.phase) | \(.doc | cell) |")),
    chunk("operators"; "| operator | on | meaning |", "| --- | --- | --- |",
        (.operators[] | "| \(.name | code | cell) | \(.types | join(", ")) | \(.doc | cell) |")),
    chunk("log formats"; (."log-formats"[] | "\(.name | code):", "", "    \(.template | tojson)", ""));

# mdoc takes a line that begins with a dot or a quote for a request, and a backslash for an escape.
def mdoc_text: gsub("\\\\"; "\\e") | gsub("`"; "") | gsub("…"; "...") | sub("^(?<mark>[.'])"; "\\&\(.mark)");
def mdoc_word: "\"" + (gsub("\\\\"; "\\e") | gsub("\""; "\\(dq")) + "\"";
def sentence: (.[0:1] | ascii_upcase) + .[1:] + ".";

def mdoc_item:
    ".It Ic \(.name)" + (if .form == "" then "" else " No \(.form | mdoc_word | gsub("\\|"; "|\\:"))" end),
    (.doc | sentence | mdoc_text),
    (if .defaults == [] then empty
        else (if .defaults | length == 1 then "Default:" else "Defaults:" end),
            (.defaults[:-1][] | ".Ql \(mdoc_word) ,"), ".Ql \(.defaults[-1] | mdoc_word) ."
        end);

def mdoc_list(items): ".Bl -tag -width Ds", items, ".El";
def mdoc_table(items): ".Bl -tag -width client-port -compact", items, ".El";

def mdoc:
    (.places[].name as $place
        | chunk("mdoc directives of \($place)"; mdoc_list(.directives[] | of_place($place) | mdoc_item))),
    chunk("mdoc types"; mdoc_table(.types[] | ".It Ar \(.name)", (.expected | mdoc_text))),
    chunk("mdoc variables"; mdoc_table(.variables[]
        | ".It Va \(.name)\(if .argument then ".NAME" else "" end) No \"(\(.type), \(.phase))\"", (.doc | mdoc_text))),
    chunk("mdoc operators"; mdoc_table(.operators[]
        | ".It Ic \(.name | mdoc_word) No \"(\(.types | join(", ")))\"", (.doc | mdoc_text))),
    chunk("mdoc log formats"; mdoc_list(."log-formats"[] | ".It Cm \(.name)", ".Ql \(.template | mdoc_word)"));

# A list of Vim's, and an alternation of its regular expressions.
def vim_keywords($group): unique | "syntax keyword \($group) contained",
    ([" \(.[])"] | add | .[1:] | wrapped(90; "") | map("      \\ " + .)[]);
def vim_any_of: unique | join("\\|");
# At the start of a statement, as a whole word.
def vim_statement($group; $next):
    if length == 0 then empty
    else "syntax match \($group) /\\%(^\\|[{};]\\)\\@1<=\\s*\\zs\\%(\(vim_any_of)\\)\\ze\\%([[:space:]{};]\\|$\\)/ nextgroup=\($next) skipwhite" end;
def takes_name: .form | startswith("NAME");
def is_section: (.places | index("top")) != null;

def vim:
    chunk("vim directives";
        ([.directives[] | select(is_section and takes_name) | .name] | vim_statement("holdfastSection"; "holdfastName")),
        ([.directives[] | select(is_section and (takes_name | not)) | .name]
            | vim_statement("holdfastSection"; "holdfastArguments")),
        ([.directives[] | select((is_section | not) and takes_name) | .name]
            | vim_statement("holdfastDirective"; "holdfastName")),
        ([.directives[] | select((is_section | not) and (takes_name | not)) | .name]
            | vim_statement("holdfastDirective"; "holdfastArguments"))),
    chunk("vim options";
        ([.directives[].words[] | select(. != "when" and (test("^[0-9]+$") | not))] | vim_keywords("holdfastOption"))),
    chunk("vim operators";
        "syntax match holdfastOperator /\\s\\@1<=\\%(\([.operators[].name | if . == "in" then "in\\%(\\s\\+file\\)\\?"
            else gsub("(?<mark>[~*.])"; "\\\(.mark)") end] | sort_by(-length) | join("\\|"))\\)\\ze[[:space:](]/ contained"),
    chunk("vim variables";
        ([.variables[] | select(.argument | not) | .name] | vim_keywords("holdfastVariable")),
        ([.variables[] | select(.argument) | .name | gsub("\\."; "\\.")]
            | "syntax match holdfastVariable /\\%(\(vim_any_of)\\)\\.[^[:space:]{}();,\"']\\+/ contained"));

def option_word: if .word != null then "--\(.word)" else "-\(.letter)" end;

def bash:
    chunk("bash commands";
        "_holdfast_commands='\([.commands[].name | select(. != "")] | join(" "))'",
        "_holdfast_take_operands=' \([.commands[] | select(.operands[1] != 0) | .name] | join(" ")) '",
        "_holdfast_valued=' \([.commands[].options[] | select(.argument) | option_word] | unique | join(" ")) '",
        "_holdfast_options() {",
        "    case $1 in",
        (.commands[] | "        '\(.name)') echo '\([.options[] | option_word] | unique | join(" "))' ;;"),
        "    esac",
        "}");

markdown, mdoc, vim, bash

#!/bin/bash
#
# The files for Vim: a configuration is known by its name, its words have the right highlighting, every directive and
# variable of `holdfast keywords` has one, a file that was flattened is indented as it was, and `:make` leads to an error.

# shellcheck disable=SC2016 # ${} is the language's
# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v vim >/dev/null || skip "no vim"
for feature in +eval +syntax; do
    vim --version | grep -q -- "$feature" || skip "this vim has not $feature"
done
cd "$work"

# vim FILE COMMAND...: what it says goes to vim.out, which must stay empty.
run_vim() {
    local file=$1 commands=()
    shift
    for command in "$@"; do commands+=(-c "$command"); done
    rm -f vim.out
    timeout 60 vim -N -u NONE -i NONE -n -es --cmd "set runtimepath^=$root/doc/editors/vim" \
        -c 'filetype plugin indent on' -c 'syntax on' -c "edit $file" "${commands[@]}" -c 'quitall!' \
        >vim.said 2>&1 </dev/null || fail "vim: $(cat vim.said)"
    if [ -s vim.said ]; then fail "vim says: $(cat vim.said)"; fi
}

cat >holdfast-sample.cfg <<'END'
# a comment with frontend www {
include conf.d/*.cfg
global { user www-data; log /var/log/holdfast.log level notice }    # another
frontend www {
    bind *:8080 { backlog 4096 }
    request-buffering auto memory 256K
    min-body-rate     2K/s grace 20s
    timeout           server-read never
    route hold when (path under /a#b and not method in (PUT,
        POST)) or host == "x\t${env.NAME}\q" {
        max-body      unlimited
        retry         5 on reset 503
        deny          10.0.0.0/8 when header.X-Test ~ '^a{1,3}$' 405
        respond       200 "${uri}\n"
        use-backend   server
    }
}
backend server { server timeout 127.0.0.1:3000 }
END

# LINE, text, group of its first character; "-": none
cat >wanted <<'END'
1	# a	holdfastComment
1	frontend	holdfastComment
2	include	holdfastSection
2	conf.d	-
3	global	holdfastSection
3	user	holdfastDirective
3	www-data	-
3	log	holdfastDirective
3	/var	-
3	level	holdfastOption
3	notice	holdfastOption
3	# another	holdfastComment
4	frontend	holdfastSection
4	www	holdfastName
5	bind	holdfastDirective
5	backlog	holdfastDirective
5	4096	holdfastNumber
6	auto	holdfastOption
6	memory	holdfastOption
6	256K	holdfastQuantity
7	2K	holdfastQuantity
7	20s	holdfastQuantity
8	timeout	holdfastDirective
8	server-read	holdfastOption
8	never	holdfastQuantity
9	route	holdfastDirective
9	hold	holdfastName
9	when	holdfastWhen
9	path	holdfastVariable
9	under	holdfastOperator
9	/a	-
9	#b	-
9	and	holdfastLogic
9	not	holdfastLogic
9	method	holdfastVariable
9	in (	holdfastOperator
9	PUT	-
10	POST	-
10	or	holdfastLogic
10	host	holdfastVariable
10	==	holdfastOperator
10	"x	holdfastString
10	\\t	holdfastEscape
10	${	holdfastFilled
10	\\q	holdfastBadEscape
11	max-body	holdfastDirective
11	unlimited	holdfastQuantity
12	5 on	holdfastNumber
12	on	holdfastOption
12	reset	-
12	503	holdfastNumber
13	deny	holdfastDirective
13	when	holdfastWhen
13	header	holdfastVariable
13	~	holdfastOperator
13	'^a	holdfastRaw
13	405	holdfastNumber
14	respond	holdfastDirective
14	${uri	holdfastFilled
15	use-backend	holdfastDirective
15	server	holdfastName
17	}	-
18	backend	holdfastSection
18	server {	holdfastName
18	server timeout	holdfastDirective
18	timeout	holdfastName
END
cat >check.vim <<'END'
function! Group(line, column)
  let l:name = synIDattr(synID(a:line, a:column, 1), 'name')
  return l:name =~ '^holdfast\%(Arguments\|Condition\|Parens\|Delimiter\)\?$' || l:name == '' ? '-' : l:name
endfunction
function! Check()
  let l:wrong = &filetype == 'holdfast' ? [] : ['the file type is ' . &filetype]
  for l:row in readfile('wanted')
    let [l:line, l:text, l:group] = split(l:row, "\t")
    let l:column = stridx(getline(l:line), substitute(l:text, '\\\\', '\\', 'g')) + 1
    if Group(l:line, l:column) != l:group
      call add(l:wrong, l:row . ': ' . Group(l:line, l:column))
    endif
  endfor
  call writefile(l:wrong, 'wrong')
endfunction
END
run_vim holdfast-sample.cfg 'source check.vim' 'call Check()'
if [ -s wrong ]; then fail "the highlighting is not as it should be: $(cat wrong)"; fi

# Every directive and every variable, each on a line of its own.
if command -v jq >/dev/null; then
    "$build/holdfast" keywords >keywords.json
    jq -r '.directives[].name' keywords.json >holdfast-all.cfg
    jq -r '.variables[] | "route x when \(.name)\(if .argument then ".x" else "" end) {"' keywords.json >>holdfast-all.cfg
    awk '{ print NR "\t" ($1 == "route" && NF > 2 ? "when" : $1) "\t" ($1 == "route" && NF > 2 ? "holdfastVariable" : "") }' \
        holdfast-all.cfg >all
    cat >all.vim <<'END'
source check.vim
function! CheckAll()
  let l:wrong = []
  for l:line in range(1, line('$'))
    let l:variable = matchend(getline(l:line), 'when ')
    let l:group = Group(l:line, l:variable < 0 ? 1 : l:variable + 1)
    if l:variable < 0 ? l:group !~ 'Section$\|Directive$' : l:group != 'holdfastVariable'
      call add(l:wrong, getline(l:line) . ': ' . l:group)
    endif
  endfor
  call writefile(l:wrong, 'wrong')
endfunction
END
    run_vim holdfast-all.cfg 'source all.vim' 'call CheckAll()'
    if [ -s wrong ]; then fail "no highlighting: $(cat wrong)"; fi
fi

# Indenting: from nothing to what it was, but for the continuation of the condition, which has a step of its own.
sed -E 's/^ +//' holdfast-sample.cfg >holdfast-flat.cfg
run_vim holdfast-flat.cfg 'normal! gg=G' 'write'
diff <(sed -E 's/^ +(POST)/\1/' holdfast-sample.cfg) <(sed -E 's/^ +(POST)/\1/' holdfast-flat.cfg) ||
    fail "the indentation is not as it should be"

# :make
printf 'frontend f {\n    bind *:1\n    tiemout connect 3s\n    route a { respond 200 }\n}\n' >holdfast-bad.cfg
PATH=$build:$PATH run_vim holdfast-bad.cfg 'set shellpipe=>%s\ 2>&1' 'silent make!' \
    'call writefile(map(getqflist(), {i, e -> e.lnum . ":" . e.col . ":" . e.type}), "quickfix")'
expect "3:5:e" "$(head -n 1 quickfix)" "the place that :make leads to"

" One step for each block or parenthesis that is open at the start of a line.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=HoldfastIndent() indentkeys=0},0),o,O,!^F
let b:undo_indent = "setlocal indentexpr< indentkeys<"

if exists("*HoldfastIndent")
  finish
endif

" The line without its comment and its strings: brackets in those mean nothing.
function s:Bare(line)
  let l:bare = substitute(getline(a:line), '"\%(\\.\|[^"\\]\)*"\|''[^'']*''\|\${[^}]*}', '', 'g')
  return substitute(l:bare, '\%(^\|[[:space:]{};(),]\)\@1<=#.*', '', '')
endfunction

function HoldfastIndent()
  let l:before = prevnonblank(v:lnum - 1)
  let l:indent = indent(l:before)
  if l:before == 0
    return 0
  endif
  if s:Bare(l:before) =~ '[{(]\s*$'
    let l:indent += shiftwidth()
  endif
  if getline(v:lnum) =~ '^\s*[})]'
    let l:indent -= shiftwidth()
  endif
  return l:indent < 0 ? 0 : l:indent
endfunction

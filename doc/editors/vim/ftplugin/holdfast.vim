" What a buffer with a configuration of Holdfast is set to. `:make` checks the file, and `:cnext` goes from one
" error to the next.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s comments=:# formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal iskeyword+=-
setlocal makeprg=holdfast\ -c\ -q\ -f\ %:S
setlocal errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%-G%.%#

let b:undo_ftplugin = "setlocal commentstring< comments< formatoptions< expandtab< shiftwidth< softtabstop< iskeyword<"
      \ . " makeprg< errorformat<"

" Vim syntax file: the configuration language of Holdfast.
"
" The lists between the marks are made from the program's own tables by `make docs`.

if exists("b:current_syntax")
  finish
endif

" A word of the language is all between blanks, brackets, `;`, `,` and quotes.
syntax iskeyword @,33,35-38,42-43,45-58,60-122,124,126,128-255

syntax match holdfastComment /\%(^\|[[:space:]{};(),]\)\@1<=#.*/ contains=@Spell

" What a statement begins with, and what follows it up to its end.

" generated: vim directives
syntax match holdfastSection /\%(^\|[{};]\)\@1<=\s*\zs\%(acl\|backend\|frontend\|let\|log-format\|policy\|spool\)\ze\%([[:space:]{};]\|$\)/ nextgroup=holdfastName skipwhite
syntax match holdfastSection /\%(^\|[{};]\)\@1<=\s*\zs\%(defaults\|global\|include\)\ze\%([[:space:]{};]\|$\)/ nextgroup=holdfastArguments skipwhite
syntax match holdfastDirective /\%(^\|[{};]\)\@1<=\s*\zs\%(route\|server\|use-backend\|use-policy\)\ze\%([[:space:]{};]\|$\)/ nextgroup=holdfastName skipwhite
syntax match holdfastDirective /\%(^\|[{};]\)\@1<=\s*\zs\%(accept-proxy\|access-log\|allow\|backlog\|balance\|bind\|content-type\|deny\|error-page\|fallback\|files\|forwarded-headers\|hold\|http-request\|http-response\|index\|intercept-errors\|internal\|keepalive\|levels\|lingering\|log\|max-body\|max-connections\|min-body-rate\|mode\|path\|pid-file\|poller\|quota\|redirect\|replay\|request-buffering\|reserve\|respond\|response-buffering\|retry\|send-proxy\|server-header\|shutdown-timeout\|status-page\|strip\|timeout\|trusted-proxies\|user\|workers\)\ze\%([[:space:]{};]\|$\)/ nextgroup=holdfastArguments skipwhite
" end generated

syntax match holdfastName /[^[:space:]{};]\+/ contained contains=holdfastFilled nextgroup=holdfastArguments skipwhite
syntax region holdfastArguments contained start=/\ze[^[:space:]{};]/ skip=/\\$/ end=/\ze[{};]/ end=/$/
      \ contains=@holdfastValue,holdfastOption,holdfastCondition,holdfastComment,holdfastContinued

" Words of the forms of directives.

" generated: vim options
syntax keyword holdfastOption contained
      \ add-header all always any-method append auto backup client-body client-header client-idle
      \ client-write connect debug del-header disabled epoll error file format from grace hash
      \ hold idle info json leastconn level max memory never none notice off on poll random
      \ redirect replace request-body-total roundrobin route safe server-idle server-read
      \ server-think server-write set-header set-path set-query set-status spool stream tee text
      \ upgraded v1 v2 warning weight
" end generated

" Conditions: from `when` to the block, the `;` or the end of the line; in parentheses lines do not end.

syntax region holdfastCondition contained excludenl matchgroup=holdfastWhen start=/\%(^\|\s\)\@1<=when\ze\s/ skip=/\\$/
      \ end=/\ze[{};]/ end=/$/ contains=@holdfastTest
syntax region holdfastParens contained matchgroup=holdfastDelimiter start=/(/ end=/)/ contains=@holdfastTest
syntax cluster holdfastTest contains=@holdfastValue,holdfastVariable,holdfastOperator,holdfastLogic,holdfastParens,
      \holdfastComment,holdfastContinued

syntax keyword holdfastLogic and or not contained

" generated: vim operators
syntax match holdfastOperator /\s\@1<=\%(in\%(\s\+file\)\?\|starts-with\|ends-with\|contains\|under\|==\|!=\|<=\|>=\|\~\|<\|>\)\ze[[:space:](]/ contained
" end generated

" generated: vim variables
syntax keyword holdfastVariable contained
      \ attempts backend buffering buffering-reason client-ip client-port content-length duration
      \ frontend hold-time host local-ip local-port method path peer-ip peer-port port query
      \ raw-path request-bytes request-id request-length request-time response-bytes route scheme
      \ server spooled-bytes status termination time-iso8601 time-local time-msec
      \ upstream-connect-time upstream-header-time upstream-response-time uri version
syntax match holdfastVariable /\%(cookie\|header\|match\|query\|response\.header\)\.[^[:space:]{}();,"']\+/ contained
" end generated

" Values.

syntax cluster holdfastValue contains=holdfastString,holdfastRaw,holdfastFilled,holdfastNumber,holdfastQuantity
syntax match holdfastContinued /\\$/ contained
syntax region holdfastString contained oneline start=/"/ skip=/\\./ end=/"/
      \ contains=holdfastEscape,holdfastBadEscape,holdfastFilled
syntax region holdfastRaw contained oneline start=/'/ end=/'/
syntax match holdfastBadEscape /\\./ contained
syntax match holdfastEscape /\\\%([ntr"\\$]\|x\x\x\)/ contained
syntax match holdfastFilled /\${[^}[:space:]]*}/ contained
" Durations, sizes, rates.
syntax match holdfastQuantity excludenl
      \ /\%(^\|[[:space:](,]\)\@1<=\d\+\%(\%(ms\|[smhd]\)\|\c[KMGT]\?\%(iB\)\?\%(\/s\)\?\)\ze\%([[:space:];{}),]\|$\)/ contained
syntax match holdfastNumber excludenl /\%(^\|[[:space:](,]\)\@1<=\d\+\ze\%([[:space:];{}),]\|$\)/ contained
syntax keyword holdfastQuantity unlimited never contained

highlight default link holdfastComment    Comment
highlight default link holdfastSection    Structure
highlight default link holdfastDirective  Statement
highlight default link holdfastName       Function
highlight default link holdfastOption     Type
highlight default link holdfastWhen       Conditional
highlight default link holdfastLogic      Conditional
highlight default link holdfastOperator   Operator
highlight default link holdfastVariable   Identifier
highlight default link holdfastFilled     Identifier
highlight default link holdfastString     String
highlight default link holdfastRaw        String
highlight default link holdfastEscape     SpecialChar
highlight default link holdfastBadEscape  Error
highlight default link holdfastNumber     Number
highlight default link holdfastQuantity   Number
highlight default link holdfastContinued  Special
highlight default link holdfastDelimiter  Delimiter

let b:current_syntax = "holdfast"

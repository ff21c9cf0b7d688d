autocmd BufRead,BufNewFile holdfast*.cfg,*/holdfast/*.cfg,*/holdfast/conf.d/*.cfg set filetype=holdfast

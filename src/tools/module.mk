modules += tools
tools-src := main.c
tools-src += check.c
tools-bin := sekisho
tools-use := policy wire base
tools-lib :=

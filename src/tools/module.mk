modules += tools
tools-src := main.c
tools-src += check.c
tools-src += verify_log.c events.c
tools-bin := sekisho
tools-use := policy wire base
tools-lib :=

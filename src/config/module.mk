# Keeps configurations, compiles policies.
modules += config
config-src := main.c start.c commit.c requests.c store.c
config-use := policy base

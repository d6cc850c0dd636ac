# SPDX-License-Identifier: GPL-2.0-or-later
# Sekisho: the one Makefile. On the host it prepares the Debian roots and re-runs itself inside the build root,
# where src/*/module.mk and tests/*/module.mk say what is compiled and what each part may link.
#
# A module.mk sets, for its directory NAME (src/NAME):
#   modules      += NAME          a library of all its sources but main.c
#   NAME-src     := a.c b.c       sources; main.c makes it a program too
#   NAME-use     := wire base     modules it may include and link, in link order
#   NAME-lib     := -lmnl         external libraries
#   NAME-bin     := libexec/x     where the program goes below $(O) (default libexec/NAME)
# tests/unit/module.mk: units += test_x; test_x-use := ...; tests/fuzz/module.mk: fuzzers += fuzz_x; fuzz_x-use := ...

O ?= build
V ?= 0
BOARD ?= qemu-x86_64

ifndef IN_ROOT
include rootfs/host.mk
else
include src/build.mk
endif

# SPDX-License-Identifier: GPL-2.0-or-later
# The host's half of the build: nothing is compiled here; every target runs inside a Debian root of its own.

ROOT_TARGETS := all tools check-unit lint format fuzz fuzz-smoke prove compile_commands.json docs firmware kernel uml

.DEFAULT_GOAL := all
.PHONY: $(ROOT_TARGETS) check check-netns check-firmware bench run clean help host-tools

enter-build := ./rootfs/enter.sh build . $(O)
enter-test := ./rootfs/enter.sh test . $(O)
in-root := make --no-print-directory IN_ROOT=1 O=/out V=$(V) BOARD=$(BOARD)

host-tools:
	@./rootfs/host-tools.sh

$(ROOT_TARGETS): host-tools
	@$(enter-build) $(in-root) -j$$(nproc) $@

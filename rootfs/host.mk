# SPDX-License-Identifier: GPL-2.0-or-later
# The host's half of the build: nothing is compiled here; every target runs inside a Debian root of its own.
# A target's `##` comment is its line in `make help`.

enter-build := ./rootfs/enter.sh build . $(O)
enter-test := ./rootfs/enter.sh test . $(O)
in-root := make --no-print-directory IN_ROOT=1 O=/out V=$(V) BOARD=$(BOARD)
pytest := python3 -B -m pytest -q --rootdir tests

.DEFAULT_GOAL := all
.PHONY: all tools kernel uml firmware check check-unit check-netns check-uml check-firmware check-golden check-reproducible \
	check-prove prove fuzz-long fuzz fuzz-smoke lint format docs compile_commands.json bench bench-tools board run sources lock \
	clean help host-tools

# Variables that a target in the build root takes.
passed-on := FUZZ_SECONDS NAMES MUTANTS TARGET RUNS LONG_SECONDS
# Targets that only hand over to the same name in the build root.
BUILD_TARGETS := tools units fuzz bench-tools check-unit check-prove prove fuzz-smoke fuzz-long lint docs kernel uml sources
all: firmware ##			everything that is shipped: the tools and the firmware of BOARD
tools: ##			build/sekisho (offline command, runs on this host), build/sekishod and its programs
firmware: ##		build/firmware/BOARD/: kernel, root image, command line, checksums, SBOM
kernel: ##			the kernel of BOARD alone (kept in the cache)
sources: ##		what rootfs/sources makes of Debian's source packages (kept in the cache)
uml: ##			build/uml/linux: User-mode Linux from the same source, for tests
check: ##			every test; the last line is `N passed, N failed`
check-unit: ##		unit tests under AddressSanitizer and UBSan
check-golden: ##		golden mails and configurations
check-netns: ##		tests with real peers in network namespaces (TESTS=expression for -k)
check-uml: ##		tests that need our kernel's network features, in User-mode Linux (TESTS=...)
check-firmware: ##		tests that boot the image in QEMU
check-reproducible: ##	builds the firmware a second time from clean and compares the bytes (KERNEL=1: the kernel too)
prove: ##			proofs by CBMC, models by Spin (NAMES=..., MUTANTS=1: what they must find)
check-prove: ##		the proofs that take seconds
fuzz: ##			build all fuzz targets
fuzz-smoke: ##		run each fuzz target for FUZZ_SECONDS (5)
fuzz-long: ##		TARGET=fuzz_x for RUNS executions or LONG_SECONDS, whichever comes first
lint: ##			format, size limits, include rules, hardening of the programs, cppcheck
format: ##			let clang-format rewrite the sources
bench: ##			ratios against plain forwarding, Postfix and Xvnc (ROUNDS=5, NAMES="packets sizes")
run: ##			the demo: three zones, real peers, the firmware in QEMU (DEMO=auto: without a person)
docs: ##			tables that are generated from the code
compile_commands.json: ##	for editors
lock: ##			record the Debian packages in use in rootfs/*.lock
clean: ##			remove build/ (the cache of roots and kernels stays)
help: ##			this text

host-tools:
	@./rootfs/host-tools.sh

$(BUILD_TARGETS): host-tools
	@$(enter-build) $(in-root) -j$$(nproc) $(foreach v,$(passed-on),$(if $($(v)),$(v)='$($(v))')) $@

# These write into the sources or need their path on the host.
format: host-tools
	@$(enter-build) $(in-root) format
compile_commands.json: host-tools
	@$(enter-build) $(in-root) SOURCE_DIR=$(CURDIR) $@ && cp $(O)/$@ $@

board:
	@[ -r board/$(BOARD)/board.conf ] || { echo "make: no board $(BOARD); there are: $$(ls board)" >&2; exit 2; }
kernel firmware: board

firmware: host-tools
	@image=$$(./rootfs/make-root.sh image) && ./rootfs/check-lock.sh image "$$image" || :
	@build=$$(./rootfs/make-root.sh build) && ./rootfs/check-lock.sh build "$$build" || :
	@image=$$(./rootfs/make-root.sh image) && \
		$(enter-build) $(in-root) -j$$(nproc) IMAGE_ROOT=/cache/$${image##*/} firmware

# Most of these tests wait most of the time: as many runs at once as there are processors divide them, but for chosen ones.
RUNS_AT_ONCE ?= $(if $(TESTS),1,$(shell nproc))
check-netns: tools
	@tests/netns/run.sh $(O) $(RUNS_AT_ONCE) $(if $(TESTS),-k '$(TESTS)')

check-uml: tools uml
	@mkdir -p $(O)/check
	@$(enter-test) tests/uml/run.sh $(pytest) --junitxml=/out/check/uml.xml tests/uml $(if $(TESTS),-k '$(TESTS)')

check-golden: tools
	@mkdir -p $(O)/check
	@$(enter-test) $(pytest) --junitxml=/out/check/golden.xml tests/golden

check-firmware: firmware
	@mkdir -p $(O)/check
	@$(enter-test) $(pytest) --junitxml=/out/check/firmware.xml tests/firmware $(if $(TESTS),-k '$(TESTS)')

check-reproducible: firmware
	@O=$(O) BOARD=$(BOARD) KERNEL=$(KERNEL) MAKE="$(MAKE)" tests/reproducible.sh

check:
	@O=$(O) MAKE="$(MAKE) --no-print-directory" tests/check.sh

bench: tools uml
	@$(enter-test) python3 -B tests/bench/run.py $(NAMES)
	@$(enter-test) tests/uml/run.sh python3 -B tests/bench/run.py --guest

run: firmware
	@$(enter-test) python3 -B tests/demo/demo.py $(DEMO)

lock: host-tools
	@for kind in build image test; do root=$$(./rootfs/make-root.sh $$kind) && \
		cp "$$root/.packages" rootfs/$$kind-root.lock || exit 1; done
	@$(enter-build) $(in-root) lock-sources
	@git --no-pager diff --stat -- 'rootfs/*.lock' 'rootfs/sources/*/lock'

clean:
	rm -rf $(O)

help:
	@echo 'make [TARGET] [O=DIR] [V=1] [BOARD=qemu-x86_64]; run as root on a Debian or Ubuntu machine'
	@sed -n 's/^\([a-z_.-]*\):[a-z ]*##	*\(.*\)/\1	\2/p' rootfs/host.mk | while IFS='	' read -r name text; do \
		printf '  %-22s%s\n' "$$name" "$$text"; done

# SPDX-License-Identifier: GPL-2.0-or-later
# The build root's half, second part: what checks the sources and runs what src/build.mk compiled, kernel and firmware.

.PHONY: check-unit check-prove prove fuzz-smoke fuzz-long lint format docs compile_commands.json kernel uml sources lock-sources \
	firmware
IMAGE_ROOT ?= $(error firmware is made by `make firmware` on the host, which gives IMAGE_ROOT)
FUZZ_SECONDS ?= 5
own-c := $(sort $(shell find src tests -name "*.[ch]"))

check-unit: units
	$(Q)tests/run-units.sh $(O)/unit $(O)/check $(units)

fuzz-smoke: fuzz
	$(Q)tests/run-fuzzers.sh $(O)/fuzzers $(O)/check $(FUZZ_SECONDS) $(fuzzers)

# What is proved and how is in docs/verification.md. NAMES picks single proofs or models; MUTANTS=1 shows that they can fail.
check-prove: | $(generated)
	$(Q)python3 -B tests/prove/run.py $(O) quick
prove: | $(generated)
	$(Q)python3 -B tests/prove/run.py $(O) $(if $(filter 1,$(MUTANTS)),mutants,all) $(NAMES)

TARGET ?= $(fuzzers)
RUNS ?= 100000000
LONG_SECONDS ?= 3600
fuzz-long: fuzz
	$(Q)tests/fuzz-long.sh $(O)/fuzzers $(O)/check $(RUNS) $(LONG_SECONDS) $(TARGET)

lint: tools
	$(Q)python3 tests/lint/lint.py $(O)

format:
	$(Q)clang-format -i $(own-c)

# The pages whose source is a table in the code; tests hold each against its table.
docs: tools
	$(Q)python3 -B tests/golden/table_docs.py $(O) .
	$(Q)python3 -B tests/golden/mail_docs.py $(O)/sekisho .
	$(Q)$(O)/sekisho events --markdown >docs/events.md
	$(Q)$(O)/sekishod --print-process-table >docs/processes.md

# One entry for each object of the appliance's build, with paths as the host sees them (SOURCE_DIR is the clone).
SOURCE_DIR ?= $(CURDIR)
module_commands = $(foreach s,$($(1)-src),{"directory": "$(SOURCE_DIR)"$(comma) "file": "src/$(1)/$(s)"$(comma) \
	"command": "gcc $(common) $(cflags-rel) $($(1)-cflags) -c src/$(1)/$(s)"}$(comma))
comma := ,
compile_commands.json: | $(generated)
	$(file >$(O)/$@.new,[$(foreach m,$(modules),$(call module_commands,$(m)))])
	$(Q)sed -e 's/},[[:space:]]*]$$/}]/' -e 's|$(O)/gen|build/gen|g' $(O)/$@.new | \
		python3 -c 'import json, sys; json.dump(json.load(sys.stdin), sys.stdout, indent=1)' >$(O)/$@
	$(Q)rm $(O)/$@.new

kernel:
	$(Q)kernel-config/build.sh $$(. board/$(BOARD)/board.conf && echo $$KERNEL_ARCH) >/dev/null

uml:
	$(Q)kernel=$$(kernel-config/build.sh um) && mkdir -p $(O)/uml && cp $$kernel/linux $(O)/uml/

# Debian's source packages: `sources` builds every recipe of rootfs/sources, `firmware` those of rootfs/image.sources.
all-sources := $(notdir $(patsubst %/,%,$(wildcard rootfs/sources/*/)))
image-sources := $(shell sed 's/\#.*//' rootfs/image.sources)
sources:
	$(Q)$(foreach s,$(all-sources),$(call build-source,$(s)) >/dev/null &&) :
lock-sources:
	$(Q)$(foreach s,$(all-sources),cp "$$(rootfs/fetch-source.sh $(s))/record" rootfs/sources/$(s)/lock &&) :

linked := $(sort $(foreach p,$(programs),$($(p)-lib) $(foreach m,$($(p)-use),$($(m)-lib))))
firmware: tools
	$(Q)kernel=$$(kernel-config/build.sh $$(. board/$(BOARD)/board.conf && echo $$KERNEL_ARCH)) && \
		built= $(foreach s,$(image-sources),&& built="$$built $$($(call build-source,$(s)))") && \
		VERSION=$(version) rootfs/make-image.sh $(BOARD) $$kernel $(IMAGE_ROOT) $(O) "$(linked)" $(dir $(mbedtls)) $(dir $(chrony)) $(dir $(fatfs)) $$built

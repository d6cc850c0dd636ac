# SPDX-License-Identifier: GPL-2.0-or-later
# The build root's half: compiles every module three ways (rel: the appliance; asan: unit tests; fuzz: libFuzzer).

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s%s\n' '$(1)' '$(2)')

modules :=
units :=
fuzzers :=
include $(sort $(wildcard src/*/module.mk))
include $(sort $(wildcard tests/*/module.mk))

CC := ccache gcc
FUZZ_CC := ccache clang
version := $(shell git -c safe.directory='*' describe --always --dirty 2>/dev/null || echo unknown)

warn := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
	-Wno-unused-parameter
common := -std=gnu17 -D_GNU_SOURCE -Isrc -I$(O)/gen -isystem $(O)/mbedtls/include -isystem $(O)/fatfs/include -g $(warn) -ffile-prefix-map=$(CURDIR)/=
hardening := -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=3 -fPIE -fcf-protection \
	-fno-strict-aliasing -fno-delete-null-pointer-checks -fwrapv -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSANITIZED

cflags-rel := -O2 $(hardening) -ffunction-sections -fdata-sections
cflags-asan := -O1 $(sanitize)
cflags-fuzz := -O1 $(sanitize) -fsanitize=fuzzer-no-link -DFUZZING -Wno-gnu
ldflags-rel := -static-pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed,--build-id=none,-z,pack-relative-relocs \
	-Wl,--no-eh-frame-hdr,-T,src/no-unwind.ld
ldflags-asan := $(sanitize)
ldflags-fuzz := $(sanitize) -fsanitize=fuzzer
cc-rel := $(CC)
cc-asan := $(CC)
cc-fuzz := $(FUZZ_CC)

objects = $(patsubst %.c,$(O)/$(1)/$(2)/%.o,$(filter-out main.c,$($(2)-src)))
archive = $(foreach m,$(2),$(O)/$(1)/lib$(m).a)
program = $(O)/$(or $($(1)-bin),libexec/$(1))
programs := $(foreach m,$(modules),$(if $(filter main.c,$($(m)-src)),$(m)))

.PHONY: all tools
all: tools
tools: $(foreach p,$(programs),$(call program,$(p)))

# Debian's source packages (rootfs/sources); mbedTLS is in our programs, so that every compilation waits for its headers.
build-source = HARDENING='$(hardening)' LINKING='$(ldflags-rel)' rootfs/build-source.sh $(1)
mbedtls := $(O)/mbedtls/record
$(mbedtls): $(wildcard rootfs/sources/mbedtls/*) rootfs/build-source.sh
	@built=$$($(call build-source,mbedtls)) && rm -rf $(@D) && cp -R $$built $(@D) && touch $@
generated += $(mbedtls)
chrony := $(O)/chrony/record
$(chrony): $(wildcard rootfs/sources/chrony/*) rootfs/build-source.sh
	@built=$$($(call build-source,chrony)) && rm -rf $(@D) && cp -R $$built $(@D) && touch $@
generated += $(chrony)
fatfs := $(O)/fatfs/record
$(fatfs): $(wildcard rootfs/sources/micropython/*) rootfs/build-source.sh
	@built=$$($(call build-source,micropython)) && rm -rf $(@D) && cp -R $$built $(@D) && touch $@
generated += $(fatfs)

# What has the version compiled in is compiled again when it changes.
$(O)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(version)' | cmp -s - $@ || echo '$(version)' >$@
FORCE:
versioned = $(if $(findstring SEKISHO_VERSION,$($(1)-cflags)),$(O)/version)

# Generated sources (tables) are made before anything that may include them; a module.mk adds to `generated`.
define compile_rule
$(O)/$(1)/$(2)/%.o: src/$(2)/%.c $(call versioned,$(2)) | $$(generated)
	$$(call say,CC,$(if $(filter rel,$(1)),,[$(1)] )src/$(2)/$$*.c)
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$(1)) $$(common) $$(cflags-$(1)) $$($(2)-cflags) -MMD -MP -c $$< -o $$@
$(O)/$(1)/$(2)/%.o: $(O)/gen/$(2)/%.c | $$(generated)
	$$(call say,CC,$(if $(filter rel,$(1)),,[$(1)] )gen/$(2)/$$*.c)
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$(1)) $$(common) $$(cflags-$(1)) $$($(2)-cflags) -MMD -MP -c $$< -o $$@
$(O)/$(1)/lib$(2).a: $(call objects,$(1),$(2))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcsDP $$@ $$^
endef
$(foreach v,rel asan fuzz,$(foreach m,$(modules),$(eval $(call compile_rule,$(v),$(m)))))
tls-users := $(foreach m,$(modules),$(if $(filter tls,$(m) $($(m)-use)),$(m)))
$(foreach v,rel asan fuzz,$(foreach m,$(tls-users),$(call objects,$(v),$(m)))): $(mbedtls)

# What a program, a test or a target links: its own libraries and those of the modules that it uses.
libraries = $(sort $($(1)-lib) $(foreach m,$($(1)-use),$($(m)-lib)))
define program_rule
$(call program,$(1)): $(O)/rel/$(1)/main.o $(call archive,rel,$(1) $($(1)-use)) src/no-unwind.ld
	$$(call say,LD,$$(patsubst $(O)/%,%,$$@))
	@mkdir -p $$(@D)
	$$(Q)gcc $$(ldflags-rel) -o $$@.debug $$< -Wl,--start-group $$(filter %.a,$$^) $(call libraries,$(1)) -Wl,--end-group
	$$(Q)strip -o $$@ $$@.debug
endef
$(foreach p,$(programs),$(eval $(call program_rule,$(p))))

# Unit tests and fuzz targets: one source each, the modules that it uses, the libraries of those modules.
define unit_rule
$(O)/unit/$(1): tests/unit/$(1).c $(call archive,asan,$($(1)-use)) | $$(generated)
	$$(call say,UNIT,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(cc-asan) $$(common) -Itests $$(cflags-asan) -MMD -MP -MT $$@ -MF $$@.d $$< -o $$@ $$(ldflags-asan) \
		-Wl,--start-group $$(filter %.a,$$^) $(call libraries,$(1)) -Wl,--end-group -lcmocka
endef
$(foreach u,$(units),$(eval $(call unit_rule,$(u))))
define fuzz_rule
$(O)/fuzzers/$(1): tests/fuzz/$(1).c $(call archive,fuzz,$($(1)-use)) | $$(generated)
	$$(call say,FUZZ,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(cc-fuzz) $$(common) -Itests $$(cflags-fuzz) -MMD -MP -MT $$@ -MF $$@.d $$< -o $$@ $$(ldflags-fuzz) \
		-Wl,--start-group $$(filter %.a,$$^) $(call libraries,$(1)) -Wl,--end-group
endef
$(foreach f,$(fuzzers),$(eval $(call fuzz_rule,$(f))))

.PHONY: units fuzz
units: $(addprefix $(O)/unit/,$(units))
fuzz: $(addprefix $(O)/fuzzers/,$(fuzzers))

include src/check.mk

-include $(shell find $(O)/rel $(O)/asan $(O)/fuzz $(O)/unit $(O)/fuzzers -name '*.d' 2>/dev/null)

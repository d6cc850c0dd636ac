# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that only tests and measurements use, below $(O)/bench; made with the tools, because make check needs them.
bench-tools := screen_driver rfb_load x11_flicker udp_load first_packet
screen_driver-use := policy base
rfb_load-use := wire base
x11_flicker-use :=
udp_load-use :=
first_packet-use :=

define bench_rule
$(O)/bench/$(1): tests/bench/$(1).c $(foreach m,$($(1)-use),$(O)/rel/lib$(m).a) | $$(generated)
	$$(call say,BENCH,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(cc-rel) $$(common) $$(cflags-rel) -MMD -MP -MT $$@ -MF $$@.d $$< -o $$@ $$(ldflags-rel) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(if $$(filter base,$$($(1)-use)),-lnettle)
endef
$(foreach t,$(bench-tools),$(eval $(call bench_rule,$(t))))
.PHONY: bench-tools
bench-tools: $(addprefix $(O)/bench/,$(bench-tools))
tools: bench-tools

# A peer's library: linked as its users do. The test root has it, too.
gmime = $(shell pkg-config $(1) gmime-3.0 | sed 's/-I/-isystem /g')
$(O)/bench/gmime_parse: tests/bench/gmime_parse.c
	$(call say,BENCH,gmime_parse)
	@mkdir -p $(@D)
	$(Q)$(cc-rel) $(common) -O2 $(call gmime,--cflags) -MMD -MP -MT $@ -MF $@.d $< -o $@ $(call gmime,--libs)
bench-tools: $(O)/bench/gmime_parse

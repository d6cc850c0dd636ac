# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that only tests and measurements use, below $(O)/bench; made with the tools, because make check needs them.
bench-tools := screen_driver rfb_load key_delay x11_flicker udp_load first_packet log_day
screen_driver-use := policy base
rfb_load-use := tls wire base
rfb_load-with := rfb_viewer
key_delay-use := tls wire base
key_delay-with := rfb_viewer
x11_flicker-use :=
udp_load-use :=
first_packet-use :=
log_day-use := audit log-sender tls policy wire base

define bench_rule
$(O)/bench/$(1): $(foreach c,$(1) $($(1)-with),tests/bench/$(c).c) $(foreach m,$($(1)-use),$(O)/rel/lib$(m).a) | $$(generated)
	$$(call say,BENCH,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(cc-rel) $$(common) $$(cflags-rel) -MMD -MP -MT $$@ -MF $$@.d $$(filter %.c,$$^) -o $$@ $$(ldflags-rel) \
		-Wl,--start-group $$(filter %.a,$$^) $$(call libraries,$(1)) -Wl,--end-group $$(if $$(filter base,$$($(1)-use)),-lnettle)
endef
$(foreach t,$(bench-tools),$(eval $(call bench_rule,$(t))))
.PHONY: bench-tools
bench-tools: $(addprefix $(O)/bench/,$(bench-tools))
tools: bench-tools
-include $(wildcard $(O)/bench/*.d)

# A peer's library: linked as its users do. The test root has it, too.
gmime = $(shell pkg-config $(1) gmime-3.0 | sed 's/-I/-isystem /g')
$(O)/bench/gmime_parse: tests/bench/gmime_parse.c
	$(call say,BENCH,gmime_parse)
	@mkdir -p $(@D)
	$(Q)$(cc-rel) $(common) -O2 $(call gmime,--cflags) -MMD -MP -MT $@ -MF $@.d $< -o $@ $(call gmime,--libs)
bench-tools: $(O)/bench/gmime_parse

# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that only tests and measurements use; built by `make bench-tools`, below $(O)/bench.
bench-tools := screen_driver
screen_driver-use := policy base

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

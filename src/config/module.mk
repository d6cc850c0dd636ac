# SPDX-License-Identifier: GPL-2.0-or-later
# Keeps configurations, compiles policies.
modules += config
config-src := main.c start.c commit.c edge.c requests.c committing.c first.c proposal.c proposal_head.c proposal_load.c window.c compliance.c slots.c store.c saved.c unconfirmed.c keys.c slot_names.c renewal.c preset_texts.c
config-use := tls policy base
config-presets := $(sort $(wildcard src/config/presets/*.conf))
generated += $(O)/gen/config/preset_texts.c
$(O)/gen/config/preset_texts.c: src/config/preset_texts.py $(config-presets)
	$(call say,GEN,$(@F))
	@mkdir -p $(@D)
	$(Q)python3 $< $(config-presets) > $@

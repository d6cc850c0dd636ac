/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations to begin with, one a preset: src/config/presets, embedded. */
#ifndef SEKISHO_CONFIG_PRESETS_H
#define SEKISHO_CONFIG_PRESETS_H

struct preset_text {
	const char *name; /* as the configuration's `preset` has it; NULL: behind the last */
	const char *text; /* lines "#en: " and "#ja: " tell the reader what to change */
};

extern const struct preset_text preset_texts[];

#endif

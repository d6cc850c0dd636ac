/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of presets: which finding each of the policies that a gateway may serve refuses. */
#ifndef SEKISHO_POLICY_PRESETS_H
#define SEKISHO_POLICY_PRESETS_H

#include "policy/schema.h"

/* In the order of the words of the configuration's `preset`, behind the first. */
enum preset {
	PRESET_NONE,
	PRESET_THREE_TIER,
	PRESET_TWO_TIER_UTILITY,
	PRESET_TWO_TIER_ASSOCIATION,
	PRESET_VILLAGE,
	PRESET_CITY_GENERAL,
	PRESET_COUNT_
};

enum preset_level { LEVEL_FREE, LEVEL_WARN, LEVEL_REFUSE };

enum preset_rule {
#define RULE(id, ...) RULE_##id,
#include "policy/presets.def"
#undef RULE
	RULE_COUNT_
};

struct preset_row {
	const char *requirement;
	enum preset_level level[PRESET_COUNT_];
	const char *text[2]; /* by enum language, with {0} and {1} */
};

/* One row, @rule below RULE_COUNT_. */
const struct preset_row *preset_row(enum preset_rule rule);

#endif

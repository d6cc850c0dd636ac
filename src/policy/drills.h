/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drills and other work that the security policies want done again and again: which there is, and
 * what is due by the records of the log (L6). */
#ifndef SEKISHO_POLICY_DRILLS_H
#define SEKISHO_POLICY_DRILLS_H

#include <stddef.h>

#include "base/event.h"
#include "policy/schema.h"

struct drill {
	enum event_id event; /* that records it; EVENT_NONE_: nothing does */
	unsigned days;       /* after which it is due again; 0: when the configuration changes */
	const char *clause;
	const char *work[2], *often[2]; /* by enum language */
};

enum drill_state { DRILL_DONE, DRILL_DUE, DRILL_UNRECORDED, DRILL_STATE_COUNT_ };

extern const struct drill drills[];
extern const size_t drill_count;

/**
 * drill_judge - whether it is due
 * @last:    when it was done last, as a record has its time (RFC 3339); empty: never in this log
 * @changed: when the configuration took effect, the same; empty: not in this log
 * @now:     of the newest record
 * Times are compared as they are written, without their distance from UTC. Return: DRILL_UNRECORDED
 * where nothing records it, so that it is due as far as the log can know.
 */
enum drill_state drill_judge(const struct drill *drill, const char *last, const char *changed,
			     const char *now);

const char *drill_state_name(enum drill_state state, enum language language);

#endif

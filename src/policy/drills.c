/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is due by the log. */
#include "policy/drills.h"

#include <stdio.h>
#include <string.h>

const struct drill drills[] = {
#define DRILL(event, days, clause, en, ja, often_en, often_ja)                                     \
	{EVENT_##event, days, clause, {en, ja}, {often_en, often_ja}},
#include "policy/drills.def"
#undef DRILL
};
const size_t drill_count = sizeof(drills) / sizeof(drills[0]);

_Static_assert(LANGUAGE_EN == 0 && LANGUAGE_JA == 1, "the table's order of languages");

/* Days since 1970-01-01 of a date of the Gregorian calendar, by years that begin in March. Return:
 * -1: it is no date. */
static long day_of(const char *time)
{
	unsigned year, month, day;
	long y, from_march;

	if (sscanf(time, "%4u-%2u-%2u", &year, &month, &day) != 3)
		return -1;
	y = (long)year - (month <= 2);
	from_march = (month + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + (long)day -
	       719469;
}

enum drill_state drill_judge(const struct drill *drill, const char *last, const char *changed,
			     const char *now)
{
	long done = day_of(last), today = day_of(now);

	if (drill->event == EVENT_NONE_)
		return DRILL_UNRECORDED;
	if (done < 0)
		return DRILL_DUE;
	if (drill->days == 0)
		return strcmp(last, changed) < 0 ? DRILL_DUE : DRILL_DONE;
	return today - done > (long)drill->days ? DRILL_DUE : DRILL_DONE;
}

const char *drill_state_name(enum drill_state state, enum language language)
{
	static const char *const names[DRILL_STATE_COUNT_][2] = {
		[DRILL_DONE] = {"done", "実施済み"},
		[DRILL_DUE] = {"DUE", "要実施"},
		[DRILL_UNRECORDED] = {"no record: DUE", "記録なし: 要実施"},
	};

	return names[state][language];
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of alarms, for the documentation's page of events. */
#include <stdbool.h>
#include <stdio.h>

#include "base/event.h"
#include "tools/tools.h"

/* The table in its order: an alarm, then the events that raise and end it. */
static const struct row {
	const char *alarm; /* NULL: an event of the alarm before */
	enum event_key field;
	unsigned hours;
	const char *en, *ja;
	enum event_id event;
	bool raises;
	enum event_key second; /* a further field of the alarm before, no event */
} rows[] = {
#define ALARM(id, name, field, hours, en, ja) {name, FIELD_##field, hours, en, ja, 0, false, 0},
#define AND(alarm, field)                     {NULL, 0, 0, NULL, NULL, 0, false, FIELD_##field},
#define RAISE(alarm, event)                   {NULL, 0, 0, NULL, NULL, EVENT_##event, true, 0},
#define CLEAR(alarm, event)                   {NULL, 0, 0, NULL, NULL, EVENT_##event, false, 0},
#include "audit/alarms.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void print_events(size_t at, bool raises, const char *between)
{
	for (at++; at < ROW_COUNT && rows[at].alarm == NULL; at++) {
		if (rows[at].raises != raises || rows[at].second != FIELD_NONE_)
			continue;
		printf("%s`%s`", between, event_name(rows[at].event));
		between = ", ";
	}
}

void tool_print_alarms(void)
{
	printf("\n## Alarms\n\n"
	       "What the console's `show alarms` shows, from `src/audit/alarms.def`. An alarm that "
	       "is of something (*each*) stands apart for each value of that field. One with hours "
	       "ends by itself when it was not raised for so long. Every other event of severity "
	       "critical or worse is an alarm under its own name for 24 hours.\n\n"
	       "| alarm | each | raised by | ended by | what to do | 対処 |\n"
	       "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];

		if (row->alarm == NULL)
			continue;
		printf("| `%s` | %s", row->alarm,
		       row->field != FIELD_NONE_ ? event_key_name(row->field) : "");
		if (i + 1 < ROW_COUNT && rows[i + 1].second != FIELD_NONE_)
			printf(" and %s", event_key_name(rows[i + 1].second));
		printf(" | ");
		print_events(i, true, "");
		printf(" | ");
		if (row->hours > 0)
			printf("%u h", row->hours);
		print_events(i, false, row->hours > 0 ? ", " : "");
		printf(" | %s | %s |\n", row->en, row->ja);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho events: the table of events, as text for a shell or as the documentation's page. */
#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "channel/control.h"
#include "tools/tools.h"

static const char *const severities[] = {"emergency", "alert",  "critical", "error",
					 "warning",   "notice", "info",     "debug"};

static void print_sources(enum event_id id)
{
	const char *between = "";
	unsigned may = 0;

	for (uint32_t role = 0; role < ROLE_COUNT_; role++)
		may += event_may_send(role, id);
	if (may == ROLE_COUNT_) {
		printf("any");
		return;
	}
	for (uint32_t role = 0; role < ROLE_COUNT_; role++) {
		if (!event_may_send(role, id))
			continue;
		printf("%s%s", between, event_source_name(role));
		between = ", ";
	}
}

static void print_markdown(void)
{
	printf("# Events\n\n"
	       "Generated from `src/base/events.def` by `sekisho events --markdown`; do not "
	       "edit.\n\n"
	       "A record carries the event's name as MSGID (RFC 5424) and its fields as structured "
	       "data "
	       "`[sekisho@32473 seq=\"...\" mono=\"...\" ...]`. Names do not change once "
	       "shipped.\n\n"
	       "Only the processes named under *from* can record an event; audit closes the "
	       "channel of any other that claims it.\n\n"
	       "| event | severity | from | requirement | meaning | 意味 |\n"
	       "|---|---|---|---|---|---|\n");
	for (unsigned id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		printf("| `%s` | %s | ", event_name(id), severities[event_severity(id) % 8]);
		print_sources(id);
		printf(" | %s | %s | %s |\n", event_requirement(id), event_meaning_en(id),
		       event_meaning_ja(id));
	}
	tool_print_alarms();
}

static void print_text(void)
{
	for (unsigned id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++)
		printf("%-28s %-10s %s\n", event_name(id), severities[event_severity(id) % 8],
		       event_meaning_en(id));
}

int tool_events(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		print_markdown();
		return 0;
	}
	if (argc != 1)
		return tool_usage("events");
	print_text();
	return 0;
}

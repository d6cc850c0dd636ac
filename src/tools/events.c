/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho events: the table of events, as text for a shell or as the documentation's page. */
#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "tools/tools.h"

static const char *const severities[] = {"emergency", "alert",  "critical", "error",
					 "warning",   "notice", "info",     "debug"};

static void print_markdown(void)
{
	printf("# Events\n\n"
	       "Generated from `src/base/events.def` by `sekisho events --markdown`; do not "
	       "edit.\n\n"
	       "A record carries the event's name as MSGID (RFC 5424) and its fields as structured "
	       "data "
	       "`[sekisho@32473 seq=\"...\" mono=\"...\" ...]`. Names do not change once "
	       "shipped.\n\n"
	       "| event | severity | requirement | meaning | 意味 |\n|---|---|---|---|---|\n");
	for (unsigned id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++)
		printf("| `%s` | %s | %s | %s | %s |\n", event_name(id),
		       severities[event_severity(id) % 8], event_requirement(id),
		       event_meaning_en(id), event_meaning_ja(id));
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
	if (argc != 1) {
		fprintf(stderr, "usage: sekisho events [--markdown]\n");
		return 2;
	}
	print_text();
	return 0;
}

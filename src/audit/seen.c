/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting the log's records by event, and writing the counts for people. */
#include "audit/seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/evidence.h"
#include "policy/clauses.h"
#include "wire/syslog.h"

int seen_take(void *ctx, struct span line)
{
	struct seen *s = ctx;
	struct syslog_view view;
	struct seen_event *event;
	uint64_t number, count;
	char time[SEEN_TIME_BYTES];

	if (syslog_parse(line, &view) < 0 || syslog_param_number(&view, "seq", &number) < 0)
		return 0;
	snprintf(time, sizeof(time), "%.*s", (int)view.time.size, (const char *)view.time.data);
	if (s->first == 0) {
		s->first = number;
		memcpy(s->since, time, sizeof(time));
	}
	s->last = number;
	event = &s->events[event_find(view.message_id)];
	event->records++;
	event->count += syslog_param_number(&view, "count", &count) == 0 ? count : 1;
	memcpy(event->last, time, sizeof(time));
	return 0;
}

int seen_write(const struct seen *s, const char *clause, bool japanese, struct bytes *out)
{
	int err = bytes_printf(out,
			       japanese ? "記録 %" PRIu64 " から %" PRIu64 " (%s 以降) の件数:\n"
					  "事象 | 条項 | 記録数 | 件数 | 最終\n"
					: "seen in the records %" PRIu64 " to %" PRIu64
					  " (since %s):\n"
					  "event | clauses | records | count | last\n",
			       s->first, s->last, s->since);

	for (enum event_id id = EVENT_NONE_ + 1; err == 0 && id < EVENT_COUNT_; id++) {
		const struct seen_event *event = &s->events[id];
		const char *ids = event_requirement(id);

		if (event->records == 0 || (clause[0] != '\0' && !clause_is_named(ids, clause)))
			continue;
		err = bytes_printf(out, "%s | %s | %" PRIu64 " | %" PRIu64 " | %s\n",
				   event_name(id), ids, event->records, event->count, event->last);
	}
	return err;
}

const char *seen_print(void *ctx, const struct control_query *query, struct bytes *out)
{
	const char *argument = query->argument;
	bool japanese = strncmp(argument, "ja", 2) == 0;
	struct seen seen = {0};

	if (!japanese && strncmp(argument, "en", 2) != 0)
		return "a language is wanted: en or ja";
	argument += 2;
	argument += argument[0] == ' ';
	if (store_walk_newest(ctx, EVIDENCE_LOG_FILES, seen_take, &seen) < 0 ||
	    seen_write(&seen, argument, japanese, out) < 0)
		return "the log cannot be read";
	return NULL;
}

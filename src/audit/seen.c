/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting the log's records by event, and writing the counts for people. */
#include "audit/seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/evidence.h"
#include "policy/clauses.h"
#include "policy/drills.h"
#include "wire/log/syslog.h"

/* A start commits the same policy again: that is no change. */
static void take_commit(struct seen *s, const struct syslog_view *view, const char *time)
{
	char policy[SHA256_HEX_BYTES];
	struct span hash;

	if (syslog_param(view, "sha256", &hash) < 0)
		return;
	snprintf(policy, sizeof(policy), "%.*s", (int)hash.size, (const char *)hash.data);
	if (strcmp(policy, s->policy) == 0)
		return;
	memcpy(s->policy, policy, sizeof(policy));
	snprintf(s->changed, sizeof(s->changed), "%s", time);
}

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
	memcpy(s->now, time, sizeof(time));
	if (event_find(view.message_id) == EVENT_COMMIT_REQUESTED)
		take_commit(s, &view, time);
	event->records++;
	event->count += syslog_param_number(&view, "count", &count) == 0 ? count : 1;
	memcpy(event->last, time, sizeof(time));
	return 0;
}

/* These records do not reach far: what is not in them may have been done before. */
static int write_drills(const struct seen *s, const char *clause, enum language language,
			struct bytes *out)
{
	bool begun = false;
	int err = 0;

	for (size_t i = 0; err == 0 && i < drill_count; i++) {
		const struct drill *d = &drills[i];
		const char *last = s->events[d->event].last;
		enum drill_state state = drill_judge(d, last, s->changed, s->now);

		if (clause[0] != '\0' && !clause_is_named(d->clause, clause))
			continue;
		if (!begun)
			err = bytes_printf(
				out,
				language == LANGUAGE_JA
					? "定期作業・訓練 (%s 以降の記録による。それ以前は"
					  "sekisho reportで確認する):\n"
					  "作業 | 条項 | 頻度 | 最終 | 状況\n"
					: "drills and work that is due (by the records since "
					  "%s; sekisho report knows earlier ones):\n"
					  "work | clause | how often | last | state\n",
				s->since);
		begun = true;
		if (err == 0)
			err = bytes_printf(out, "%s | %s | %s | %s | %s\n", d->work[language],
					   d->clause, d->often[language],
					   last[0] != '\0' ? last : "-",
					   drill_state_name(state, language));
	}
	return err;
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
	return err == 0 ? write_drills(s, clause, japanese ? LANGUAGE_JA : LANGUAGE_EN, out) : err;
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clauses one by one: the clause, how it is met, what is configured, what was seen. */
#include <inttypes.h>
#include <stdio.h>

#include "tools/report.h"

#define WORDS_BYTES_MAX 8192 /* of what is said about one statement or open point */

/* The configuration, and what the month's log shows. */
static struct clause_view view_of(const struct report *r)
{
	const struct month_event *events = r->month->events;

	return (struct clause_view){
		.tree = r->tree,
		.has_log = true,
		.seen = {[SIGHT_SAVED_WHOLE] = events[EVENT_CONFIG_CHECKED].records > 0 &&
					       events[EVENT_SAVED_DAMAGED].records == 0,
			 [SIGHT_RECORDS_KEPT] = events[EVENT_LOG_REACH].records > 0 &&
						events[EVENT_LOG_RETENTION_SHORT].records == 0 &&
						events[EVENT_LOG_RETENTION_CUT].records == 0}};
}

static void add_open_point(const struct report *r, const struct clause *clause,
			   const struct clause *row)
{
	struct clause_view view = view_of(r);
	struct clause_finding found = clause_look(&view, &row->need);
	struct bytes words;

	if (found.good == found.all)
		return;
	bytes_init(&words, WORDS_BYTES_MAX);
	(void)bytes_printf(&words, "%s: ", clause->id); /* cut where too long, here and below */
	(void)clause_open_point(&words, &row->need, found, r->d->language);
	document_add(r->d, DOCUMENT_TEXT, 0, bytes_span(&words));
	bytes_fini(&words);
}

static void add_open_points(const struct report *r, const struct clause *clause)
{
	for (const struct clause *n = clause_next_need(clause); n != NULL; n = clause_next_need(n))
		add_open_point(r, clause, n);
}

void report_summary(const struct report *r)
{
	size_t counts[CLAUSE_STATE_COUNT_] = {0};
	struct clause_view view = view_of(r);

	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Clauses: summary", "各条項の充足状況(要約)"));
	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c))
		counts[clause_judge(&view, c)]++;
	document_say(r->d, DOCUMENT_TABLE, 2, "%s", "");
	report_row(r, 2,
		   (const char *const[]){report_words(r, "state", "状況"),
					 report_words(r, "clauses", "条項数")});
	for (enum clause_state state = 0; state < CLAUSE_STATE_COUNT_; state++) {
		document_say(r->d, DOCUMENT_CELL, 0, "%s",
			     clause_state_name(state, r->d->language));
		document_say(r->d, DOCUMENT_CELL, 0, "%zu", counts[state]);
	}
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
	document_say(r->d, DOCUMENT_HEADING, 3, "%s", report_words(r, "Open points", "未充足事項"));
	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c))
		add_open_points(r, c);
}

static void add_configured(const struct report *r, const struct clause *clause)
{
	bool begun = false;

	for (enum schema_id row = ROW_ROOT + 1; row < ROW_COUNT_; row++) {
		struct bytes path, value;

		if (!clause_is_named(schema_row(row)->requirement, clause->id))
			continue;
		bytes_init(&path, WORDS_BYTES_MAX);
		bytes_init(&value, WORDS_BYTES_MAX);
		(void)clause_row_path(&path, row); /* as above */
		(void)clause_value(&value, r->tree, row, r->d->language);
		if (value.size > 0 && !begun) {
			document_say(r->d, DOCUMENT_TABLE, 2, "%s", "");
			report_row(r, 2,
				   (const char *const[]){report_words(r, "statement", "設定項目"),
							 report_words(r, "configured", "設定値")});
			begun = true;
		}
		if (value.size > 0) {
			document_add(r->d, DOCUMENT_CELL, 0, bytes_span(&path));
			document_add(r->d, DOCUMENT_CELL, 0, bytes_span(&value));
		}
		bytes_fini(&path);
		bytes_fini(&value);
	}
	if (begun)
		document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

static void add_seen_event(const struct report *r, enum event_id id)
{
	const struct month_event *e = &r->month->events[id];

	document_say(r->d, DOCUMENT_CELL, 0, "%s", event_name(id));
	document_say(r->d, DOCUMENT_CELL, 0, "%s",
		     report_words(r, event_meaning_en(id), event_meaning_ja(id)));
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, e->records);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, e->count);
	document_say(r->d, DOCUMENT_CELL, 0, "%s", e->last);
}

static void add_seen(const struct report *r, const struct clause *clause)
{
	bool begun = false;

	for (enum event_id id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		if (r->month->events[id].records == 0 ||
		    !clause_is_named(event_requirement(id), clause->id))
			continue;
		if (!begun) {
			document_say(r->d, DOCUMENT_TABLE, 5, "%s", "");
			report_row(r, 5,
				   (const char *const[]){report_words(r, "event", "事象"),
							 report_words(r, "meaning", "意味"),
							 report_words(r, "records", "記録数"),
							 report_words(r, "count", "件数"),
							 report_words(r, "last", "最終")});
			begun = true;
		}
		add_seen_event(r, id);
	}
	if (begun)
		document_say(r->d, DOCUMENT_END, 0, "%s", "");
	else
		document_say(r->d, DOCUMENT_TEXT, 0, "%s",
			     report_words(r, "Nothing was recorded for it in this month.",
					  "当月の記録はない。"));
}

static void add_clause(const struct report *r, const struct clause *clause)
{
	struct clause_view view = view_of(r);
	enum clause_state state = clause_judge(&view, clause);

	document_say(r->d, DOCUMENT_HEADING, 3, "%s  %s", clause->id, clause->text[r->d->language]);
	document_say(r->d, DOCUMENT_STATE, state, "%s", clause_state_name(state, r->d->language));
	document_say(r->d, DOCUMENT_TEXT, 0, "%s: %s", report_words(r, "Source", "根拠"),
		     clause->sources);
	document_say(r->d, DOCUMENT_TEXT, 0, "%s: %s", report_words(r, "Means", "充足方法"),
		     clause->means[r->d->language]);
	add_open_points(r, clause);
	add_configured(r, clause);
	add_seen(r, clause);
}

void report_clauses(const struct report *r)
{
	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Clauses one by one", "条項別の状況"));
	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c))
		add_clause(r, c);
}

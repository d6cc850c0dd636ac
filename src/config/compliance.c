/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running configuration does about the clauses of the security policies (L6), by the same
 * table as the monthly report. */
#include <stdio.h>
#include <string.h>

#include "config/asking.h"
#include "policy/clauses.h"

static const char *words(const struct asking *a, const char *en, const char *ja)
{
	return a->language == LANGUAGE_JA ? ja : en;
}

/* Everything here is appended to the answer, which remembers that it is full. */

static void put_open_points(struct asking *a, const struct clause_view *view,
			    const struct clause *clause)
{
	for (const struct clause *n = clause_next_need(clause); n != NULL;
	     n = clause_next_need(n)) {
		struct clause_finding found = clause_look(view, &n->need);

		if (found.good == found.all)
			continue;
		(void)bytes_append_text(&a->text, "      ");
		(void)clause_open_point(&a->text, &n->need, found, a->language);
		(void)bytes_append_u8(&a->text, '\n');
	}
}

static void put_line(struct asking *a, const struct clause_view *view, const struct clause *clause)
{
	(void)bytes_printf(&a->text, "%-4s  %s  %s\n", clause->id,
			   clause_state_name(clause_judge(view, clause), a->language),
			   clause->text[a->language]);
	put_open_points(a, view, clause);
}

static void put_statements(struct asking *a, const struct clause_view *view,
			   const struct clause *clause)
{
	for (enum schema_id row = ROW_ROOT + 1; row < ROW_COUNT_; row++) {
		size_t begin = a->text.size, value;

		if (!clause_is_named(schema_row(row)->requirement, clause->id))
			continue;
		(void)bytes_append_text(&a->text, "      ");
		(void)clause_row_path(&a->text, row);
		(void)bytes_append_text(&a->text, ": ");
		value = a->text.size;
		(void)clause_value(&a->text, view->tree, row, a->language);
		if (a->text.size == value)
			a->text.size = begin; /* nothing is said for it */
		else
			(void)bytes_append_u8(&a->text, '\n');
	}
}

static void put_clause(struct asking *a, const struct clause_view *view,
		       const struct clause *clause)
{
	put_line(a, view, clause);
	(void)bytes_printf(&a->text, "      %s: %s\n      %s: %s\n", words(a, "source", "根拠"),
			   clause->sources, words(a, "means", "充足方法"),
			   clause->means[a->language]);
	put_statements(a, view, clause);
}

static void put_all(struct asking *a, const struct clause_view *view)
{
	size_t counts[CLAUSE_STATE_COUNT_] = {0};

	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c)) {
		put_line(a, view, c);
		counts[clause_judge(view, c)]++;
	}
	for (enum clause_state state = 0; state < CLAUSE_STATE_COUNT_; state++)
		(void)bytes_printf(&a->text, "%s%s: %zu", state > 0 ? ", " : "",
				   clause_state_name(state, a->language), counts[state]);
	(void)bytes_append_u8(&a->text, '\n');
}

static void put_origin(struct asking *a)
{
	const struct store_entry *entry = &a->c->running_entry;
	char time[32];

	asking_format_time(time, sizeof(time), entry->time_s);
	(void)bytes_printf(&a->text, "%s %u, %s, %s %s\n", words(a, "configuration", "適用番号"),
			   entry->number, time, entry->origin, entry->comment);
}

enum console_status compliance_show(struct asking *a)
{
	struct span typed = span_trim(asking_text(a->request->line, CONSOLE_LINE_BYTES));
	const struct clause *clause = NULL;
	struct problems problems;
	struct tree tree;
	struct clause_view view = {.tree = &tree,
				   .seen = {[SIGHT_SAVED_WHOLE] = a->c->saved_whole}};
	char id[8];

	snprintf(id, sizeof(id), "%.*s", (int)(typed.size < sizeof(id) ? typed.size : 0),
		 (const char *)typed.data);
	if (typed.size > 0)
		clause = clause_find(id);
	if (typed.size > 0 && clause == NULL)
		return asking_say(a, CONSOLE_FAILED, "no such clause; see show compliance\n",
				  "その条項はありません。show compliance で確認してください\n");
	problems_init(&problems);
	if (asking_parse(&tree, bytes_span(&a->c->running_text), &problems) != 0)
		return asking_no_memory(a);
	put_origin(a);
	if (clause != NULL)
		put_clause(a, &view, clause);
	else
		put_all(a, &view);
	tree_fini(&tree);
	return CONSOLE_OK;
}

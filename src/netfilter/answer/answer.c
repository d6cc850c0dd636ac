/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of the console: who answers which, and how rows are sent. */
#include "netfilter/answer/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/netfilter.h"

#define ROWS_DEFAULT 200
#define ROW_WAIT_MS  20

void answer_init(struct answer *a, struct netfilter *nf, const struct control_query *query)
{
	*a = (struct answer){
		.nf = nf, .query = query, .left = query->limit > 0 ? query->limit : ROWS_DEFAULT};
	answer_begin(a);
}

void answer_begin(struct answer *a)
{
	memset(&a->row, 0, sizeof(a->row));
	a->row.number = a->query->number;
	a->row.console = a->query->console;
	a->used = 0;
}

void answer_cell(struct answer *a, const char *format, ...)
{
	size_t room = sizeof(a->row.text) - a->used;
	va_list args;

	if (a->row.cell_count == CONTROL_ROW_CELLS || room < 2)
		return;
	va_start(args, format);
	int length = vsnprintf(a->row.text + a->used, room, format, args);

	va_end(args);
	if (length < 0)
		return;
	a->used += (size_t)length < room ? (size_t)length + 1 : room;
	a->row.cell_count++;
}

void answer_send(struct answer *a, uint32_t flags)
{
	a->row.flags = flags;
	if (a->err == 0)
		a->err = channel_send_wait(&a->nf->process.control, CONTROL_ROW, &a->row,
					   sizeof(a->row), NULL, 0, ROW_WAIT_MS);
	answer_begin(a);
}

void answer_refuse(struct answer *a, const char *reason)
{
	answer_cell(a, "%s", reason);
	answer_send(a, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
}

int answer_split(struct answer_words *words, const char *text)
{
	words->count = 0;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t size = strcspn(text, " ");

		if (words->count == ANSWER_WORDS_MAX || size >= ANSWER_WORD_MAX)
			return -ERR_TOO_LONG;
		memcpy(words->words[words->count], text, size);
		words->words[words->count++][size] = '\0';
		text += size;
	}
	return 0;
}

bool answer_number(const char *word, uint64_t most, uint64_t *out)
{
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return false;
	*out = strtoull(word, &end, 10);
	return *end == '\0' && *out <= most;
}

/* Those whose answer needs a table of the kernel. */
static const struct listing_kind *const listings[] = {
	[QUERY_FLOWS] = &answer_flows,     [QUERY_CLEAR_FLOW] = &answer_clear,
	[QUERY_PERMITS] = &answer_permits, [QUERY_CROSSINGS] = &answer_crossings,
	[QUERY_RULES] = &answer_rules,
};

int answer_query(struct netfilter *nf, const struct control_query *query)
{
	struct answer a;

	if (memchr(query->argument, '\0', sizeof(query->argument)) == NULL)
		return -ERR_PEER;
	answer_init(&a, nf, query);
	if (query->kind < sizeof(listings) / sizeof(listings[0]) && listings[query->kind] != NULL)
		listing_ask(&nf->listing, query, listings[query->kind]);
	else if (query->kind == QUERY_CAPTURE)
		capture_begin(nf, &a);
	else if (query->kind == QUERY_SAVE_CAPTURE)
		capture_print(nf, &a);
	else
		answer_refuse(&a, "netfilter does not answer this");
	return a.err == -ERR_TIMEOUT ? 0 : a.err;
}

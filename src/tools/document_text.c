/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report as text for a terminal, a mail or a search. */
#include <inttypes.h>

#include "base/err.h"
#include "tools/document.h"

#define BAR_COLUMNS 40

struct writing {
	const struct document *d;
	struct bytes *out; /* remembers that it is full */
	const struct document_item *nodes[DOCUMENT_NODES_MAX];
	size_t node_count;
	uint64_t columns, column; /* of the table */
	uint64_t highest;         /* of the chart */
};

static void title(struct writing *w, const struct document_item *item)
{
	(void)bytes_printf(w->out, "%s\n", document_text(w->d, item));
}

static void heading(struct writing *w, const struct document_item *item)
{
	(void)bytes_printf(w->out, "\n%s %s\n", item->number == 2 ? "==" : "--",
			   document_text(w->d, item));
}

static void text(struct writing *w, const struct document_item *item)
{
	(void)bytes_printf(w->out, "%s\n", document_text(w->d, item));
}

static void state(struct writing *w, const struct document_item *item)
{
	(void)bytes_printf(w->out, "[%s]\n", document_text(w->d, item));
}

static void table(struct writing *w, const struct document_item *item)
{
	w->columns = item->number;
	w->column = 0;
	(void)bytes_append_u8(w->out, '\n');
}

static void cell(struct writing *w, const struct document_item *item)
{
	w->column++;
	(void)bytes_printf(w->out, "%s%s%s", w->column == 1 ? "  " : " | ",
			   document_text(w->d, item), w->column == w->columns ? "\n" : "");
	w->column %= w->columns;
}

static void chart(struct writing *w, const struct document_item *item)
{
	w->highest = document_highest(item);
	(void)bytes_printf(w->out, "\n%s\n", document_text(w->d, item));
}

/* Whatever is there at all is at least one column wide. */
static void bar(struct writing *w, const struct document_item *item)
{
	uint64_t length = (uint64_t)((double)item->number * BAR_COLUMNS / (double)w->highest);

	length += length == 0 && item->number > 0;
	(void)bytes_printf(w->out, "  %s: ", document_text(w->d, item));
	for (uint64_t i = 0; i < length; i++)
		(void)bytes_append_u8(w->out, '#');
	(void)bytes_printf(w->out, "%s%" PRIu64 "\n", length > 0 ? " " : "", item->number);
}

static void picture(struct writing *w, const struct document_item *item)
{
	w->node_count = 0;
	(void)bytes_printf(w->out, "\n%s\n", document_text(w->d, item));
}

static void node(struct writing *w, const struct document_item *item)
{
	const char *words = document_text(w->d, item);

	if (w->node_count == DOCUMENT_NODES_MAX)
		return;
	w->nodes[w->node_count++] = item;
	(void)bytes_append_text(w->out, "  [");
	for (; *words != '\0'; words++)
		(void)bytes_append_text(w->out, *words == '\n' ? " / " : (char[]){*words, '\0'});
	(void)bytes_append_text(w->out, "]\n");
}

/* The first line of what a node says is its name. */
static void node_name(struct writing *w, size_t place)
{
	const char *words = place < w->node_count ? document_text(w->d, w->nodes[place]) : "";

	for (; *words != '\0' && *words != '\n'; words++)
		(void)bytes_append_u8(w->out, (uint8_t)*words);
}

static void connection(struct writing *w, const struct document_item *item)
{
	static const char *const arrows[] = {" <==> ", " ---> ", " ...> ", " =/ /= ", " !==! "};

	(void)bytes_append_text(w->out, "  ");
	node_name(w, DOCUMENT_LINK_FROM(item->number));
	(void)bytes_append_text(w->out, arrows[DOCUMENT_LINK_KIND(item->number)]);
	node_name(w, DOCUMENT_LINK_TO(item->number));
	(void)bytes_printf(w->out, "  %s\n", document_text(w->d, item));
}

static void end(struct writing *w, const struct document_item *item)
{
	(void)item;
	(void)bytes_append_u8(w->out, '\n');
}

int document_write_text(const struct document *d, struct bytes *out)
{
	static void (*const writers[])(struct writing *w, const struct document_item *item) = {
		[DOCUMENT_TITLE] = title,     [DOCUMENT_HEADING] = heading,
		[DOCUMENT_TEXT] = text,       [DOCUMENT_STATE] = state,
		[DOCUMENT_TABLE] = table,     [DOCUMENT_CELL] = cell,
		[DOCUMENT_CHART] = chart,     [DOCUMENT_BAR] = bar,
		[DOCUMENT_PICTURE] = picture, [DOCUMENT_NODE] = node,
		[DOCUMENT_LINK] = connection, [DOCUMENT_END] = end,
	};
	struct writing w = {.d = d, .out = out};

	for (size_t i = 0; i < d->count; i++)
		writers[d->items[i].kind](&w, &d->items[i]);
	return d->failed || out->failed ? -ERR_NO_MEMORY : 0;
}

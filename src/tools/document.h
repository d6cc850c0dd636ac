/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report before it has a form: a list of items that a writer walks. A table, a chart and a
 * picture are items up to their DOCUMENT_END.
 */
#ifndef SEKISHO_TOOLS_DOCUMENT_H
#define SEKISHO_TOOLS_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/schema.h"

#define DOCUMENT_TEXT_BYTES_MAX (64U << 20) /* of all items together */
#define DOCUMENT_NODES_MAX      16          /* of one picture */

enum document_kind {
	DOCUMENT_TITLE,
	DOCUMENT_HEADING, /* number: its level, 2 or 3 */
	DOCUMENT_TEXT,
	DOCUMENT_STATE,   /* number: enum clause_state; the text is its name */
	DOCUMENT_TABLE,   /* number: columns; the first row of cells is the heading */
	DOCUMENT_CELL,    /* row by row */
	DOCUMENT_CHART,   /* text: what is counted */
	DOCUMENT_BAR,     /* number: how high; text: below it */
	DOCUMENT_PICTURE, /* text: what it shows */
	DOCUMENT_NODE,    /* number: enum zone_tier; text: name, then lines below it */
	DOCUMENT_LINK,    /* number: DOCUMENT_LINK_OF; text: beside it */
	DOCUMENT_END,
};

enum document_link {
	DOCUMENT_LINK_PACKETS,
	DOCUMENT_LINK_MAIL,
	DOCUMENT_LINK_SCREEN,
	DOCUMENT_LINK_SHUT,    /* asked for and not there, or not now */
	DOCUMENT_LINK_FOREIGN, /* there and not asked for */
};

/* From one node of a picture to another, by their places. */
#define DOCUMENT_LINK_OF(kind, from, to) ((uint64_t)(kind) << 16 | (uint64_t)(from) << 8 | (to))
#define DOCUMENT_LINK_KIND(number)       ((enum document_link)((number) >> 16))
#define DOCUMENT_LINK_FROM(number)       ((size_t)((number) >> 8 & 0xff))
#define DOCUMENT_LINK_TO(number)         ((size_t)((number) & 0xff))

struct document_item {
	enum document_kind kind;
	uint64_t number;
	size_t text_at; /* in the document's text, NUL-terminated UTF-8 */
};

struct document {
	enum language language;
	struct document_item *items;
	size_t count, capacity;
	struct bytes text;
	bool failed; /* out of memory: what follows was left out */
};

void document_init(struct document *d, enum language language);
void document_fini(struct document *d);

/* Append an item. Out of memory sets @d->failed, which whoever writes it out looks at. */
void document_add(struct document *d, enum document_kind kind, uint64_t number, struct span text);
/* The same with a format. */
void document_say(struct document *d, enum document_kind kind, uint64_t number, const char *format,
		  ...) __attribute__((format(printf, 4, 5)));

const char *document_text(const struct document *d, const struct document_item *item);

/* The largest number of the bars from @item on, up to its end; at least 1. */
uint64_t document_highest(const struct document_item *item);

/* The writers. Return: 0, or -ERR_NO_MEMORY where @out is full or @d had failed. */
int document_write_text(const struct document *d, struct bytes *out);
/* One XHTML page of its own: no script, nothing from elsewhere, made for A4 paper; every text is
 * escaped. */
int document_write_html(const struct document *d, struct bytes *out);

#endif

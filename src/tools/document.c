/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collecting the items of a report. */
#include "tools/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_BYTES 2048 /* of one formatted text; what is longer is cut */

void document_init(struct document *d, enum language language)
{
	*d = (struct document){.language = language};
	bytes_init(&d->text, DOCUMENT_TEXT_BYTES_MAX);
}

void document_fini(struct document *d)
{
	free(d->items);
	bytes_fini(&d->text);
	*d = (struct document){0};
}

static bool grow(struct document *d)
{
	size_t capacity = d->capacity > 0 ? d->capacity * 2 : 256;
	void *grown;

	if (d->count < d->capacity)
		return true;
	grown = realloc(d->items, capacity * sizeof(*d->items));
	if (grown == NULL)
		return false;
	d->items = grown;
	d->capacity = capacity;
	return true;
}

void document_add(struct document *d, enum document_kind kind, uint64_t number, struct span text)
{
	size_t at = d->text.size;

	if (d->failed || !grow(d) || bytes_append(&d->text, text.data, text.size) != 0 ||
	    bytes_append_u8(&d->text, 0) != 0) {
		d->failed = true;
		return;
	}
	d->items[d->count++] = (struct document_item){kind, number, at};
}

void document_say(struct document *d, enum document_kind kind, uint64_t number, const char *format,
		  ...)
{
	char text[SAID_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	document_add(d, kind, number, span_of(text));
}

const char *document_text(const struct document *d, const struct document_item *item)
{
	return (const char *)d->text.data + item->text_at;
}

uint64_t document_highest(const struct document_item *item)
{
	uint64_t highest = 1;

	for (; item->kind != DOCUMENT_END; item++) {
		if (item->kind == DOCUMENT_BAR && item->number > highest)
			highest = item->number;
	}
	return highest;
}

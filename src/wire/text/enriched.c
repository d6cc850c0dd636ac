/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text/enriched, tag by tag. */
#include "wire/text/enriched.h"

#include <string.h>

#include "base/err.h"

enum {
	TAG_BYTES_MAX = 62,     /* with its brackets: RFC 1896, "Formatting commands" */
	PARAM_BYTES_MAX = 1024, /* longer ones are text */
};

/* The tag at @at, without brackets; empty where none is. */
static struct span tag_at(struct span in, size_t at)
{
	size_t room = in.size - at < TAG_BYTES_MAX ? in.size - at : TAG_BYTES_MAX;
	const uint8_t *end = memchr(in.data + at, '>', room);

	if (end == NULL)
		return span_of("");
	for (const uint8_t *c = in.data + at + 1; c < end; c++) {
		if (*c <= ' ' || *c == '<')
			return span_of("");
	}
	return (struct span){in.data + at + 1, (size_t)(end - in.data) - at - 1};
}

static bool is(struct span tag, const char *name)
{
	return span_equal_nocase(tag, span_of(name));
}

/* The parameter whose tag has just been read, at @at. Return: behind it. */
static size_t take_param(struct span in, size_t at, struct bytes *out, int *err)
{
	size_t room = in.size - at < PARAM_BYTES_MAX ? in.size - at : PARAM_BYTES_MAX;
	const uint8_t *end = room > 0 ? memmem(in.data + at, room, "</", 2) : NULL;
	size_t stop = end != NULL ? (size_t)(end - in.data) : at;
	struct span value = {in.data + at, stop - at};

	if (value.size > 2 && memmem(value.data, value.size, "://", 3) != NULL) {
		*err = bytes_append_u8(out, '<');
		*err = *err < 0 ? *err : bytes_append(out, value.data, value.size);
		*err = *err < 0 ? *err : bytes_append_u8(out, '>');
	}
	return stop;
}

/* Line ends at @at. Return: behind them. */
static size_t take_breaks(struct span in, size_t at, bool filled, struct bytes *out, int *err)
{
	size_t count = 0;

	for (; at < in.size && (in.data[at] == '\n' || in.data[at] == '\r'); at++)
		count += in.data[at] == '\n';
	if (filled && count == 1) {
		*err = bytes_append_u8(out, ' ');
		return at;
	}
	for (size_t i = filled ? 1 : 0; i < count && *err == 0; i++)
		*err = bytes_append_u8(out, '\n');
	return at;
}

int text_unenrich(struct span in, struct bytes *out)
{
	size_t unfilled = 0;
	int err = 0;

	for (size_t at = 0; at < in.size && err == 0;) {
		uint8_t c = in.data[at];
		struct span tag;

		if (c == '\n' || c == '\r') {
			at = take_breaks(in, at, unfilled == 0, out, &err);
			continue;
		}
		tag = c == '<' ? tag_at(in, at) : span_of("");
		if (tag.size == 0) {
			err = bytes_append_u8(out, c);
			at += c == '<' && at + 1 < in.size && in.data[at + 1] == '<' ? 2 : 1;
			continue;
		}
		at += tag.size + 2;
		if (is(tag, "param"))
			at = take_param(in, at, out, &err);
		else if (is(tag, "lt"))
			err = bytes_append_u8(out, '<');
		else if (is(tag, "nl") || is(tag, "np") || is(tag, "paragraph"))
			err = bytes_append_u8(out, '\n');
		else if (is(tag, "nofill"))
			unfilled++;
		else if (is(tag, "/nofill"))
			unfilled -= unfilled > 0;
	}
	return err;
}

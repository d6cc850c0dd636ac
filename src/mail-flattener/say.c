/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing into the body: the gateway's own lines, and the message's text. Past the output limit all
 * is cut, and said. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { PIECE_BYTES = 65536 }; /* of text that is written and looked over at a time */

void flatten_fail(struct flatten *f, int err)
{
	if (err < 0 && f->err == 0)
		f->err = err;
}

struct number number_of(uint64_t value, bool grouped)
{
	struct number plain, out = {{0}};
	int digits = snprintf(plain.text, sizeof(plain.text), "%llu", (unsigned long long)value);
	size_t at = 0;

	if (!grouped)
		return plain;
	for (int i = 0; i < digits; i++) {
		if (i > 0 && (digits - i) % 3 == 0)
			out.text[at++] = ',';
		out.text[at++] = plain.text[i];
	}
	return out;
}

void flatten_say_into(struct flatten *f, struct bytes *to, enum notice notice, const char *a,
		      const char *b)
{
	const char *text = notice_text(notice, f->policy->english);

	for (;;) {
		const char *gap = strstr(text, "%s");
		size_t size = gap != NULL ? (size_t)(gap - text) : strlen(text);

		flatten_fail(f, bytes_append(to, text, size));
		if (gap == NULL)
			break;
		if (a != NULL)
			flatten_fail(f, bytes_append_text(to, a));
		a = b;
		text = gap + 2;
	}
	flatten_fail(f, bytes_append_u8(to, '\n'));
}

static void put_gap(struct flatten *f)
{
	if (f->gap && f->out->size > f->body_begin) {
		flatten_fail(f, bytes_append(f->out, f->prefix,
					     f->prefix_size > 0 ? f->prefix_size - 1 : 0));
		flatten_fail(f, bytes_append_u8(f->out, '\n'));
	}
	f->gap = false;
}

void flatten_say(struct flatten *f, enum notice notice, const char *a, const char *b)
{
	struct bytes line;
	struct text_report unused = {0};

	if (f->cut)
		return;
	put_gap(f);
	bytes_init(&line, MIME_FIELD_BYTES_MAX);
	flatten_say_into(f, &line, notice, a, b);
	flatten_fail(f, text_clean_lines(bytes_span(&line),
					 (struct span){(uint8_t *)f->prefix, f->prefix_size},
					 f->out, &unused));
	bytes_fini(&line);
}

/* Back to the end of the last whole line. */
static void drop_part_of_line(struct flatten *f)
{
	size_t end = f->out->size;

	while (end > f->body_begin && f->out->data[end - 1] != '\n')
		end--;
	f->out->size = end;
	f->out->failed = false;
}

/* The notice behind the last whole line; what comes later is small and has room again. */
static void cut_output(struct flatten *f)
{
	drop_part_of_line(f);
	f->out->limit += FLATTEN_TRAILER_BYTES;
	f->count.limits++;
	flatten_say(f, NOTICE_CUT, NULL, NULL);
	f->cut = true;
}

/* Past the output limit the text ends; every other failure ends all. */
static void show_result(struct flatten *f, int err)
{
	if (err == -ERR_TOO_LONG)
		cut_output(f);
	else
		flatten_fail(f, err);
}

static int put_text(struct flatten *f, struct span utf8)
{
	put_gap(f);
	return text_clean_lines(utf8, (struct span){(uint8_t *)f->prefix, f->prefix_size}, f->out,
				&f->clean);
}

void flatten_show_own(struct flatten *f, struct span utf8)
{
	if (!f->cut && span_trim(utf8).size > 0)
		show_result(f, put_text(f, utf8));
}

/* The first lines of @text, about PIECE_BYTES or one longer line. */
static struct span first_piece(struct span text)
{
	const uint8_t *lf = NULL;

	if (text.size > PIECE_BYTES)
		lf = memchr(text.data + PIECE_BYTES, '\n', text.size - PIECE_BYTES);
	return (struct span){text.data, lf != NULL ? (size_t)(lf - text.data) + 1 : text.size};
}

/* A piece of the message's text. What stood before the limit was met may imitate, too. */
static int show_piece(struct flatten *f, struct span piece)
{
	size_t begin = f->out->size;
	int marked = 0, err = put_text(f, piece);

	if (err == -ERR_TOO_LONG)
		drop_part_of_line(f);
	/* Inside of a nested message every line has its bar: nothing there looks like ours. */
	if (f->prefix_size == 0 && (err == 0 || err == -ERR_TOO_LONG))
		marked = imitation_mark(f, begin);
	return marked < 0 ? marked : err;
}

void flatten_show(struct flatten *f, struct span utf8)
{
	struct bytes marked;
	int err = 0;

	if (f->cut || span_trim(utf8).size == 0)
		return;
	f->shown = true;
	put_gap(f);
	utf8 = links_mark(f, utf8, &marked);
	while (utf8.size > 0 && err == 0) {
		struct span piece = first_piece(utf8);

		err = show_piece(f, piece);
		utf8 = (struct span){utf8.data + piece.size, utf8.size - piece.size};
	}
	bytes_fini(&marked);
	show_result(f, err);
}

const char *flatten_clean(struct flatten *f, struct span utf8, size_t limit_bytes,
			  struct bytes *store)
{
	bytes_clear(store);
	flatten_fail(f, text_clean_line(utf8, limit_bytes, store, &f->clean));
	flatten_fail(f, bytes_append_u8(store, '\0'));
	return store->size > 0 ? (const char *)store->data : "";
}

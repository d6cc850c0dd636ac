/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A receipt as lines for people: its JSON broken into lines, with what came out of the mail masked.
 */
#include <string.h>

#include "audit/receipts.h"
#include "base/err.h"
#include "base/utf8.h"

#define DEPTH_MAX 16 /* of objects and arrays: deeper ones are not indented further */
#define KEY_BYTES 32

struct printer {
	struct bytes *out;
	bool names;
	bool masked; /* the values of the last key are */
	unsigned depth;
	int err;
};

/* Keys whose texts say nothing about people, files or words of a mail. */
static const char *const plain_keys[] = {
	"receipt", "version", "status", "reason",   "refusal", "sha256",   "type",
	"fate",    "label",   "used",   "declared", "kind",    "language", "charset",
};

static void put(struct printer *p, const void *data, size_t size)
{
	if (p->err == 0)
		p->err = bytes_append(p->out, data, size);
}

static void new_line(struct printer *p)
{
	static const char blanks[2 * DEPTH_MAX + 1] = "                                ";
	unsigned depth = p->depth < DEPTH_MAX ? p->depth : DEPTH_MAX;

	put(p, "\n", 1);
	put(p, blanks, 2 * (size_t)depth);
}

/* Text as it may stand on a terminal: no control character of any kind. */
static void put_text(struct printer *p, struct span text)
{
	while (text.size > 0) {
		uint32_t c = 0;
		size_t size = utf8_decode(text, &c);
		bool shown = size > 0 && c >= 0x20 && !(c >= 0x7F && c < 0xA0) &&
			     !(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);

		size = size > 0 ? size : 1;
		put(p, shown ? (const char *)text.data : "?", shown ? size : 1);
		text = (struct span){text.data + size, text.size - size};
	}
}

/* The string that begins with the quote at @at, with both quotes. */
static struct span read_string(struct span json, size_t at)
{
	size_t end = at + 1;

	while (end < json.size && json.data[end] != '"')
		end += json.data[end] == '\\' ? 2 : 1;
	end = end < json.size ? end + 1 : json.size;
	return (struct span){json.data + at, end - at};
}

static bool is_plain_key(struct span string)
{
	for (size_t i = 0; i < sizeof(plain_keys) / sizeof(plain_keys[0]); i++) {
		if (string.size == strlen(plain_keys[i]) + 2 &&
		    memcmp(string.data + 1, plain_keys[i], string.size - 2) == 0)
			return true;
	}
	return false;
}

static void put_string(struct printer *p, struct span string, bool is_key)
{
	if (is_key)
		p->masked = !p->names && !is_plain_key(string);
	if (!is_key && p->masked)
		put(p, "***", 3);
	else
		put_text(p, string);
}

static void put_mark(struct printer *p, uint8_t c)
{
	bool closes = c == '}' || c == ']', opens = c == '{' || c == '[';

	if (closes && p->depth > 0)
		p->depth--;
	if (closes)
		new_line(p);
	put_text(p, (struct span){&c, 1});
	if (c == ':')
		put(p, " ", 1);
	p->depth += opens;
	if (opens || c == ',')
		new_line(p);
}

int receipt_text(struct span json, bool names, struct bytes *out)
{
	struct printer p = {.out = out, .names = names, .masked = !names};
	size_t at = 0;

	json = span_trim(json);
	while (at < json.size && p.err == 0) {
		if (json.data[at] == '"') {
			struct span string = read_string(json, at);

			at += string.size;
			put_string(&p, string, at < json.size && json.data[at] == ':');
		} else {
			put_mark(&p, json.data[at++]);
		}
	}
	put(&p, "\n", 1);
	return p.err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is there one reading only of a message, and of a file in it? A scanner that reads it in another
 * way has not seen the file that we find. So this takes what mail programs write, and nothing
 * that RFC 2045 merely allows, or that readers merely forgive.
 */
#include "mail-flattener/state.h"

#include <string.h>

enum {
	LINE_MAX_BYTES = 998, /* RFC 5322 2.1.1: readers cut longer ones */
	BASE64_LINE_MAX = 76, /* RFC 2045 6.8 */
};

/* Lines that all end in CRLF, without a CR, LF or NUL elsewhere. */
static bool has_plain_lines(struct span s)
{
	size_t begin = 0;

	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] == '\0' || s.data[i] == '\n')
			return false;
		if (s.data[i] != '\r')
			continue;
		if (i + 1 == s.size || s.data[i + 1] != '\n' || i - begin > LINE_MAX_BYTES)
			return false;
		begin = i + 2;
		i++;
	}
	return s.size - begin <= LINE_MAX_BYTES;
}

/* The line at *@at without its CRLF; *@at moves behind it. */
static struct span take_line(struct span s, size_t *at)
{
	const uint8_t *cr = memchr(s.data + *at, '\r', s.size - *at);
	struct span line = {s.data + *at, (cr != NULL ? (size_t)(cr - s.data) : s.size) - *at};

	*at += line.size + (cr != NULL ? 2 : 0);
	return line;
}

static bool is_graphic(uint8_t c)
{
	return c > 0x20 && c < 0x7F;
}

static bool begins_field(struct span line)
{
	size_t i = 0;

	while (i < line.size && is_graphic(line.data[i]) && line.data[i] != ':')
		i++;
	return i > 0 && i < line.size && line.data[i] == ':';
}

/* Fields with their colon right behind the name, and folds that are not empty. */
static bool is_plain_header(struct span header)
{
	for (size_t at = 0; at < header.size;) {
		bool first = at == 0;
		struct span line = take_line(header, &at);
		bool fold = line.size > 0 && (line.data[0] == ' ' || line.data[0] == '\t');

		if (fold ? first || span_trim(line).size == 0 : !begins_field(line))
			return false;
	}
	return true;
}

/* What follows "boundary=": one word, quoted or not. */
static bool is_plain_boundary(struct span s)
{
	bool quoted = s.size > 0 && s.data[0] == '"';
	size_t i = quoted;

	while (i < s.size && is_graphic(s.data[i]) && s.data[i] != '"' &&
	       (quoted || s.data[i] != ';'))
		i++;
	if (quoted)
		return i > 1 && i < s.size && s.data[i] == '"';
	return i > 0 && (i == s.size || s.data[i] != '"');
}

/* A multipart whose boundary has one spelling: no comments, escapes, charsets or continuations. */
static bool is_plain_multipart(const struct mime_part *part)
{
	struct span name = span_of("boundary");
	struct mime_field field;
	unsigned count = 0;

	if (part->aside_words || !mime_field_find(part->header, "Content-Type", &field) ||
	    field.cut)
		return false;
	for (size_t i = 0; i < field.value.size; i++) {
		struct span rest = {field.value.data + i, field.value.size - i};

		if (strchr("(\\*", rest.data[0]) != NULL)
			return false;
		if (!span_starts_nocase(rest, name))
			continue;
		rest = (struct span){rest.data + name.size, rest.size - name.size};
		if (rest.size == 0 || rest.data[0] != '=' ||
		    !is_plain_boundary((struct span){rest.data + 1, rest.size - 1}))
			return false;
		count++;
	}
	return count == 1;
}

bool certain_message(const struct flatten *f)
{
	if (!has_plain_lines(f->message) ||
	    mime_field_count(f->tree.parts[0].header, "MIME-Version") != 1)
		return false;
	for (size_t i = 0; i < f->tree.count; i++) {
		const struct mime_part *part = &f->tree.parts[i];

		/* Inside of a signature are octets that a scanner need not unwrap. */
		if (part->flags != 0 || part->kind == MIME_SIGNED || !is_plain_header(part->header))
			return false;
		if (part->kind == MIME_MULTIPART && !is_plain_multipart(part))
			return false;
	}
	return true;
}

/* ---- one file */

static bool is_base64_digit(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* Whole quanta in each line; *@padded: it ends the text. */
static bool is_base64_line(struct span line, bool *padded)
{
	size_t size = line.size;

	if (size == 0 || size > BASE64_LINE_MAX || size % 4 != 0)
		return false;
	while (size > line.size - 2 && line.data[size - 1] == '=')
		size--;
	*padded = size < line.size;
	for (size_t i = 0; i < size; i++) {
		if (!is_base64_digit(line.data[i]))
			return false;
	}
	return true;
}

static struct span without_end(struct span s)
{
	while (s.size > 0 && (s.data[s.size - 1] == '\n' || s.data[s.size - 1] == '\r'))
		s.size--;
	return s;
}

static bool is_strict_base64(struct span s)
{
	bool padded = false;

	s = without_end(s);
	for (size_t at = 0; at < s.size;) {
		if (padded || !is_base64_line(take_line(s, &at), &padded))
			return false;
	}
	return true;
}

static bool is_upper_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* Printable ASCII, escapes of RFC 2045 6.7 in upper case, and no white space at the ends of lines
 * that one reader keeps and another drops. */
static bool is_strict_quoted(struct span s)
{
	bool blank = false;

	for (size_t i = 0; i < s.size; i++) {
		uint8_t c = s.data[i];

		if (c == '=' && s.size - i > 2 && is_upper_hex(s.data[i + 1]) &&
		    is_upper_hex(s.data[i + 2]))
			i += 2;
		else if (c == '=' && s.size - i > 3 && s.data[i + 1] == '\r')
			i += 2; /* all CR have their LF */
		else if (c == '\r' && !blank)
			i++;
		else if (c == '=' || (c != '\t' && (c < 0x20 || c > 0x7E)))
			return false;
		blank = c == ' ' || c == '\t';
	}
	return !blank;
}

bool certain_part(const struct mime_part *part, bool opaque)
{
	struct mime_field field;
	struct span word;

	if (strncmp(part->type, "message/", strlen("message/")) == 0)
		return false;
	if (!mime_field_find(part->header, "Content-Transfer-Encoding", &field))
		return !opaque;
	word = span_trim(field.value);
	if (span_equal_nocase(word, span_of("base64")))
		return is_strict_base64(part->body);
	if (opaque) /* others do not keep octets on every way */
		return false;
	if (span_equal_nocase(word, span_of("quoted-printable")))
		return is_strict_quoted(part->body);
	return span_equal_nocase(word, span_of("7bit")) || span_equal_nocase(word, span_of("8bit"));
}

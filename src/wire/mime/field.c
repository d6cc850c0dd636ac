/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header fields: finding, parting and unfolding them. */
#include "wire/mime/field.h"

#include <string.h>

#include "base/err.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The end of the line at @at, before its LF (or the end of @s). */
static size_t line_end(struct span s, size_t at)
{
	const uint8_t *lf = memchr(s.data + at, '\n', s.size - at);

	return lf != NULL ? (size_t)(lf - s.data) : s.size;
}

static size_t without_cr(struct span s, size_t from, size_t end)
{
	return end > from && s.data[end - 1] == '\r' ? end - 1 : end;
}

/* The colon of a field that begins at @at, or @end where the line is none (RFC 5322 3.6.8, with
 * obsolete white space). */
static size_t field_colon(struct span s, size_t at, size_t end)
{
	size_t i = at;

	while (i < end && s.data[i] > 0x20 && s.data[i] < 0x7F && s.data[i] != ':')
		i++;
	if (i == at)
		return end;
	while (i < end && is_blank(s.data[i]))
		i++;
	return i < end && s.data[i] == ':' ? i : end;
}

/* Behind all lines that continue the field whose first line ends at @end. */
static size_t field_end(struct span s, size_t end)
{
	while (end + 1 < s.size && is_blank(s.data[end + 1]))
		end = line_end(s, end + 1);
	return end;
}

bool mime_field_next(struct span header, size_t *at, struct mime_field *field)
{
	while (*at < header.size) {
		size_t begin = *at, end = line_end(header, begin);
		size_t colon = field_colon(header, begin, end), name_end = colon;

		if (colon == end) {
			*at = end + 1;
			continue;
		}
		end = field_end(header, end);
		*at = end + 1;
		while (is_blank(header.data[name_end - 1]))
			name_end--;
		end = without_cr(header, colon + 1, end);
		field->name = (struct span){header.data + begin, name_end - begin};
		field->value = (struct span){header.data + colon + 1, end - colon - 1};
		field->cut = field->value.size > MIME_FIELD_BYTES_MAX;
		if (field->cut)
			field->value.size = MIME_FIELD_BYTES_MAX;
		return true;
	}
	return false;
}

bool mime_field_find(struct span header, const char *name, struct mime_field *field)
{
	struct span wanted = span_of(name);
	size_t at = 0;

	while (mime_field_next(header, &at, field)) {
		if (span_equal_nocase(field->name, wanted))
			return true;
	}
	*field = (struct mime_field){span_of(""), span_of(""), false};
	return false;
}

unsigned mime_field_count(struct span header, const char *name)
{
	struct span wanted = span_of(name);
	struct mime_field field;
	unsigned count = 0;
	size_t at = 0;

	while (mime_field_next(header, &at, &field))
		count += span_equal_nocase(field.name, wanted);
	return count;
}

/* The separator line of an mbox before a message is no field, but does not end the header either.
 */
static bool is_mbox_line(struct span s, size_t at)
{
	struct span rest = {s.data + at, s.size - at};

	return at == 0 && (span_starts_nocase(rest, span_of("From ")) ||
			   span_starts_nocase(rest, span_of(">From ")));
}

void mime_header_split(struct span whole, struct span *header, struct span *body, bool *junk)
{
	size_t at = 0;

	*junk = false;
	while (at < whole.size) {
		size_t end = line_end(whole, at), text_end = without_cr(whole, at, end);

		if (text_end == at) { /* the empty line */
			*header = (struct span){whole.data, at};
			at = end < whole.size ? end + 1 : end;
			*body = (struct span){whole.data + at, whole.size - at};
			return;
		}
		if (!is_mbox_line(whole, at) && field_colon(whole, at, end) == end) {
			*junk = true;
			break;
		}
		end = field_end(whole, end);
		at = end < whole.size ? end + 1 : end;
	}
	*header = (struct span){whole.data, at};
	*body = (struct span){whole.data + at, whole.size - at};
}

int mime_value_unfold(struct span value, struct bytes *out)
{
	struct span s = span_trim(value);
	size_t at = 0;

	while (at < s.size) {
		size_t end = line_end(s, at), text_end = without_cr(s, at, end);
		int err = bytes_append(out, s.data + at, text_end - at);

		if (err < 0)
			return err;
		at = end + 1;
	}
	return 0;
}

void mime_value_type(struct span value, char *out)
{
	size_t size = 0;

	value = span_trim(value);
	for (size_t i = 0; i < value.size && size + 1 < MIME_TYPE_BYTES; i++) {
		uint8_t c = value.data[i];

		if (c == ';' || c == '(' || c == ',')
			break;
		if (c <= 0x20 || c >= 0x7F || c == '"')
			continue;
		out[size++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	out[size] = '\0';
}

size_t mime_skip_jis(struct span s, size_t at)
{
	size_t end = at;

	if (s.size - at < 3 || s.data[at] != 0x1B || s.data[at + 1] != '$')
		return at;
	for (end = at + 2; end + 2 < s.size; end++) {
		if (s.data[end] == 0x1B && s.data[end + 1] == '(')
			return end + 3;
		if (s.data[end] == '\n')
			return end;
	}
	return s.size;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of header values: quoted strings, continuations and percent encoding (RFC 2231),
 * encoded words inside. */
#include <string.h>

#include "base/err.h"
#include "wire/mime/field.h"
#include "wire/mime/word.h"

/* One "name=value" as it stands. */
struct param {
	struct span name;
	struct span value; /* without its quotes */
	bool quoted;
};

/* A parameter's name taken apart: base, *number, *. */
struct param_name {
	struct span base;
	unsigned segment;
	bool numbered;
	bool extended; /* percent-encoded; segment 0 begins with charset'language' */
};

/* The end of a quoted string whose first quote is at @at: the position of its closing quote, or the
 * end. */
static size_t quoted_end(struct span s, size_t at)
{
	size_t i = at + 1;

	while (i < s.size && s.data[i] != '"') {
		size_t jis = mime_skip_jis(s, i);

		if (jis > i)
			i = jis;
		else
			i += s.data[i] == '\\' ? 2 : 1;
	}
	return i < s.size ? i : s.size;
}

/* The next semicolon outside of quotes and comments, from @at on, or the end. */
static size_t param_end(struct span s, size_t at)
{
	unsigned depth = 0;

	while (at < s.size) {
		uint8_t c = s.data[at];

		if (c == '"' && depth == 0) {
			at = quoted_end(s, at);
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && depth > 0) {
			depth--;
		} else if (c == ';' && depth == 0) {
			return at;
		}
		at++;
	}
	return s.size;
}

/* Walk the parameters; *@at is 0 at first and then stands on the semicolon behind the last one. */
static bool param_next(struct span s, size_t *at, struct param *out)
{
	if (*at == 0)
		*at = param_end(s, 0);
	while (*at < s.size) {
		size_t begin = *at + 1, end = param_end(s, begin);
		struct span all = span_trim((struct span){s.data + begin, end - begin});
		const uint8_t *equals = all.size > 0 ? memchr(all.data, '=', all.size) : NULL;
		size_t name_size;

		*at = end;
		if (equals == NULL)
			continue;
		name_size = (size_t)(equals - all.data);
		out->name = span_trim((struct span){all.data, name_size});
		out->value = span_trim((struct span){equals + 1, all.size - name_size - 1});
		out->quoted = out->value.size > 0 && out->value.data[0] == '"';
		if (out->quoted) {
			size_t close = quoted_end(out->value, 0);

			out->value = (struct span){out->value.data + 1, close > 1 ? close - 1 : 0};
		}
		return true;
	}
	return false;
}

static struct param_name param_name_of(struct span name)
{
	struct param_name out = {.base = name};
	const uint8_t *star = name.size > 0 ? memchr(name.data, '*', name.size) : NULL;
	size_t i;

	if (star == NULL)
		return out;
	out.base.size = (size_t)(star - name.data);
	for (i = out.base.size + 1; i < name.size && name.data[i] >= '0' && name.data[i] <= '9';
	     i++) {
		out.numbered = true;
		if (out.segment <= MIME_SEGMENTS_MAX)
			out.segment = out.segment * 10 + (unsigned)(name.data[i] - '0');
	}
	out.extended = i < name.size ? name.data[i] == '*' : !out.numbered;
	return out;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int append_percent(struct span s, struct bytes *out)
{
	int err = 0;

	for (size_t i = 0; i < s.size && err == 0; i++) {
		int high = i + 2 < s.size && s.data[i] == '%' ? hex_value(s.data[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s.data[i + 2]) : -1;

		if (low >= 0) {
			err = bytes_append_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			err = bytes_append_u8(out, s.data[i]);
		}
	}
	return err;
}

/* The value of a parameter in its plain form: backslashes undone, line ends of folds removed. */
static int append_plain(const struct param *p, struct bytes *out)
{
	struct span s = p->value;
	int err = 0;

	for (size_t i = 0; i < s.size && err == 0; i++) {
		size_t jis = mime_skip_jis(s, i);

		if (jis > i) {
			err = bytes_append(out, s.data + i, jis - i);
			i = jis - 1;
			continue;
		}
		if (p->quoted && s.data[i] == '\\' && i + 1 < s.size)
			i++;
		if (s.data[i] != '\r' && s.data[i] != '\n')
			err = bytes_append_u8(out, s.data[i]);
	}
	return err;
}

/* Take "charset'language'" off the front of the first extended segment. */
static struct span take_charset(struct span *value)
{
	const uint8_t *first = value->size > 0 ? memchr(value->data, '\'', value->size) : NULL;
	struct span charset = {value->data, 0};
	const uint8_t *second;
	size_t after;

	if (first == NULL)
		return charset;
	after = (size_t)(first - value->data) + 1;
	second = memchr(value->data + after, '\'', value->size - after);
	if (second == NULL)
		return charset;
	charset.size = after - 1;
	after = (size_t)(second - value->data) + 1;
	*value = (struct span){value->data + after, value->size - after};
	return charset;
}

/* Append the octets of segment @number of the parameter. Return: 0, -ERR_NOT_FOUND, or as
 * bytes_append. */
static int append_segment(struct span value, struct span wanted, unsigned number,
			  struct span *charset, struct bytes *octets)
{
	struct param p;
	size_t at = 0;

	while (param_next(value, &at, &p)) {
		struct param_name name = param_name_of(p.name);

		if (!span_equal_nocase(name.base, wanted) || name.segment != number ||
		    (!name.numbered && (number > 0 || !name.extended)))
			continue;
		if (!name.extended)
			return append_plain(&p, octets);
		if (number == 0)
			*charset = take_charset(&p.value);
		return append_percent(p.value, octets);
	}
	return -ERR_NOT_FOUND;
}

/* The form of RFC 2231: join all octets, then decode once. */
static int extended_param(struct span value, struct span wanted, struct bytes *out,
			  struct charset_report *report)
{
	struct span charset = span_of("");
	struct charset_choice choice;
	struct bytes octets;
	int err;

	bytes_init(&octets, MIME_FIELD_BYTES_MAX);
	err = append_segment(value, wanted, 0, &charset, &octets);
	for (unsigned n = 1; err == 0 && n <= MIME_SEGMENTS_MAX; n++) {
		err = append_segment(value, wanted, n, &charset, &octets);
		if (err == -ERR_NOT_FOUND) {
			err = 0;
			break;
		}
	}
	if (err < 0)
		goto cleanup;
	if (charset.size == 0) { /* continuations of something else: perhaps encoded words */
		err = mime_text_decode(bytes_span(&octets), out, report);
		goto cleanup;
	}
	choice = charset_choose(charset, bytes_span(&octets));
	err = charset_decode(choice.charset, bytes_span(&octets), out, report);
cleanup:
	bytes_fini(&octets);
	return err;
}

static int plain_param(struct span value, struct span wanted, struct bytes *out,
		       struct charset_report *report)
{
	struct bytes octets;
	struct param p;
	size_t at = 0;
	int err;

	while (param_next(value, &at, &p)) {
		if (!span_equal_nocase(p.name, wanted))
			continue;
		bytes_init(&octets, MIME_FIELD_BYTES_MAX);
		err = append_plain(&p, &octets);
		if (err == 0)
			err = mime_text_decode(bytes_span(&octets), out, report);
		bytes_fini(&octets);
		return err;
	}
	return -ERR_NOT_FOUND;
}

int mime_value_param(struct span value, const char *name, struct bytes *out,
		     struct charset_report *report)
{
	int err = extended_param(value, span_of(name), out, report);

	return err == -ERR_NOT_FOUND ? plain_param(value, span_of(name), out, report) : err;
}

unsigned mime_value_param_count(struct span value, const char *name)
{
	struct span wanted = span_of(name);
	struct param p;
	unsigned count = 0;
	size_t at = 0;

	while (param_next(value, &at, &p))
		count += span_equal_nocase(p.name, wanted);
	return count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lenient reader of mailbox lists; strict about what it calls an address. */
#include "wire/mime/address.h"

#include <string.h>

#include "base/err.h"
#include "wire/mime/field.h"
#include "wire/mime/word.h"

enum { LOCAL_MAX = 64, DOMAIN_MAX = 255 };

/* The end of a quoted string, comment, or angle bracket that begins at @at: behind its closing
 * mark, or the end. */
static size_t enclosed_end(struct span s, size_t at, uint8_t close)
{
	unsigned depth = 1;

	for (size_t i = at + 1; i < s.size; i++) {
		size_t jis = mime_skip_jis(s, i);

		if (jis > i) {
			i = jis - 1;
		} else if (s.data[i] == '\\' && close != '>') {
			i++;
		} else if (s.data[i] == close) {
			if (--depth == 0)
				return i + 1;
		} else if (close == ')' && s.data[i] == '(') {
			depth++;
		}
	}
	return s.size;
}

/* What the scan of one list entry found. */
struct entry {
	struct span angle;
	struct span comment;
	size_t begin; /* of what is outside of angles and comments */
	size_t end;   /* its end: the first angle; SIZE_MAX where there is none */
};

/* Take what begins at @at as a unit; note angles and comments. Return: behind it. */
static size_t entry_unit(struct span list, size_t at, struct entry *e)
{
	size_t end = mime_skip_jis(list, at);

	if (end > at)
		return end;
	switch (list.data[at]) {
	case '"':
		return enclosed_end(list, at, '"');
	case '(':
		end = enclosed_end(list, at, ')');
		if (e->comment.size == 0 && end - at >= 2)
			e->comment = (struct span){list.data + at + 1, end - at - 2};
		return end;
	case '<':
		end = enclosed_end(list, at, '>');
		e->angle = (struct span){list.data + at + 1, end - at - 1};
		if (e->angle.size > 0 && e->angle.data[e->angle.size - 1] == '>')
			e->angle.size--;
		if (e->end == SIZE_MAX)
			e->end = at;
		return end;
	default:
		return at + 1;
	}
}

/* A phrase before an address without brackets is not an address: "name (a@b)" and the like. */
static void entry_finish(struct span list, const struct entry *e, size_t end,
			 struct mime_mailbox *out)
{
	struct span outside = {list.data + e->begin, (e->end < end ? e->end : end) - e->begin};

	outside = span_trim(outside);
	if (e->angle.data != NULL) {
		out->address = span_trim(e->angle);
		if (outside.size > 0 || e->comment.size > 0)
			out->name = outside.size > 0 ? outside : e->comment;
		return;
	}
	out->name = e->comment.size > 0 ? e->comment : span_of("");
	out->address = outside;
	if (e->comment.size > 0) {
		const uint8_t *open = memchr(outside.data, '(', outside.size);

		if (open != NULL)
			out->address = span_trim(
				(struct span){outside.data, (size_t)(open - outside.data)});
	}
}

bool mime_mailbox_next(struct span list, size_t *at, struct mime_mailbox *out)
{
	while (*at < list.size) {
		struct entry e = {.begin = *at, .end = SIZE_MAX};
		size_t i = *at;

		while (i < list.size && list.data[i] != ',' && list.data[i] != ';') {
			if (list.data[i] == ':' &&
			    e.angle.data == NULL) { /* the name of a group ends */
				e = (struct entry){.begin = ++i, .end = SIZE_MAX};
				continue;
			}
			i = entry_unit(list, i, &e);
		}
		*at = i + 1;
		*out = (struct mime_mailbox){span_of(""), span_of("")};
		entry_finish(list, &e, i, out);
		if (out->address.size > 0 || out->name.size > 0)
			return true;
	}
	return false;
}

int mime_mailbox_name(const struct mime_mailbox *mailbox, struct bytes *out,
		      struct charset_report *report)
{
	struct span s = mailbox->name;
	struct bytes plain;
	int err = 0;

	bytes_init(&plain, MIME_NAME_BYTES_MAX);
	for (size_t i = 0; i < s.size && err == 0; i++) {
		size_t jis = mime_skip_jis(s, i);

		if (jis > i) {
			err = bytes_append(&plain, s.data + i, jis - i);
			i = jis - 1;
			continue;
		}
		if (s.data[i] == '"')
			continue;
		if (s.data[i] == '\\' && i + 1 < s.size)
			i++;
		err = bytes_append_u8(&plain, s.data[i]);
	}
	if (err == 0 || err == -ERR_TOO_LONG) /* a name that is too long is cut */
		err = mime_text_decode(bytes_span(&plain), out, report);
	bytes_fini(&plain);
	return err;
}

static bool is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_atext(uint8_t c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_local(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		if (!is_atext(s.data[i]) && s.data[i] != '.')
			return false;
		/* Would look like the beginning of an encoded word. */
		if (s.data[i] == '=' && i + 1 < s.size && s.data[i + 1] == '?')
			return false;
	}
	return s.size > 0 && s.size <= LOCAL_MAX;
}

static bool is_dot_atom(struct span s)
{
	if (s.data[0] == '.' || s.data[s.size - 1] == '.')
		return false;
	return memmem(s.data, s.size, "..", 2) == NULL;
}

static bool is_domain(struct span s)
{
	bool literal = s.size > 2 && s.data[0] == '[' && s.data[s.size - 1] == ']';

	if (literal)
		s = (struct span){s.data + 1, s.size - 2};
	for (size_t i = 0; i < s.size; i++) {
		uint8_t c = s.data[i];

		if (!is_alnum(c) && c != '.' && c != '-' && c != '_' && (!literal || c != ':'))
			return false;
	}
	return s.size > 0 && s.size <= DOMAIN_MAX;
}

int mime_mailbox_address(const struct mime_mailbox *mailbox, char *out)
{
	struct span s = span_trim(mailbox->address);
	const uint8_t *at = s.size > 0 ? memrchr(s.data, '@', s.size) : NULL;
	struct span local, domain;
	size_t quote;

	if (at == NULL || s.size > MIME_ADDRESS_BYTES_MAX)
		return -ERR_SYNTAX;
	local = span_trim((struct span){s.data, (size_t)(at - s.data)});
	domain = span_trim((struct span){at + 1, s.size - (size_t)(at - s.data) - 1});
	if (local.size >= 2 && local.data[0] == '"' && local.data[local.size - 1] == '"')
		local = (struct span){local.data + 1, local.size - 2};
	if (!is_local(local) || !is_domain(domain))
		return -ERR_SYNTAX;
	quote = is_dot_atom(local) ? 0 : 1;
	out[0] = '"';
	memcpy(out + quote, local.data, local.size);
	out[quote + local.size] = '"';
	quote = 2 * quote + local.size;
	out[quote] = '@';
	memcpy(out + quote + 1, domain.data, domain.size);
	out[quote + 1 + domain.size] = '\0';
	return 0;
}

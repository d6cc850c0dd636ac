/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 2047: finding encoded words, joining the bytes of neighbours, decoding once. */
#include "wire/mime/word.h"

#include <string.h>

#include "base/err.h"
#include "wire/mime/transfer.h"

struct word {
	struct span charset; /* without the language of RFC 2231 5 */
	struct span payload;
	uint8_t encoding; /* 'B' or 'Q' */
	size_t size;      /* of all, from "=?" to "?=" */
};

/* The payload's end: the position of "?=". Spaces inside are not allowed, but common in Q. */
static size_t payload_end(struct span s, size_t at, uint8_t encoding)
{
	for (; at + 1 < s.size; at++) {
		if (s.data[at] == '?' && s.data[at + 1] == '=') {
			/* "?==" may be a Q payload's "?" and an escape: a word must end here only
			 * for B. */
			return at;
		}
		if (s.data[at] < 0x20 || (encoding == 'B' && s.data[at] == '?'))
			return s.size;
	}
	return s.size;
}

/* Is there a word at @at? */
static bool word_at(struct span s, size_t at, struct word *w)
{
	size_t charset = at + 2, i = charset, end;
	const uint8_t *star;

	if (at + 8 > s.size || s.data[at] != '=' || s.data[at + 1] != '?')
		return false;
	while (i < s.size && s.data[i] > 0x20 && s.data[i] < 0x7F && s.data[i] != '?')
		i++;
	if (i == charset || i + 3 >= s.size || s.data[i] != '?' || s.data[i + 2] != '?')
		return false;
	w->charset = (struct span){s.data + charset, i - charset};
	star = memchr(w->charset.data, '*', w->charset.size);
	if (star != NULL)
		w->charset.size = (size_t)(star - w->charset.data);
	w->encoding = s.data[i + 1] & 0xDF;
	if (w->encoding != 'B' && w->encoding != 'Q')
		return false;
	end = payload_end(s, i + 3, w->encoding);
	if (end == s.size)
		return false;
	w->payload = (struct span){s.data + i + 3, end - i - 3};
	w->size = end + 2 - at;
	return true;
}

static int append_q(struct span s, struct bytes *out)
{
	struct bytes spaced;
	int err;

	bytes_init(&spaced, MIME_WORD_BYTES_MAX);
	err = bytes_append(&spaced, s.data, s.size);
	for (size_t i = 0; i < spaced.size; i++) {
		if (spaced.data[i] == '_')
			spaced.data[i] = ' ';
	}
	/* A Q payload has no line ends, so that trailing spaces must survive: close it with an
	 * escape-proof octet. */
	if (err == 0)
		err = bytes_append_u8(&spaced, '.');
	if (err == 0)
		err = mime_decode(MIME_ENCODING_QUOTED, bytes_span(&spaced), out, NULL);
	if (err == 0)
		out->size--;
	bytes_fini(&spaced);
	return err;
}

static int append_word(const struct word *w, struct bytes *octets)
{
	if (w->encoding == 'Q')
		return append_q(w->payload, octets);
	return mime_decode(MIME_ENCODING_BASE64, w->payload, octets, NULL);
}

/* Behind the white space at @at. */
static size_t skip_space(struct span s, size_t at)
{
	while (at < s.size && (s.data[at] == ' ' || s.data[at] == '\t'))
		at++;
	return at;
}

/*
 * Decode the word at @at and all neighbours of the same charset. Return: 0 with *@at moved behind
 * them (and behind the space before a neighbour of another charset), or an error.
 */
static int decode_words(struct span s, size_t *at, struct word *w, struct bytes *out,
			struct charset_report *report)
{
	struct span charset = w->charset;
	struct charset_choice choice;
	struct bytes octets;
	bool more = true;
	int err = 0;

	bytes_init(&octets, MIME_WORD_BYTES_MAX);
	while (more && err == 0) {
		size_t next = skip_space(s, *at + w->size);

		err = append_word(w, &octets);
		*at += w->size;
		more = word_at(s, next, w);
		if (more)
			*at = next;
		more = more && span_equal_nocase(w->charset, charset);
	}
	if (err == 0) {
		choice = charset_choose(charset, bytes_span(&octets));
		err = charset_decode(choice.charset, bytes_span(&octets), out, report);
	}
	bytes_fini(&octets);
	return err;
}

static int decode_raw(struct span s, struct bytes *out, struct charset_report *report)
{
	struct charset_choice choice = charset_choose(span_of(""), s);

	return charset_decode(choice.charset, s, out, report);
}

int mime_text_decode(struct span value, struct bytes *out, struct charset_report *report)
{
	size_t at = 0, raw = 0;
	int err = 0;

	while (at < value.size && err == 0) {
		const uint8_t *equals = memchr(value.data + at, '=', value.size - at);
		struct word w;

		at = equals != NULL ? (size_t)(equals - value.data) : value.size;
		if (at == value.size)
			break;
		if (!word_at(value, at, &w)) {
			at++;
			continue;
		}
		err = decode_raw((struct span){value.data + raw, at - raw}, out, report);
		if (err == 0)
			err = decode_words(value, &at, &w, out, report);
		raw = at;
	}
	if (err < 0)
		return err;
	return decode_raw((struct span){value.data + raw, value.size - raw}, out, report);
}

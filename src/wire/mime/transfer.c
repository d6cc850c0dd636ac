/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoders of the transfer encodings. Malformed input is read leniently and counted. */
#include "wire/mime/transfer.h"

#include <endian.h>
#include <string.h>

#include "base/err.h"
#include "wire/mime/field.h"

enum { B64_SPACE = 64, B64_PAD = 65, B64_BAD = 66 };

/* Values of base64 digits; others by the enumeration above. */
#define X B64_BAD
static const uint8_t base64_table[256] = {
	X,  X,  X,  X,  X,  X,  X,  X,  X,  64, 64, X,  X,  64, X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  64, X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62,
	X,  X,  X,  63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  65, X,  X,  X,  0,
	1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	23, 24, 25, X,  X,  X,  X,  X,  X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
	39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
	X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
#undef X

/* Whole quanta without anything between them: the bulk of every attachment. Return: input bytes
 * taken. */
static size_t base64_fast(struct span in, size_t at, uint8_t **to)
{
	size_t begin = at;
	uint8_t *p = *to;

	for (; in.size - at >= 4; at += 4) {
		const uint8_t *s = in.data + at;
		uint8_t a = base64_table[s[0]], b = base64_table[s[1]], c = base64_table[s[2]],
			d = base64_table[s[3]];
		uint32_t bits = (uint32_t)a << 26 | (uint32_t)b << 20 | (uint32_t)c << 14 |
				(uint32_t)d << 8;

		if ((a | b | c | d) & 0xC0)
			break;
		bits = htobe32(bits);
		memcpy(p, &bits, sizeof(bits)); /* there is room for the octet more */
		p += 3;
	}
	*to = p;
	return at - begin;
}

static int decode_base64(struct span in, struct bytes *out, struct mime_decode_report *report)
{
	uint8_t *p = bytes_room(out, in.size / 4 * 3 + 8), *begin = p;
	uint32_t bits = 0;
	unsigned count = 0;
	bool padded = false;

	if (p == NULL)
		return -ERR_TOO_LONG;
	for (size_t at = 0; at < in.size; at++) {
		uint8_t value;

		if (count == 0 && !padded)
			at += base64_fast(in, at, &p);
		if (at >= in.size)
			break;
		value = base64_table[in.data[at]];
		if (value == B64_BAD)
			report->malformed++;
		if (value == B64_PAD) { /* also between concatenated pieces */
			count = 0;
			padded = true;
		}
		if (value >= B64_SPACE)
			continue;
		if (padded) /* others stop reading at the padding */
			report->malformed++;
		padded = false;
		bits = bits << 6 | value;
		/* Each digit after a quantum's first completes an octet; so a missing padding loses
		 * nothing. */
		if (count > 0)
			*p++ = (uint8_t)(bits >> (6 - 2 * count));
		count = (count + 1) % 4;
	}
	out->size += (size_t)(p - begin);
	return 0;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape at "=": an octet, a soft line break, or neither. Return: input bytes taken. */
static size_t quoted_escape(struct span in, size_t at, uint8_t **to,
			    struct mime_decode_report *report)
{
	size_t left = in.size - at, i = 1;
	int high = left >= 3 ? hex_value(in.data[at + 1]) : -1;
	int low = high >= 0 ? hex_value(in.data[at + 2]) : -1;

	if (low >= 0) {
		*(*to)++ = (uint8_t)(high << 4 | low);
		return 3;
	}
	while (i < left && (in.data[at + i] == ' ' || in.data[at + i] == '\t'))
		i++;
	if (i == left)
		return i;
	if (in.data[at + i] == '\r' && i + 1 < left && in.data[at + i + 1] == '\n')
		return i + 2;
	if (in.data[at + i] == '\n')
		return i + 1;
	report->malformed++;
	*(*to)++ = '=';
	return 1;
}

/* White space that the transport added at a line's end (RFC 2045 6.7 rule 3); never what an escape
 * made. */
static uint8_t *trim_line(uint8_t *p, const uint8_t *floor)
{
	while (p > floor && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p;
}

static int decode_quoted(struct span in, struct bytes *out, struct mime_decode_report *report)
{
	uint8_t *p = bytes_room(out, in.size), *begin = p, *floor = p;
	size_t at = 0;

	if (p == NULL)
		return -ERR_TOO_LONG;
	while (at < in.size) {
		uint8_t c = in.data[at];

		if (c == '=') {
			at += quoted_escape(in, at, &p, report);
			floor = p;
			continue;
		}
		if (c == '\n' || c == '\r')
			p = trim_line(p, floor);
		*p++ = c;
		at++;
	}
	out->size += (size_t)(p - begin);
	return 0;
}

/* The octets of one uuencoded line. */
static uint8_t *uu_line(struct span line, uint8_t *p, struct mime_decode_report *report)
{
	size_t wanted = line.size > 0 ? (line.data[0] - 0x20U) & 0x3F : 0;
	uint32_t bits = 0;

	for (size_t i = 1; i < line.size && wanted > 0; i++) {
		uint8_t c = line.data[i];

		report->malformed += c < 0x20 || c > 0x60;
		bits = bits << 6 | ((c - 0x20U) & 0x3F);
		if (i % 4 == 1)
			continue;
		*p++ = (uint8_t)(bits >> (6 - 2 * ((i - 1) % 4)));
		wanted--;
	}
	return p;
}

static int decode_uu(struct span in, struct bytes *out, struct mime_decode_report *report)
{
	uint8_t *p = bytes_room(out, in.size), *begin = p;
	bool inside = false;

	if (p == NULL)
		return -ERR_TOO_LONG;
	for (size_t at = 0; at < in.size;) {
		const uint8_t *lf = memchr(in.data + at, '\n', in.size - at);
		size_t end = lf != NULL ? (size_t)(lf - in.data) : in.size;
		struct span line = {in.data + at, end - at};

		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (!inside)
			inside = span_starts_nocase(line, span_of("begin "));
		else if (span_equal_nocase(line, span_of("end")))
			break;
		else
			p = uu_line(line, p, report);
		at = end + 1;
	}
	out->size += (size_t)(p - begin);
	return 0;
}

enum mime_encoding mime_encoding_of(struct span value)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} names[] = {
		{"", MIME_ENCODING_NONE},
		{"7bit", MIME_ENCODING_NONE},
		{"8bit", MIME_ENCODING_NONE},
		{"binary", MIME_ENCODING_NONE},
		{"7-bit", MIME_ENCODING_NONE},
		{"8-bit", MIME_ENCODING_NONE},
		{"quoted-printable", MIME_ENCODING_QUOTED},
		{"base64", MIME_ENCODING_BASE64},
		{"x-uuencode", MIME_ENCODING_UU},
		{"x-uue", MIME_ENCODING_UU},
		{"uuencode", MIME_ENCODING_UU},
	};
	char token[MIME_TYPE_BYTES];

	mime_value_type(value, token);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(token, names[i].name) == 0)
			return names[i].encoding;
	}
	return MIME_ENCODING_UNKNOWN;
}

int mime_decode(enum mime_encoding encoding, struct span in, struct bytes *out,
		struct mime_decode_report *report)
{
	struct mime_decode_report unused = {0};

	if (report == NULL)
		report = &unused;
	if (in.size == 0)
		return 0;
	switch (encoding) {
	case MIME_ENCODING_QUOTED:
		return decode_quoted(in, out, report);
	case MIME_ENCODING_BASE64:
		return decode_base64(in, out, report);
	case MIME_ENCODING_UU:
		return decode_uu(in, out, report);
	default:
		return bytes_append(out, in.data, in.size);
	}
}

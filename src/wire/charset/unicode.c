/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 (RFC 3629, strict), UTF-16 and UTF-7 (RFC 2152). */
#include "wire/charset/sink.h"

/*
 * The length of the well-formed character at the start of @s, or 0; then @bad is set to the length
 * of the longest start of a character there (1 to 3), which is shown as undecodable.
 */
static inline size_t utf8_length(const uint8_t *s, size_t size, size_t *bad)
{
	uint8_t b = s[0], low = 0x80, high = 0xBF;
	size_t length = b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;

	*bad = 1;
	if (b < 0xC2 || b > 0xF4)
		return 0;
	if (b == 0xE0)
		low = 0xA0;
	else if (b == 0xED)
		high = 0x9F;
	else if (b == 0xF0)
		low = 0x90;
	else if (b == 0xF4)
		high = 0x8F;
	if (size < 2 || s[1] < low || s[1] > high)
		return 0;
	for (*bad = 2; *bad < length; ++*bad) {
		if (*bad >= size || (s[*bad] & 0xC0) != 0x80)
			return 0;
	}
	return length;
}

size_t charset_round_utf8(const struct charset *charset, struct charset_state *state,
			  struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* no variants */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		size_t bad, length;

		if (in.data[at] < 0x80) {
			at = sink_ascii_run(sink, in, at, round);
			continue;
		}
		length = utf8_length(in.data + at, in.size - at, &bad);
		if (length == 3) {
			memcpy(sink->at, in.data + at, 3);
			sink->at += 3;
		} else if (length > 0) {
			memcpy(sink->at, in.data + at, length);
			sink->at += length;
		} else {
			sink_bad(sink, in.data + at, bad);
			length = bad;
		}
		at += length;
	}
	return at;
}

size_t charset_round_utf16(const struct charset *charset, struct charset_state *state,
			   struct span in, size_t round, struct charset_sink *sink)
{
	unsigned high = charset->family == FAMILY_UTF16BE ? 0 : 1;
	size_t at = 0;

	(void)state; /* characters do not span rounds */
	while (at < round) {
		const uint8_t *s = in.data + at;
		size_t left = in.size - at;
		uint32_t c = left >= 2 ? (uint32_t)s[high] << 8 | s[1 - high] : 0xDC00;
		uint32_t low = left >= 4 ? (uint32_t)s[2 + high] << 8 | s[3 - high] : 0;

		if (c < 0xD800 || c > 0xDFFF) {
			sink_code(sink, c);
			at += 2;
		} else if (c < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
			sink_code(sink, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
			at += 4;
		} else {
			sink_bad(sink, s, left >= 2 ? 2 : 1);
			at += left >= 2 ? 2 : 1;
		}
	}
	return at;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void utf7_lone_surrogate(struct charset_state *state, struct charset_sink *sink)
{
	const uint8_t code[2] = {(uint8_t)(state->high >> 8), (uint8_t)state->high};

	if (state->high != 0)
		sink_bad(sink, code, 2);
	state->high = 0;
}

/* One UTF-16 unit out of UTF-7's base64. */
static void utf7_unit(struct charset_state *state, uint16_t unit, struct charset_sink *sink)
{
	if (unit >= 0xDC00 && unit <= 0xDFFF && state->high != 0) {
		sink_code(sink,
			  0x10000 + ((uint32_t)(state->high - 0xD800) << 10) + (unit - 0xDC00U));
		state->high = 0;
		return;
	}
	utf7_lone_surrogate(state, sink);
	if (unit >= 0xD800 && unit <= 0xDFFF) {
		state->high = unit;
		if (unit >= 0xDC00)
			utf7_lone_surrogate(state, sink);
	} else {
		sink_code(sink, unit);
	}
}

/* A byte inside base64. Return: whether it was taken; if not it is to be read as outside. */
static bool utf7_base64(struct charset_state *state, uint8_t b, struct charset_sink *sink)
{
	int value = base64_value(b);

	if (value < 0) {
		utf7_lone_surrogate(state, sink);
		state->in_base64 = false;
		return b == '-';
	}
	state->bits = state->bits << 6 | (uint32_t)value;
	state->bit_count += 6;
	if (state->bit_count >= 16) {
		state->bit_count -= 16;
		utf7_unit(state, (uint16_t)(state->bits >> state->bit_count), sink);
	}
	return true;
}

size_t charset_round_utf7(const struct charset *charset, struct charset_state *state,
			  struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* no variants */
	for (; at < round; at++) {
		uint8_t b = in.data[at];

		if (state->in_base64 && utf7_base64(state, b, sink))
			continue;
		if (b == '+' && at + 1 < in.size && in.data[at + 1] == '-') {
			sink_ascii(sink, '+');
			at++;
		} else if (b == '+') {
			state->in_base64 = true;
			state->bit_count = 0;
		} else if (b < 0x80) {
			sink_ascii(sink, b);
		} else {
			sink_bad(sink, &b, 1);
		}
	}
	return at;
}

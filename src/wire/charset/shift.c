/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charsets of seven bits that shift between ASCII and one set of double bytes: ISO-2022-KR (RFC
 * 1557), ISO-2022-CN (RFC 1922) and HZ (RFC 1843). Browsers refuse them; mail of their time is
 * still kept and forwarded.
 */
#include "wire/charset/sink.h"

/* What ESC designates for SO. Of CNS 11643 there is no table: its codes are shown as such. */
static const struct {
	const char *tail; /* behind ESC */
	uint8_t set;
} designations[] = {
	{"$)C", CHARSET_SET_KSC5601},
	{"$)A", CHARSET_SET_GB2312},
	{"$)G", CHARSET_SET_UNKNOWN},
	{"$)E", CHARSET_SET_GB2312},
	{"$*H", 0},
};

static bool is_cell(uint8_t b)
{
	return b >= 0x21 && b <= 0x7E;
}

/* The double byte at @s, in seven bits or (as some wrote it) in eight. Return: bytes taken, 0 where
 * it is none. */
static size_t put_double(uint8_t set, const uint8_t *s, size_t size, struct charset_sink *sink)
{
	uint8_t row = size >= 2 ? s[0] & 0x7F : 0, cell = size >= 2 ? s[1] & 0x7F : 0;
	uint32_t c;

	if (!is_cell(row) || !is_cell(cell) || (s[0] & 0x80) != (s[1] & 0x80))
		return 0;
	c = set == CHARSET_SET_UNKNOWN ? 0 : charset_cell(set, row, cell);
	if (c != 0)
		sink_code(sink, c);
	else
		sink_gaiji(sink, s, 2);
	return 2;
}

/* Behind the designation at @s, or 0 where it is none. */
static size_t designate(struct charset_state *state, const uint8_t *s, size_t size)
{
	for (size_t i = 0; i < sizeof(designations) / sizeof(designations[0]); i++) {
		size_t length = strlen(designations[i].tail);

		if (size > length && memcmp(s + 1, designations[i].tail, length) == 0) {
			if (designations[i].set != 0)
				state->set = designations[i].set;
			return length + 1;
		}
	}
	return 0;
}

/* A byte that is not shifted. Return: bytes taken. */
static size_t put_other(struct charset_state *state, uint8_t set, const uint8_t *s, size_t size,
			struct charset_sink *sink)
{
	size_t taken = 0;

	if (s[0] == 0x0E || s[0] == 0x0F) {
		state->shifted = s[0] == 0x0E;
		return 1;
	}
	if (s[0] == 0x1B)
		taken = designate(state, s, size);
	else if (s[0] >= 0x80)
		taken = put_double(set, s, size, sink);
	if (taken > 0)
		return taken;
	if (s[0] == 0x1B || s[0] >= 0x80)
		sink_bad(sink, s, 1);
	else
		sink_ascii(sink, s[0]);
	state->shifted = state->shifted && s[0] != '\n'; /* every line begins in ASCII */
	return 1;
}

size_t charset_round_iso2022(const struct charset *charset, struct charset_state *state,
			     struct span in, size_t round, struct charset_sink *sink)
{
	uint8_t usual =
		charset->family == FAMILY_ISO2022_KR ? CHARSET_SET_KSC5601 : CHARSET_SET_GB2312;
	size_t at = 0;

	while (at < round) {
		uint8_t set = state->set != 0 ? state->set : usual;
		size_t taken =
			state->shifted ? put_double(set, in.data + at, in.size - at, sink) : 0;

		at += taken > 0 ? taken : put_other(state, set, in.data + at, in.size - at, sink);
	}
	return at;
}

/* "~{" and "~}" shift, "~~" is a tilde, "~" at a line's end joins it with the next. Return: bytes
 * taken, 0 for none of these. */
static size_t hz_escape(struct charset_state *state, const uint8_t *s, size_t size,
			struct charset_sink *sink)
{
	if (size < 2 || s[0] != '~')
		return 0;
	if (s[1] == '{' || s[1] == '}') {
		state->shifted = s[1] == '{';
		return 2;
	}
	if (s[1] == '~' && !state->shifted) {
		sink_ascii(sink, '~');
		return 2;
	}
	if (s[1] == '\r' && size > 2 && s[2] == '\n')
		return 3;
	return s[1] == '\n' ? 2 : 0;
}

size_t charset_round_hz(const struct charset *charset, struct charset_state *state, struct span in,
			size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* no variants */
	while (at < round) {
		const uint8_t *s = in.data + at;
		size_t left = in.size - at, taken = hz_escape(state, s, left, sink);

		if (taken == 0 && (state->shifted || s[0] >= 0x80))
			taken = put_double(CHARSET_SET_GB2312, s, left, sink);
		at += taken > 0 ? taken : put_other(state, CHARSET_SET_GB2312, s, left, sink);
	}
	return at;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Japanese charsets: 7-bit JIS (ISO-2022-JP and all that mail puts under that label), Shift_JIS
 * as CP932, and EUC-JP as eucJP-ms. Double bytes of all three go through the CP932 repertoire: row
 * 13, NEC's selection and IBM's extensions.
 */
#include "wire/charset/sink.h"

struct escape {
	const char *tail; /* behind ESC */
	uint8_t set;
};

/* JIS X 0201 Roman is read as ASCII: its yen sign stands where everybody reads a backslash. JIS X
 * 0213's planes have 0208 and 0212 in them, at the same places. */
static const struct escape escapes[] = {
	{"(B", CHARSET_SET_ASCII},  {"(J", CHARSET_SET_ASCII},   {"(H", CHARSET_SET_ASCII},
	{"(I", CHARSET_SET_KANA},   {"$B", CHARSET_SET_0208},    {"$@", CHARSET_SET_0208},
	{"$(B", CHARSET_SET_0208},  {"$(@", CHARSET_SET_0208},   {"$(D", CHARSET_SET_0212},
	{"$(O", CHARSET_SET_0208},  {"$(Q", CHARSET_SET_0208},   {"$(P", CHARSET_SET_0212},
	{"$A", CHARSET_SET_GB2312}, {"$(A", CHARSET_SET_GB2312}, {"$(C", CHARSET_SET_KSC5601},
	{"&@", UINT8_MAX},
};

/* Bytes that need a thought outside of double-byte sets: line ends, ESC, SO, SI, and all with the
 * high bit. */
static inline bool is_plain(uint8_t b)
{
	return b >= 0x20 ? b < 0x80 : b != '\n' && b != 0x1B && b != 0x0E && b != 0x0F;
}

static inline bool is_cell(uint8_t b)
{
	return b >= 0x21 && b <= 0x7E;
}

/* Read an escape sequence. Return: its length, or 0 where it is none that designates a set. */
static size_t jis_escape(struct charset_state *state, const uint8_t *s, size_t size)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		size_t length = strlen(escapes[i].tail);

		if (size > length && memcmp(s + 1, escapes[i].tail, length) == 0) {
			if (escapes[i].set !=
			    UINT8_MAX) /* the announcer of a revision: no set by itself */
				state->set = escapes[i].set;
			return length + 1;
		}
	}
	return 0;
}

uint32_t charset_cell(uint8_t set, uint8_t row, uint8_t cell)
{
	size_t lead = (size_t)row + 0x80 - CHARSET_DOUBLE_LEAD, trail = (size_t)cell + 0x80;

	switch (set) {
	case CHARSET_SET_0212:
		return charset_jis0212[(row - 0x21) * CHARSET_JIS_CELLS + cell - 0x21];
	case CHARSET_SET_GB2312:
		return charset_gbk[lead * 191 + trail - 0x40];
	case CHARSET_SET_KSC5601:
		return charset_euc_kr[lead * 190 + trail - 0x41];
	default:
		return charset_jis0208[(row - 0x21) * CHARSET_JIS_CELLS + cell - 0x21];
	}
}

/* A run of double bytes. Return: the new @at, at the first byte that does not belong. */
static size_t jis_double_run(uint8_t set, struct span in, size_t at, size_t end,
			     struct charset_sink *sink)
{
	while (at < end && at + 1 < in.size) {
		uint8_t row = in.data[at], cell = in.data[at + 1];
		uint32_t c;

		if (!is_cell(row) || !is_cell(cell))
			break;
		c = set == CHARSET_SET_0208
			    ? charset_jis0208[(row - 0x21) * CHARSET_JIS_CELLS + cell - 0x21]
			    : charset_cell(set, row, cell);
		if (c != 0)
			sink_code(sink, c);
		else
			sink_gaiji(sink, in.data + at, 2);
		at += 2;
	}
	return at;
}

/* A byte that is neither plain nor part of a double-byte run. Return: how many bytes were taken. */
static size_t jis_special(struct charset_state *state, struct span in, size_t at,
			  struct charset_sink *sink)
{
	uint8_t b = in.data[at];
	size_t length;

	switch (b) {
	case '\n': /* RFC 1468: every line begins in ASCII, also where the sender forgot to return
		    */
		state->set = CHARSET_SET_ASCII;
		state->shifted = false;
		sink_ascii(sink, b);
		return 1;
	case 0x0E:
	case 0x0F:
		state->shifted = b == 0x0E;
		return 1;
	case 0x1B:
		length = jis_escape(state, in.data + at, in.size - at);
		if (length > 0) {
			state->shifted = false;
			return length;
		}
		break;
	default:
		if (b >= 0xA1 && b <= 0xDF) { /* kana in eight bits */
			sink_code(sink, 0xFF61U + b - 0xA1);
			return 1;
		}
		if (b <= 0x20) {
			sink_ascii(sink, b);
			return 1;
		}
		break;
	}
	sink_bad(sink, &b, 1);
	return 1;
}

size_t charset_round_jis7(const struct charset *charset, struct charset_state *state,
			  struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* all variants are read alike */
	while (at < round) {
		uint8_t b = in.data[at];

		if (state->set >= CHARSET_SET_0208 && !state->shifted) {
			at = jis_double_run(state->set, in, at, round, sink);
			if (at < round)
				at += jis_special(state, in, at, sink);
		} else if ((state->set == CHARSET_SET_KANA || state->shifted) && b >= 0x21 &&
			   b <= 0x5F) {
			sink_code(sink, 0xFF61U + b - 0x21);
			at++;
		} else if (is_plain(b)) {
			sink_ascii(sink, b);
			at++;
		} else {
			at += jis_special(state, in, at, sink);
		}
	}
	return at;
}

/* The index into charset_jis0208 of a Shift_JIS pair, or -1 where it is none. */
static inline int sjis_index(uint8_t lead, uint8_t trail)
{
	int row = (lead - (lead < 0xA0 ? 0x81 : 0xC1)) * 2;

	if (trail < 0x40 || trail == 0x7F || trail > 0xFC)
		return -1;
	if (trail >= 0x9F)
		return (row + 1) * CHARSET_JIS_CELLS + trail - 0x9F;
	return row * CHARSET_JIS_CELLS + trail - (trail > 0x7F ? 0x41 : 0x40);
}

size_t charset_round_sjis(const struct charset *charset, struct charset_state *state,
			  struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* every label of the family means CP932 */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		uint8_t b = in.data[at];
		int index = -1;

		if (b < 0x80) {
			at = sink_ascii_run(sink, in, at, round);
			continue;
		}
		if (b >= 0xA1 && b <= 0xDF) {
			sink_code(sink, 0xFF61U + b - 0xA1);
			at++;
			continue;
		}
		if (b != 0x80 && b != 0xA0 && b <= 0xFC && at + 1 < in.size)
			index = sjis_index(b, in.data[at + 1]);
		if (index < 0) {
			sink_bad(sink, &b, 1);
			at++;
			continue;
		}
		if (charset_jis0208[index] != 0)
			sink_code(sink, charset_jis0208[index]);
		else
			sink_gaiji(sink, in.data + at, 2);
		at += 2;
	}
	return at;
}

static inline bool is_euc(uint8_t b)
{
	return b >= 0xA1 && b != 0xFF;
}

/* The double byte, or the three-byte code at @s. Return: bytes taken. */
static size_t euc_multi(const uint8_t *s, size_t size, struct charset_sink *sink)
{
	size_t lead = s[0] == 0x8F ? 1 : 0;
	const uint16_t *table = lead ? charset_jis0212 : charset_jis0208;
	uint16_t c;

	if (size < lead + 2 || !is_euc(s[lead]) || !is_euc(s[lead + 1])) {
		sink_bad(sink, s, 1);
		return 1;
	}
	c = table[(s[lead] - 0xA1) * CHARSET_JIS_CELLS + s[lead + 1] - 0xA1];
	if (c != 0)
		sink_code(sink, c);
	else
		sink_gaiji(sink, s, lead + 2);
	return lead + 2;
}

size_t charset_round_euc_jp(const struct charset *charset, struct charset_state *state,
			    struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* every label of the family means eucJP-ms */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		const uint8_t *s = in.data + at;
		size_t left = in.size - at;

		if (s[0] < 0x80) {
			at = sink_ascii_run(sink, in, at, round);
		} else if (s[0] == 0x8E && left >= 2 && s[1] >= 0xA1 && s[1] <= 0xDF) {
			sink_code(sink, 0xFF61U + s[1] - 0xA1);
			at += 2;
		} else {
			at += euc_multi(s, left, sink);
		}
	}
	return at;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GB18030 (and GBK within it), Big5 with HKSCS, and EUC-KR as the Unified Hangul Code. */
#include "wire/charset/sink.h"

enum { LEADS = 126, GBK_TRAILS = 191, EUC_KR_TRAILS = 190 };

/* A table entry as a code point. */
static uint32_t double_code(uint16_t entry)
{
	if (entry >= CHARSET_ASTRAL && entry < 0xE000)
		return charset_astral[entry - CHARSET_ASTRAL];
	return entry;
}

/* The character at @s through a table of @trails trail bytes from @first on. Return: bytes taken.
 */
static size_t double_one(const uint16_t *table, size_t trails, uint8_t first, const uint8_t *s,
			 size_t size, struct charset_sink *sink)
{
	uint32_t c;

	if (size < 2 || s[0] < CHARSET_DOUBLE_LEAD || s[0] >= CHARSET_DOUBLE_LEAD + LEADS ||
	    s[1] < first || s[1] == 0x7F || s[1] == 0xFF) {
		sink_bad(sink, s, 1);
		return 1;
	}
	c = double_code(table[(s[0] - CHARSET_DOUBLE_LEAD) * trails + s[1] - first]);
	if (c != 0) {
		sink_code(sink, c);
		return 2;
	}
	/* Where the second byte is a letter, do not let a stray lead byte take it along. */
	if (s[1] < 0x80) {
		sink_bad(sink, s, 1);
		return 1;
	}
	sink_gaiji(sink, s, 2);
	return 2;
}

size_t charset_round_big5(const struct charset *charset, struct charset_state *state,
			  struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* every label of the family means Big5-HKSCS */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		if (in.data[at] < 0x80)
			at = sink_ascii_run(sink, in, at, round);
		else
			at += double_one(charset_big5, GBK_TRAILS, 0x40, in.data + at, in.size - at,
					 sink);
	}
	return at;
}

size_t charset_round_euc_kr(const struct charset *charset, struct charset_state *state,
			    struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* every label of the family means UHC */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		if (in.data[at] < 0x80)
			at = sink_ascii_run(sink, in, at, round);
		else
			at += double_one(charset_euc_kr, EUC_KR_TRAILS, 0x41, in.data + at,
					 in.size - at, sink);
	}
	return at;
}

/* The code point of a four-byte code by its linear number, or 0. */
static uint32_t gb18030_code(uint32_t linear)
{
	uint32_t low = 0, high = charset_gb18030_pairs - 1;

	if (linear >= 189000 && linear < 189000 + 0x100000)
		return linear - 189000 + 0x10000;
	if (linear < charset_gb18030[0] || linear >= charset_gb18030[2 * high])
		return 0;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (charset_gb18030[2 * middle] <= linear)
			low = middle;
		else
			high = middle;
	}
	return charset_gb18030[2 * low + 1] + linear - charset_gb18030[2 * low];
}

static bool is_gb18030_four(const uint8_t *s, size_t size)
{
	return size >= 4 && s[0] >= 0x81 && s[0] <= 0xFE && s[1] >= '0' && s[1] <= '9' &&
	       s[2] >= 0x81 && s[2] <= 0xFE && s[3] >= '0' && s[3] <= '9';
}

static size_t gb18030_four(const uint8_t *s, struct charset_sink *sink)
{
	uint32_t linear =
		((s[0] - 0x81U) * 10 + s[1] - '0') * 1260 + (s[2] - 0x81U) * 10 + s[3] - '0';
	uint32_t c = gb18030_code(linear);

	if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
		sink_gaiji(sink, s, 4);
	else
		sink_code(sink, c);
	return 4;
}

size_t charset_round_gb18030(const struct charset *charset, struct charset_state *state,
			     struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)charset; /* every label of the family means GB18030 */
	(void)state;   /* characters do not span rounds */
	while (at < round) {
		const uint8_t *s = in.data + at;

		if (s[0] < 0x80) {
			at = sink_ascii_run(sink, in, at, round);
		} else if (s[0] == 0x80) { /* WHATWG: the euro sign */
			sink_code(sink, 0x20AC);
			at++;
		} else if (is_gb18030_four(s, in.size - at)) {
			at += gb18030_four(s, sink);
		} else {
			at += double_one(charset_gbk, GBK_TRAILS, 0x40, s, in.size - at, sink);
		}
	}
	return at;
}

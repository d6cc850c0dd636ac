/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the decoders share: where they write, and how they show what they cannot decode. For
 * this folder only. */
#ifndef SEKISHO_WIRE_CHARSET_SINK_H
#define SEKISHO_WIRE_CHARSET_SINK_H

#include <string.h>

#include "wire/charset/charset.h"
#include "wire/charset/tables.h"

enum charset_family {
	FAMILY_UTF8,
	FAMILY_UTF16LE,
	FAMILY_UTF16BE,
	FAMILY_UTF7,
	FAMILY_SINGLE,
	FAMILY_JIS7,
	FAMILY_SJIS,
	FAMILY_EUC_JP,
	FAMILY_GB18030,
	FAMILY_BIG5,
	FAMILY_EUC_KR,
	FAMILY_ISO2022_KR,
	FAMILY_ISO2022_CN,
	FAMILY_HZ
};

/* The sets that an escape sequence designates. ASCII is the state at the start and after every line
 * end. */
enum charset_set {
	CHARSET_SET_ASCII,
	CHARSET_SET_KANA,
	CHARSET_SET_0208,
	CHARSET_SET_0212,
	CHARSET_SET_GB2312,
	CHARSET_SET_KSC5601,
	CHARSET_SET_UNKNOWN, /* double bytes without a table */
};

struct charset {
	const char *name;
	enum charset_family family;
	const uint16_t *table; /* FAMILY_SINGLE: code points of 0x80 to 0xFF */
};

/*
 * A decoder takes input in rounds of at most SINK_ROUND bytes (and what finishes the last
 * character), and has room for all that these can become: at most five bytes each, and some more
 * for what spans a round.
 */
#define SINK_ROUND 4096
#define SINK_MORE  64

struct charset_sink {
	struct charset_report *report;
	uint8_t *at;      /* where the next byte goes */
	uint8_t *bad_end; /* behind the bracket of the last undecodable byte, to join neighbours */
};

/* State that spans rounds; each decoder uses its own part. */
struct charset_state {
	uint8_t set;   /* 7-bit JIS, ISO-2022: the designated set */
	bool shifted;  /* 7-bit JIS, ISO-2022: after SO; HZ: after ~{ */
	uint32_t bits; /* UTF-7 */
	uint8_t bit_count;
	bool in_base64; /* UTF-7 */
	uint16_t high;  /* UTF-7: high surrogate that waits for its other half */
};

/* One round: decode from @in up to @round bytes or a little more; return the bytes taken, at
 * least 1. */
typedef size_t charset_round(const struct charset *charset, struct charset_state *state,
			     struct span in, size_t round, struct charset_sink *sink);

charset_round charset_round_utf8, charset_round_utf16, charset_round_utf7, charset_round_single,
	charset_round_jis7, charset_round_sjis, charset_round_euc_jp, charset_round_gb18030,
	charset_round_big5, charset_round_euc_kr, charset_round_iso2022, charset_round_hz;

/* The character of a double-byte set (from CHARSET_SET_0208 on) at row and cell 0x21 to 0x7E, or 0.
 */
uint32_t charset_cell(uint8_t set, uint8_t row, uint8_t cell);

/* Undecodable bytes, as "[XX XX]"; joined to the ones just before. */
void sink_bad(struct charset_sink *sink, const uint8_t *bytes, size_t count);
/* A well-formed code without a character: a geta mark and the code in hexadecimal. */
void sink_gaiji(struct charset_sink *sink, const uint8_t *code, size_t count);

static inline void sink_ascii(struct charset_sink *sink, uint8_t c)
{
	*sink->at++ = c;
}

/* Any code point but a surrogate. */
static inline void sink_code(struct charset_sink *sink, uint32_t c)
{
	uint8_t *p = sink->at;

	if (c >= 0x800 && c < 0x10000) {
		p[0] = (uint8_t)(0xE0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c & 0x3F));
		sink->at = p + 3;
	} else if (c < 0x80) {
		p[0] = (uint8_t)c;
		sink->at = p + 1;
	} else if (c < 0x800) {
		p[0] = (uint8_t)(0xC0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3F));
		sink->at = p + 2;
	} else {
		p[0] = (uint8_t)(0xF0 | c >> 18);
		p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[3] = (uint8_t)(0x80 | (c & 0x3F));
		sink->at = p + 4;
	}
}

/* How many bytes at the start of @s are ASCII, at most @size. */
static inline size_t ascii_run(const uint8_t *s, size_t size)
{
	size_t n = 0;

	for (; size - n >= 8; n += 8) {
		uint64_t eight;

		memcpy(&eight, s + n, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (n < size && s[n] < 0x80)
		n++;
	return n;
}

/* Copy the ASCII at @at, but not beyond @end. Return: the new @at. */
static inline size_t sink_ascii_run(struct charset_sink *sink, struct span in, size_t at,
				    size_t end)
{
	size_t n = ascii_run(in.data + at, end - at);

	memcpy(sink->at, in.data + at, n);
	sink->at += n;
	return at + n;
}

#endif

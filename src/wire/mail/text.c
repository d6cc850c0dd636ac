/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The characters of sanitised mail: which may follow which, how octets become them, and a quick way
 * over the common ones. Depends on nothing but the C library, and SSE2 where there is one. */
#include "wire/mail/text.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Ranges of code points, sorted; everything not named is MAIL_TEXT_OTHER. */
enum range_kind {
	RANGE_HAN = MAIL_TEXT_HAN,
	RANGE_EMOJI = MAIL_TEXT_EMOJI,
	RANGE_KEYCAP = MAIL_TEXT_KEYCAP,
	RANGE_JOINER = MAIL_TEXT_JOINER,
	RANGE_SELECT_HAN,
	RANGE_SELECT_EMOJI,
	RANGE_BAD
};

struct range {
	uint32_t first;
	uint32_t last;
	uint8_t kind; /* enum range_kind */
};

static const struct range ranges[] = {
	{0x0000, 0x0008, RANGE_BAD},    {0x000A, 0x001F, RANGE_BAD},
	{0x0023, 0x0023, RANGE_KEYCAP}, {0x002A, 0x002A, RANGE_KEYCAP},
	{0x0030, 0x0039, RANGE_KEYCAP}, {0x007F, 0x009F, RANGE_BAD},
	{0x00A9, 0x00A9, RANGE_EMOJI},  {0x00AD, 0x00AD, RANGE_BAD},
	{0x00AE, 0x00AE, RANGE_EMOJI},  {0x034F, 0x034F, RANGE_BAD},
	{0x061C, 0x061C, RANGE_BAD},    {0x115F, 0x1160, RANGE_BAD},
	{0x17B4, 0x17B5, RANGE_BAD},    {0x180B, 0x180F, RANGE_BAD},
	{0x200B, 0x200C, RANGE_BAD},    {0x200D, 0x200D, RANGE_JOINER},
	{0x200E, 0x200F, RANGE_BAD},    {0x2028, 0x202E, RANGE_BAD},
	{0x203C, 0x203C, RANGE_EMOJI},  {0x2049, 0x2049, RANGE_EMOJI},
	{0x2060, 0x206F, RANGE_BAD},    {0x2122, 0x2122, RANGE_EMOJI},
	{0x2139, 0x2139, RANGE_EMOJI},  {0x2194, 0x2199, RANGE_EMOJI},
	{0x21A9, 0x21AA, RANGE_EMOJI},  {0x231A, 0x231B, RANGE_EMOJI},
	{0x2328, 0x2328, RANGE_EMOJI},  {0x23CF, 0x23CF, RANGE_EMOJI},
	{0x23E9, 0x23FA, RANGE_EMOJI},  {0x24C2, 0x24C2, RANGE_EMOJI},
	{0x25AA, 0x25AB, RANGE_EMOJI},  {0x25B6, 0x25B6, RANGE_EMOJI},
	{0x25C0, 0x25C0, RANGE_EMOJI},  {0x25FB, 0x25FE, RANGE_EMOJI},
	{0x2600, 0x27BF, RANGE_EMOJI},  {0x2934, 0x2935, RANGE_EMOJI},
	{0x2B05, 0x2B07, RANGE_EMOJI},  {0x2B1B, 0x2B1C, RANGE_EMOJI},
	{0x2B50, 0x2B50, RANGE_EMOJI},  {0x2B55, 0x2B55, RANGE_EMOJI},
	{0x3005, 0x3007, RANGE_HAN},    {0x3030, 0x3030, RANGE_EMOJI},
	{0x303D, 0x303D, RANGE_EMOJI},  {0x3164, 0x3164, RANGE_BAD},
	{0x3297, 0x3297, RANGE_EMOJI},  {0x3299, 0x3299, RANGE_EMOJI},
	{0x3400, 0x4DBF, RANGE_HAN},    {0x4E00, 0x9FFF, RANGE_HAN},
	{0xD800, 0xF8FF, RANGE_BAD},    {0xF900, 0xFAFF, RANGE_HAN},
	{0xFDD0, 0xFDEF, RANGE_BAD},    {0xFE00, 0xFE02, RANGE_SELECT_HAN},
	{0xFE03, 0xFE0D, RANGE_BAD},    {0xFE0E, 0xFE0F, RANGE_SELECT_EMOJI},
	{0xFEFF, 0xFEFF, RANGE_BAD},    {0xFFA0, 0xFFA0, RANGE_BAD},
	{0xFFF0, 0xFFFC, RANGE_BAD},    {0xFFFE, 0xFFFF, RANGE_BAD},
	{0x13430, 0x1345F, RANGE_BAD},  {0x1BCA0, 0x1BCA3, RANGE_BAD},
	{0x1D173, 0x1D17A, RANGE_BAD},  {0x1F000, 0x1FAFF, RANGE_EMOJI},
	{0x1FFFE, 0x1FFFF, RANGE_BAD},  {0x20000, 0x2FFFD, RANGE_HAN},
	{0x2FFFE, 0x2FFFF, RANGE_BAD},  {0x30000, 0x3FFFD, RANGE_HAN},
	{0x3FFFE, 0x3FFFF, RANGE_BAD},  {0x4FFFE, 0x4FFFF, RANGE_BAD},
	{0x5FFFE, 0x5FFFF, RANGE_BAD},  {0x6FFFE, 0x6FFFF, RANGE_BAD},
	{0x7FFFE, 0x7FFFF, RANGE_BAD},  {0x8FFFE, 0x8FFFF, RANGE_BAD},
	{0x9FFFE, 0x9FFFF, RANGE_BAD},  {0xAFFFE, 0xAFFFF, RANGE_BAD},
	{0xBFFFE, 0xBFFFF, RANGE_BAD},  {0xCFFFE, 0xCFFFF, RANGE_BAD},
	{0xDFFFE, 0xE00FF, RANGE_BAD},  {0xE0100, 0xE01EF, RANGE_SELECT_HAN},
	{0xE01F0, 0xE0FFF, RANGE_BAD},  {0xEFFFE, UINT32_MAX, RANGE_BAD},
};

static uint8_t text_range(uint32_t c)
{
	size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > ranges[middle].last)
			low = middle + 1;
		else if (c < ranges[middle].first)
			high = middle;
		else
			return ranges[middle].kind;
	}
	return MAIL_TEXT_OTHER;
}

bool mail_text_step(enum mail_text_before *before, uint32_t c)
{
	enum mail_text_before last = *before;
	uint8_t kind;

	/* Kana and the common ideographs need no look-up; nor do Latin letters. */
	if (c - 0x3041 < 0x3164 - 0x3041 || c - 0x40 < 0x7F - 0x40)
		kind = MAIL_TEXT_OTHER;
	else if (c - 0x4E00 <= 0x9FFF - 0x4E00)
		kind = RANGE_HAN;
	else
		kind = text_range(c);

	*before = MAIL_TEXT_OTHER;
	switch (kind) {
	case RANGE_BAD:
		return false;
	case RANGE_JOINER:
		*before = MAIL_TEXT_JOINER;
		return last == MAIL_TEXT_EMOJI || last == MAIL_TEXT_EMOJI_DONE;
	case RANGE_SELECT_HAN:
		return last == MAIL_TEXT_HAN;
	case RANGE_SELECT_EMOJI:
		if (last == MAIL_TEXT_EMOJI)
			*before = MAIL_TEXT_EMOJI_DONE;
		return last == MAIL_TEXT_EMOJI || last == MAIL_TEXT_KEYCAP;
	case RANGE_EMOJI:
		*before = MAIL_TEXT_EMOJI;
		return true;
	default:
		*before = (enum mail_text_before)kind;
		return last != MAIL_TEXT_JOINER;
	}
}

bool mail_text_octet(struct mail_text *t, uint8_t b)
{
	enum mail_text_before before = (enum mail_text_before)t->before;
	bool good;

	if (t->need > 0) {
		if ((b & 0xC0) != 0x80)
			return false;
		t->c = t->c << 6 | (b & 0x3F);
		if (--t->need > 0)
			return true;
		if (t->c < t->low)
			return false;
	} else if (b < 0x80) {
		t->c = b;
	} else if (b >= 0xC2 && b <= 0xF4) {
		t->need = b >= 0xF0 ? 3 : b >= 0xE0 ? 2 : 1;
		t->low = b >= 0xF0 ? 0x10000 : b >= 0xE0 ? 0x800 : 0x80;
		t->c = b & (0x3F >> t->need);
		return true;
	} else {
		return false;
	}
	good = mail_text_step(&before, t->c);
	t->before = (uint8_t)before;
	return good;
}

/*
 * Common characters: letters, punctuation and symbols of Latin and Japanese text, ideographs, kana,
 * full-width forms. None is forbidden, waits for another, or must not be parted from the one before
 * it (as combining marks). By blocks of 64 code points, which the first two octets of three tell.
 */
enum block { NONE, ALL, QUOTES, BRACKETS, KANA };

#define BIT(c) (UINT64_C(1) << ((c) & 63))

static const uint64_t block_sets[] = {
	[NONE] = 0,
	[ALL] = UINT64_MAX,
	[QUOTES] = BIT(0x2028) - BIT(0x2010),
	[BRACKETS] = ~(BIT(0x3030) - BIT(0x302A)), /* without tone marks */
	[KANA] = ~(BIT(0x3099) | BIT(0x309A)),     /* without voiced sound marks */
};

/* No ranges in brackets, which CBMC takes for their first place alone. */
#define FOUR(k)    k, k, k, k
#define SIXTEEN(k) FOUR(k), FOUR(k), FOUR(k), FOUR(k)
#define ROW(a, b, c, d, e, f, k)                                                                   \
	a, b, c, d, e, f, k, k, FOUR(k), FOUR(k), SIXTEEN(k), SIXTEEN(k), SIXTEEN(k)
#define ROW_OF(k) SIXTEEN(k), SIXTEEN(k), SIXTEEN(k), SIXTEEN(k)

static const uint8_t blocks[1024] = {
	[0x2000 >> 6] = ROW(QUOTES, NONE, ALL, NONE, ALL, ALL, ALL),
	[0x3000 >> 6] = ROW(BRACKETS, ALL, KANA, ALL, ALL, NONE, ALL),
	[0x4000 >> 6] = ROW_OF(ALL),
	[0x5000 >> 6] = ROW_OF(ALL),
	[0x6000 >> 6] = ROW_OF(ALL),
	[0x7000 >> 6] = ROW_OF(ALL),
	[0x8000 >> 6] = ROW_OF(ALL),
	[0x9000 >> 6] = ROW_OF(ALL),
	[0xFF00 >> 6] = ALL,
	[0xFF40 >> 6] = ALL,
};

enum {
	LENGTH_MOST = 3,                       /* octets of a common character */
	FIRST_OCTETS = 16,                     /* where characters are looked for together */
	AHEAD = FIRST_OCTETS + LENGTH_MOST - 1 /* octets that are read for it */
};

/*
 * How many octets the common character at @s takes, of which LENGTH_MOST can be read; 0: none is
 * there. That a character is common is one look-up for all those of three octets: a branch for each
 * kind could not be foreseen in Japanese text.
 */
static inline size_t common_length(const uint8_t *s)
{
	uint32_t w = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];

	if ((w & 0xF0C0C0) == 0xE08080) {
		uint32_t block = (w >> 10 & 0x3C0) | (w >> 8 & 0x3F);

		return block_sets[blocks[block]] >> (w & 63) & 1 ? 3 : 0;
	}
	if ((s[0] >= 0x20 && s[0] < 0x7F) || s[0] == '\t')
		return 1;
	return s[0] == 0xC3 && (s[1] & 0xC0) == 0x80 ? 2 : 0; /* U+00C0 to U+00FF */
}

/* How far a run has come: to @at, and over as many octets behind it as @carry has bits. */
struct run {
	size_t at;
	uint32_t carry;
};

#ifdef __SSE2__
/* Sixteen octets at a time, in SSE2, which every x86-64 has. A comparison is one of signed numbers,
 * and sets all bits of the octets for which it holds. */
static inline __m128i sixteen(const uint8_t *s)
{
	return _mm_loadu_si128((const void *)s);
}

static inline __m128i all(uint8_t value)
{
	return _mm_set1_epi8((char)value);
}

/* Printable ASCII and the tab: one more than 0x7E is positive, one more than 0x7F is not. */
static inline __m128i is_plain(__m128i octets)
{
	return _mm_or_si128(_mm_cmpgt_epi8(_mm_add_epi8(octets, all(1)), all(0x20)),
			    _mm_cmpeq_epi8(octets, all('\t')));
}

/* Behind an octet of E3, what may be no common character: U+3020 to U+303F (marks of tone are among
 * them), U+3098 to U+309B (marks of voice) and U+3140 to U+317F (a filler). */
static inline __m128i is_mark(__m128i second, __m128i third)
{
	__m128i tone =
		_mm_and_si128(_mm_cmpeq_epi8(second, all(0x80)), _mm_cmpgt_epi8(third, all(0x9F)));
	__m128i voice = _mm_and_si128(_mm_cmpeq_epi8(second, all(0x82)),
				      _mm_cmpeq_epi8(_mm_and_si128(third, all(0xFC)), all(0x98)));

	return _mm_or_si128(_mm_or_si128(tone, voice), _mm_cmpeq_epi8(second, all(0x85)));
}

/*
 * Which of sixteen first octets begin a character from U+3000 to U+9FFF that is no mark. E3 to E9
 * are moved to 0x79 to 0x7F, the greatest numbers; where is_mark holds, and is -1, the least that
 * will do is one more: that leaves E3 out, and no other.
 */
static inline __m128i is_japanese(__m128i first, __m128i second, __m128i third)
{
	__m128i moved = _mm_add_epi8(first, all(0x7F - 0xE9));
	__m128i above = _mm_sub_epi8(all(0x78), is_mark(second, third));
	__m128i lead = _mm_cmpgt_epi8(moved, above);

	return _mm_and_si128(lead, _mm_and_si128(_mm_cmplt_epi8(second, all(0xC0)),
						 _mm_cmplt_epi8(third, all(0xC0))));
}

/*
 * Which of AHEAD octets at @s, a bit each, are of the most common characters. Bits of @carry, which
 * are the first ones, are of a character that began before @s.
 */
static inline uint32_t common_window(const uint8_t *s, uint32_t carry)
{
	__m128i first = sixteen(s), three = is_japanese(first, sixteen(s + 1), sixteen(s + 2));
	uint32_t one = (uint32_t)_mm_movemask_epi8(is_plain(first)),
		 begin = (uint32_t)_mm_movemask_epi8(three);

	return carry | one | begin | begin << 1 | begin << 2;
}

/* One window, or up to the end of a character that it does not know. No window waits for where the
 * characters of the one before it ended. Return: false at what is no common character. */
static inline bool common_step(const uint8_t *s, struct run *r)
{
	uint32_t window = common_window(s + r->at, r->carry);
	size_t length = (size_t)__builtin_ctz(~window);

	if (length >= FIRST_OCTETS) {
		r->at += FIRST_OCTETS;
		r->carry = window >> FIRST_OCTETS;
		return true;
	}
	r->at += length;
	r->carry = 0;
	length = common_length(s + r->at);
	r->at += length;
	return length > 0;
}
#else
/* As above, for other processors: one character. */
static inline bool common_step(const uint8_t *s, struct run *r)
{
	size_t length = common_length(s + r->at);

	r->at += length;
	return length > 0;
}
#endif

/* One step after the other, while AHEAD octets are left. */
static inline size_t common_run(const uint8_t *s, size_t size)
{
	struct run r = {0};

	while (size - r.at >= AHEAD && common_step(s, &r))
		;
	return r.at + (size_t)__builtin_ctz(~r.carry);
}

size_t mail_text_run(const uint8_t *s, size_t size_bytes)
{
	uint8_t rest[2 * AHEAD] = {0}; /* zeros are not common: they end it */
	size_t at = common_run(s, size_bytes), left = size_bytes - at;

	if (left == 0 || left >= AHEAD)
		return at;
	memcpy(rest, s + at, left);
	return at + common_run(rest, sizeof(rest));
}

bool mail_text_end(struct mail_text *t)
{
	bool good = t->need == 0 && t->before != MAIL_TEXT_JOINER;

	t->before = MAIL_TEXT_OTHER;
	return good;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding of text for comparison. */
#include "wire/text_fold.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum {
	FULL_WIDTH_FIRST = 0xFF01,
	FULL_WIDTH_LAST = 0xFF5E,
	FULL_WIDTH_OFFSET = 0xFEE0, /* to ASCII */
	HALF_KANA_FIRST = 0xFF61,
	HALF_KANA_LAST = 0xFF9F,
	HALF_VOICED = 0xFF9E,
	HALF_SEMI_VOICED = 0xFF9F,
	ROMAN_LARGE = 0x2160,
	ROMAN_SMALL = 0x2170,
	ROMAN_COUNT = 12,
	CIRCLED_ONE = 0x2460,
	CIRCLED_SECRET = 0x3299,
};

/* JIS X 0201 from 0xA1 on, as JIS X 0208 writes it. */
static const uint16_t full_kana[HALF_KANA_LAST - HALF_KANA_FIRST + 1] = {
	0x3002, 0x300C, 0x300D, 0x3001, 0x30FB, 0x30F2, 0x30A1, 0x30A3, 0x30A5, 0x30A7, 0x30A9,
	0x30E3, 0x30E5, 0x30E7, 0x30C3, 0x30FC, 0x30A2, 0x30A4, 0x30A6, 0x30A8, 0x30AA, 0x30AB,
	0x30AD, 0x30AF, 0x30B1, 0x30B3, 0x30B5, 0x30B7, 0x30B9, 0x30BB, 0x30BD, 0x30BF, 0x30C1,
	0x30C4, 0x30C6, 0x30C8, 0x30CA, 0x30CB, 0x30CC, 0x30CD, 0x30CE, 0x30CF, 0x30D2, 0x30D5,
	0x30D8, 0x30DB, 0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2, 0x30E4, 0x30E6, 0x30E8, 0x30E9,
	0x30EA, 0x30EB, 0x30EC, 0x30ED, 0x30EF, 0x30F3, 0x309B, 0x309C,
};

static int append_utf8(struct bytes *out, uint32_t c)
{
	uint8_t b[4];
	size_t size = 0;

	if (c < 0x80) {
		b[size++] = (uint8_t)c;
	} else if (c < 0x800) {
		b[size++] = (uint8_t)(0xC0 | c >> 6);
	} else if (c < 0x10000) {
		b[size++] = (uint8_t)(0xE0 | c >> 12);
		b[size++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	} else {
		b[size++] = (uint8_t)(0xF0 | c >> 18);
		b[size++] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
		b[size++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	}
	if (c >= 0x80)
		b[size++] = (uint8_t)(0x80 | (c & 0x3F));
	return bytes_append(out, b, size);
}

/* White space and what has no width (UAX 44: Zs, Cf as far as mail has them). */
static bool is_nothing(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} nothing[] = {
		{0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},       {0xA0, 0xA0},
		{0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},
		{0x1680, 0x1680}, {0x180B, 0x180F}, {0x2000, 0x200F},   {0x2028, 0x202F},
		{0x205F, 0x206F}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},
		{0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xE0000, 0xE01EF},
	};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		if (c >= nothing[i].first && c <= nothing[i].last)
			return true;
	}
	return false;
}

/* Katakana with a (semi-)voiced mark behind it: 0 where the two make no letter. */
static uint32_t voiced(uint32_t kana, uint32_t mark)
{
	bool takes_voice = (kana >= 0x30AB && kana <= 0x30C2 && kana % 2 == 1) ||
			   (kana >= 0x30C4 && kana <= 0x30C8 && kana % 2 == 0);
	bool is_ha_row = kana >= 0x30CF && kana <= 0x30DB && (kana - 0x30CF) % 3 == 0;

	if (mark == HALF_SEMI_VOICED)
		return is_ha_row ? kana + 2 : 0;
	if (mark != HALF_VOICED)
		return 0;
	if (kana == 0x30A6)
		return 0x30F4;
	return takes_voice || is_ha_row ? kana + 1 : 0;
}

/* The character at the beginning of @s and the mark that may follow it. Return: bytes taken. */
static size_t fold_kana(struct span s, size_t size, uint32_t c, struct bytes *out, int *err)
{
	uint32_t kana = full_kana[c - HALF_KANA_FIRST], mark = 0, joined;
	size_t more = utf8_decode((struct span){s.data + size, s.size - size}, &mark);

	joined = more > 0 ? voiced(kana, mark) : 0;
	*err = append_utf8(out, joined != 0 ? joined : kana);
	return joined != 0 ? size + more : size;
}

static int fold_roman(uint32_t number, struct bytes *out)
{
	static const char *const numerals[ROMAN_COUNT] = {
		"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
	};

	return bytes_append_text(out, numerals[number]);
}

static int fold_one(uint32_t c, struct bytes *out)
{
	if (c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST)
		c -= FULL_WIDTH_OFFSET;
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	if (c >= ROMAN_LARGE && c < ROMAN_LARGE + ROMAN_COUNT)
		return fold_roman(c - ROMAN_LARGE, out);
	if (c >= ROMAN_SMALL && c < ROMAN_SMALL + ROMAN_COUNT)
		return fold_roman(c - ROMAN_SMALL, out);
	if (c >= CIRCLED_ONE && c < CIRCLED_ONE + 9)
		c = '1' + (c - CIRCLED_ONE);
	if (c == CIRCLED_SECRET)
		c = 0x79D8;
	return is_nothing(c) ? 0 : append_utf8(out, c);
}

int text_fold(struct span utf8, struct bytes *out)
{
	int err = 0;

	while (utf8.size > 0 && err == 0) {
		uint32_t c;
		size_t size = utf8_decode(utf8, &c);

		if (size == 0) {
			size = 1;
			err = bytes_append(out, utf8.data, 1);
		} else if (c >= HALF_KANA_FIRST && c <= HALF_KANA_LAST) {
			size = fold_kana(utf8, size, c, out, &err);
		} else {
			err = fold_one(c, out);
		}
		utf8 = (struct span){utf8.data + size, utf8.size - size};
	}
	return err;
}

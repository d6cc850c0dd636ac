/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding of text for comparison. */
#include "wire/text/fold.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum {
	FULL_WIDTH_FIRST = 0xFF01,
	FULL_WIDTH_LAST = 0xFF5E,
	FULL_WIDTH_OFFSET = 0xFEE0, /* to ASCII */
	HALF_KANA_FIRST = 0xFF61,
	HALF_KANA_LAST = 0xFF9F,
	VOICED = 0x309B, /* the sound marks as characters of their own */
	SEMI_VOICED = 0x309C,
	KATAKANA_OFFSET = 0x60, /* from hiragana */
	ROMAN_LARGE = 0x2160,
	ROMAN_SMALL = 0x2170,
	ROMAN_COUNT = 12,
	CIRCLED_SECRET = 0x3299,
};

/* Text while it is folded. */
struct folder {
	struct bytes *out;
	uint32_t kana; /* waits for what follows: a sound mark is joined to it; 0: none */
	int err;
};

/* Digits in circles, brackets, with a full stop, above and below the line. */
static const struct {
	uint32_t first, last;
	char digit; /* of the first */
} digits[] = {
	{0xB2, 0xB3, '2'},     {0xB9, 0xB9, '1'},     {0x2070, 0x2070, '0'}, {0x2074, 0x2079, '4'},
	{0x2080, 0x2089, '0'}, {0x2460, 0x2468, '1'}, {0x2474, 0x247C, '1'}, {0x2488, 0x2490, '1'},
	{0x24F5, 0x24FD, '1'}, {0x2776, 0x277E, '1'}, {0x2780, 0x2788, '1'}, {0x278A, 0x2792, '1'},
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

/* A sound mark in any of its forms as a character of its own; 0 for every other character. */
static uint32_t sound_mark(uint32_t c)
{
	if (c == VOICED || c == 0x3099 || c == 0xFF9E)
		return VOICED;
	return c == SEMI_VOICED || c == 0x309A || c == 0xFF9F ? SEMI_VOICED : 0;
}

/* Katakana with a sound mark behind it: 0 where the two make no letter. */
static uint32_t voiced_katakana(uint32_t kana, uint32_t mark)
{
	bool takes_voice = (kana >= 0x30AB && kana <= 0x30C2 && kana % 2 == 1) ||
			   (kana >= 0x30C4 && kana <= 0x30C8 && kana % 2 == 0) || kana == 0x30FD;
	bool is_ha_row = kana >= 0x30CF && kana <= 0x30DB && (kana - 0x30CF) % 3 == 0;

	if (mark == SEMI_VOICED)
		return is_ha_row ? kana + 2 : 0;
	if (kana == 0x30A6)
		return 0x30F4;
	if (kana >= 0x30EF && kana <= 0x30F2)
		return kana + 8;
	return takes_voice || is_ha_row ? kana + 1 : 0;
}

/* The same for both kinds of kana. */
static uint32_t voiced(uint32_t kana, uint32_t mark)
{
	uint32_t joined;

	if (kana < 0x3041 || kana > 0x309D)
		return voiced_katakana(kana, mark);
	joined = voiced_katakana(kana + KATAKANA_OFFSET, mark);
	if (joined >= 0x30F7 && joined <= 0x30FA)
		return 0; /* katakana alone has these */
	return joined != 0 ? joined - KATAKANA_OFFSET : 0;
}

static void put(struct folder *f, uint32_t c)
{
	if (f->err == 0)
		f->err = append_utf8(f->out, c);
}

/* Kana wait until it is known that no sound mark follows. */
static void put_waiting(struct folder *f)
{
	if (f->kana != 0)
		put(f, f->kana);
	f->kana = 0;
}

static void fold_mark(struct folder *f, uint32_t mark)
{
	uint32_t joined = f->kana != 0 ? voiced(f->kana, mark) : 0;

	if (joined != 0)
		f->kana = 0;
	else
		put_waiting(f);
	put(f, joined != 0 ? joined : mark);
}

static void fold_roman(struct folder *f, uint32_t number)
{
	static const char *const numerals[ROMAN_COUNT] = {
		"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
	};

	if (f->err == 0)
		f->err = bytes_append_text(f->out, numerals[number]);
}

/* What stands for another character alone. */
static uint32_t fold_one(uint32_t c)
{
	if (c >= HALF_KANA_FIRST && c <= HALF_KANA_LAST)
		return full_kana[c - HALF_KANA_FIRST];
	if (c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST)
		c -= FULL_WIDTH_OFFSET;
	if (c >= 'A' && c <= 'Z')
		return c | 0x20;
	for (size_t i = 0; c > 0x7F && i < sizeof(digits) / sizeof(digits[0]); i++) {
		if (c >= digits[i].first && c <= digits[i].last)
			return (uint32_t)digits[i].digit + (c - digits[i].first);
	}
	if (c == 0xA6 || c == 0x2502 || c == 0x2503 || c == 0xFFE4 || c == 0xFFE8)
		return '|';
	return c == CIRCLED_SECRET ? 0x79D8 : c;
}

static void fold(struct folder *f, uint32_t c)
{
	if (is_nothing(c))
		return;
	if (sound_mark(c) != 0) {
		fold_mark(f, sound_mark(c));
		return;
	}
	put_waiting(f);
	c = fold_one(c);
	if (c >= ROMAN_LARGE && c < ROMAN_LARGE + ROMAN_COUNT)
		fold_roman(f, c - ROMAN_LARGE);
	else if (c >= ROMAN_SMALL && c < ROMAN_SMALL + ROMAN_COUNT)
		fold_roman(f, c - ROMAN_SMALL);
	else if (c >= 0x3041 && c <= 0x30FD)
		f->kana = c;
	else
		put(f, c);
}

int text_fold(struct span utf8, struct bytes *out)
{
	struct folder f = {.out = out};

	while (utf8.size > 0 && f.err == 0) {
		uint32_t c;
		size_t size = utf8_decode(utf8, &c);

		if (size > 0) {
			fold(&f, c);
		} else {
			size = 1;
			put_waiting(&f);
			f.err = f.err < 0 ? f.err : bytes_append(out, utf8.data, 1);
		}
		utf8 = (struct span){utf8.data + size, utf8.size - size};
	}
	put_waiting(&f);
	return f.err;
}

void text_fold_drop_layout(struct bytes *folded)
{
	size_t kept = 0;

	for (size_t i = 0; i < folded->size; i++) {
		if (folded->data[i] != '|' && folded->data[i] != '>')
			folded->data[kept++] = folded->data[i];
	}
	folded->size = kept;
}

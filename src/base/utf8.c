/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 decoding by RFC 3629 section 4, and terminal widths by UAX 11. */
#include "base/utf8.h"

#include <string.h>

#define TAB_COLUMNS 8 /* between the stops that a terminal has until it is told others */

/* What may follow a lead byte of two or four: RFC 3629 section 4, one row per production. */
static const struct {
	uint8_t lead_low, lead_high;
	uint8_t second_low, second_high;
	uint8_t size;
} forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static size_t decode_form(struct span s, size_t form, uint32_t *character)
{
	uint32_t c;

	if (s.size < forms[form].size || s.data[1] < forms[form].second_low ||
	    s.data[1] > forms[form].second_high)
		return 0;
	c = s.data[0] & (0x7fU >> forms[form].size);
	for (size_t i = 1; i < forms[form].size; i++) {
		if ((s.data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s.data[i] & 0x3f);
	}
	*character = c;
	return forms[form].size;
}

/* The productions of three bytes as one: most of Japanese text is read here. */
static size_t decode_three(struct span s, uint32_t *character)
{
	uint32_t w, c;

	if (s.size < 3)
		return 0;
	w = (uint32_t)s.data[0] << 16 | (uint32_t)s.data[1] << 8 | s.data[2];
	c = (w >> 4 & 0xf000) | (w >> 2 & 0xfc0) | (w & 0x3f);
	if ((w & 0xf0c0c0) != 0xe08080 || c < 0x800 || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*character = c;
	return 3;
}

size_t utf8_decode(struct span s, uint32_t *character)
{
	if (s.size == 0)
		return 0;
	if (s.data[0] < 0x80) {
		*character = s.data[0];
		return 1;
	}
	if ((s.data[0] & 0xf0) == 0xe0)
		return decode_three(s, character);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s.data[0] >= forms[i].lead_low && s.data[0] <= forms[i].lead_high)
			return decode_form(s, i, character);
	}
	return 0;
}

uint32_t utf8_narrow(uint32_t character)
{
	if (character >= 0xFF01 && character <= 0xFF5E)
		return character - 0xFF01 + '!';
	return character == 0x3000 ? ' ' : character;
}

void utf8_one_line(char *out, size_t out_bytes, struct span typed)
{
	size_t used = 0;
	uint32_t c;

	while (typed.size > 0) {
		size_t n = utf8_decode(typed, &c);

		if (n > out_bytes - 1 - used)
			break;
		if (n > 0 && c >= 0x20 && (c < 0x7f || c > 0x9f) && !utf8_is_bidi_control(c)) {
			memcpy(out + used, typed.data, n);
			used += n;
		}
		n += n == 0;
		typed.data += n;
		typed.size -= n;
	}
	out[used] = '\0';
}

bool utf8_is_bidi_control(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

bool utf8_valid(struct span s)
{
	uint32_t c;

	while (s.size > 0) {
		size_t n = utf8_decode(s, &c);

		if (n == 0)
			return false;
		s.data += n;
		s.size -= n;
	}
	return true;
}

struct range {
	uint32_t low, high;
};

/* Combining marks, joiners and variation selectors: drawn over the character before. */
static const struct range zero_width[] = {
	{0x0300, 0x036f},   {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
	{0x064b, 0x065f},   {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
	{0x1ab0, 0x1aff},   {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e},
	{0x2060, 0x2064},   {0x20d0, 0x20ff}, {0x302a, 0x302f}, {0x3099, 0x309a},
	{0xfe00, 0xfe0f},   {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff},
	{0xe0100, 0xe01ef},
};

/* East Asian Width W and F. */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
	{0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
	{0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},
	{0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},
	{0x26f2, 0x26f3},   {0x26f5, 0x26f5},   {0x26fa, 0x26fa},   {0x26fd, 0x26fd},
	{0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},
	{0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
	{0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},
	{0x2b55, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
	{0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
	{0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
	{0x16fe0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
	{0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

/* East Asian Width A, the parts that Japanese text uses: wide on terminals with a legacy font. */
static const struct range ambiguous[] = {
	{0x00a7, 0x00a8}, {0x00b0, 0x00b1}, {0x00b4, 0x00b4}, {0x00b6, 0x00b6}, {0x00d7, 0x00d7},
	{0x00f7, 0x00f7}, {0x0391, 0x03a9}, {0x03b1, 0x03c9}, {0x0401, 0x0401}, {0x0410, 0x0451},
	{0x2010, 0x2016}, {0x2018, 0x2019}, {0x201c, 0x201d}, {0x2020, 0x2022}, {0x2025, 0x2026},
	{0x2030, 0x2030}, {0x2032, 0x2033}, {0x203b, 0x203b}, {0x2103, 0x2103}, {0x2116, 0x2116},
	{0x2121, 0x2121}, {0x2160, 0x216b}, {0x2170, 0x2179}, {0x2190, 0x2199}, {0x21d2, 0x21d4},
	{0x2200, 0x22bf}, {0x2312, 0x2312}, {0x2460, 0x24e9}, {0x2500, 0x254b}, {0x25a0, 0x25ef},
	{0x2605, 0x2606}, {0x2640, 0x2642}, {0x266a, 0x266f}, {0xe000, 0xf8ff},
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (c > ranges[middle].high)
			low = middle + 1;
		else if (c < ranges[middle].low)
			count = middle;
		else
			return true;
	}
	return false;
}

#define IN(c, table) in_ranges((c), (table), sizeof(table) / sizeof((table)[0]))

unsigned utf8_width(uint32_t character, bool ambiguous_wide)
{
	if (character < 0xa1)
		return 1;
	if (IN(character, zero_width))
		return 0;
	if (IN(character, wide) || (ambiguous_wide && IN(character, ambiguous)))
		return 2;
	return 1;
}

/* The width of the first character of @s, which is taken off; a byte that is not UTF-8 is one. */
static unsigned take_width(struct span *s, bool ambiguous_wide)
{
	uint32_t c;
	size_t n = utf8_decode(*s, &c);
	unsigned width = n == 0 ? 1 : utf8_width(c, ambiguous_wide);

	n += n == 0;
	s->data += n;
	s->size -= n;
	return width;
}

size_t utf8_columns(struct span s, bool ambiguous_wide)
{
	size_t columns = 0;

	while (s.size > 0)
		columns += take_width(&s, ambiguous_wide);
	return columns;
}

/* Where a tab leads to: the next stop, but not behind the last column; nowhere from the margin. */
static size_t tab_stop(size_t column, size_t columns)
{
	size_t stop = column - column % TAB_COLUMNS + TAB_COLUMNS;

	if (column == columns)
		return column;
	return stop < columns ? stop : columns - 1;
}

size_t utf8_rows(struct span s, size_t columns, bool ambiguous_wide)
{
	size_t rows = 1, column = 0;

	while (s.size > 0) {
		bool is_tab = s.data[0] == '\t';
		unsigned width = take_width(&s, ambiguous_wide);

		if (is_tab) {
			column = tab_stop(column, columns);
			continue;
		}
		if (column + width > columns) {
			rows++;
			column = 0;
		}
		column += width;
	}
	return rows;
}

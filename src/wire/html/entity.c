/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character references. Gumbo knows all of HTML's; this reader makes do with the common ones. */
#include "wire/html/entity.h"

#include <string.h>

#include "base/utf8.h"

static const struct {
	const char *name; /* with its semicolon */
	uint32_t code;
} names[] = {
	{"amp;", '&'},       {"lt;", '<'},        {"gt;", '>'},       {"quot;", '"'},
	{"apos;", '\''},     {"nbsp;", 0xA0},     {"copy;", 0xA9},    {"reg;", 0xAE},
	{"yen;", 0xA5},      {"times;", 0xD7},    {"laquo;", 0xAB},   {"raquo;", 0xBB},
	{"deg;", 0xB0},      {"middot;", 0xB7},   {"ndash;", 0x2013}, {"mdash;", 0x2014},
	{"lsquo;", 0x2018},  {"rsquo;", 0x2019},  {"ldquo;", 0x201C}, {"rdquo;", 0x201D},
	{"bull;", 0x2022},   {"hellip;", 0x2026}, {"trade;", 0x2122}, {"larr;", 0x2190},
	{"uarr;", 0x2191},   {"rarr;", 0x2192},   {"darr;", 0x2193},  {"zwnj;", 0x200C},
	{"zwj;", 0x200D},    {"shy;", 0xAD},      {"ensp;", 0x2002},  {"emsp;", 0x2003},
	{"thinsp;", 0x2009}, {"euro;", 0x20AC},   {"pound;", 0xA3},
};

void html_entity_put(uint32_t c, uint8_t *to, size_t *used)
{
	uint8_t *p = to + *used;

	if (c < 0x80) {
		p[0] = (uint8_t)c;
		*used += 1;
	} else if (c < 0x800) {
		p[0] = (uint8_t)(0xC0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3F));
		*used += 2;
	} else if (c < 0x10000) {
		p[0] = (uint8_t)(0xE0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c & 0x3F));
		*used += 3;
	} else {
		p[0] = (uint8_t)(0xF0 | c >> 18);
		p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
		p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		p[3] = (uint8_t)(0x80 | (c & 0x3F));
		*used += 4;
	}
}

static int digit_value(uint8_t c, uint32_t base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "&#12354;" or "&#x3042;". Return: bytes taken, 0 where it is none. */
static size_t decode_number(struct span s, uint8_t *to, size_t *used)
{
	uint32_t base = s.size > 2 && (s.data[2] | 0x20) == 'x' ? 16 : 10, code = 0;
	size_t first = base == 16 ? 3 : 2, at = first;

	for (; at < s.size && digit_value(s.data[at], base) >= 0; at++) {
		if (code <= 0x10FFFF)
			code = code * base + (uint32_t)digit_value(s.data[at], base);
	}
	if (at == first)
		return 0;
	if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		code = 0xFFFD;
	html_entity_put(code, to, used);
	return at + (at < s.size && s.data[at] == ';');
}

size_t html_entity_decode(struct span s, uint8_t *to, size_t *used)
{
	size_t taken = s.size > 1 && s.data[1] == '#' ? decode_number(s, to, used) : 0;

	if (taken > 0)
		return taken;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i].name);

		if (s.size > length && memcmp(s.data + 1, names[i].name, length) == 0) {
			html_entity_put(names[i].code, to, used);
			return length + 1;
		}
	}
	to[(*used)++] = '&';
	return 1;
}

static bool is_name(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "&#12354;" of a character that stands for itself everywhere, with its semicolon. */
static size_t strict_number(struct span s, uint8_t *to, size_t *used)
{
	size_t before = *used, taken = decode_number(s, to, used);
	uint32_t c = 0;
	bool good = taken > 0 && s.data[taken - 1] == ';';

	good = good && utf8_decode((struct span){to + before, *used - before}, &c) > 0 &&
	       ((c >= 0x20 && c < 0x7F) || (c >= 0xA0 && c < 0xFDD0) || (c > 0xFDEF && c < 0xFFF0));
	if (!good)
		*used = before;
	return good ? taken : 0;
}

size_t html_entity_strict(struct span s, bool attribute, uint8_t *to, size_t *used)
{
	size_t end = 1;

	if (s.size > 1 && s.data[1] == '#')
		return strict_number(s, to, used);
	while (end < s.size && is_name(s.data[end]))
		end++;
	if (end == 1 || (attribute && end < s.size && s.data[end] == '=')) {
		to[(*used)++] = '&';
		return 1;
	}
	/* A name of the table with its semicolon; others may be longer names, or none. */
	if (end == s.size || s.data[end] != ';')
		return 0;
	end = html_entity_decode(s, to, used);
	if (end > 1)
		return end;
	--*used;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The characters that sanitised mail may hold, in the body, in encoded words and in files' names.
 */
#ifndef SEKISHO_WIRE_MAIL_TEXT_H
#define SEKISHO_WIRE_MAIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may follow depends on the character before it only by these kinds. */
enum mail_text_before {
	MAIL_TEXT_OTHER,
	MAIL_TEXT_HAN,        /* a CJK ideograph: variation selectors 1 to 3 and IVS may follow */
	MAIL_TEXT_EMOJI,      /* variation selectors 15 and 16 and a joiner may follow */
	MAIL_TEXT_EMOJI_DONE, /* emoji with its selector: a joiner may follow */
	MAIL_TEXT_KEYCAP,     /* 0-9 # *: variation selectors 15 and 16 may follow */
	MAIL_TEXT_JOINER      /* an emoji must follow */
};

/**
 * mail_text_step - may this character follow?
 * @before: what came before; starts as MAIL_TEXT_OTHER at each line; set to what this character is
 * @c: a code point, not a line end
 * Return: true where the body may hold it here. At the end of a line @before must not be
 * MAIL_TEXT_JOINER.
 */
bool mail_text_step(enum mail_text_before *before, uint32_t c);

/* A strict UTF-8 decoder of one character at a time that feeds mail_text_step; starts as zeros. */
struct mail_text {
	uint32_t c;     /* code point being built */
	uint32_t low;   /* the least that its length may encode */
	uint8_t need;   /* continuation bytes still to come */
	uint8_t before; /* enum mail_text_before */
};

/* The next octet of UTF-8. False where it is malformed, or the character is not allowed here. */
bool mail_text_octet(struct mail_text *t, uint8_t b);

/**
 * mail_text_run - the common characters that a text begins with
 * @s: octets, of any length; borrowed
 *
 * Common are printable ASCII, the tab, and what Latin and Japanese text consists of: each is
 * allowed behind anything but a joiner, and none is a mark on the character before it. The octet
 * behind them begins no common character (it may well begin an allowed one), or is the end of a
 * line.
 *
 * Return: their octets, whole characters only.
 */
size_t mail_text_run(const uint8_t *s, size_t size_bytes);

/* May a line, a word or a name end here? Then the next begins afresh. */
bool mail_text_end(struct mail_text *t);

#endif

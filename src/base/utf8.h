/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 as RFC 3629 allows it, and the columns that a character takes on a terminal. */
#ifndef SEKISHO_BASE_UTF8_H
#define SEKISHO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * utf8_decode - the first character of @s
 * @s:         borrowed
 * @character: set to the code point, 0..10FFFF without surrogates
 * Return: its length, 1..4 bytes; 0 where @s is empty, overlong, cut short or otherwise not RFC
 * 3629.
 */
size_t utf8_decode(struct span s, uint32_t *character);

/* The ASCII form of a full-width character (U+FF01 to U+FF5E) and of an ideographic space; any
 * other character as it is. */
uint32_t utf8_narrow(uint32_t character);

/* Whether all of @s is UTF-8. */
bool utf8_valid(struct span s);

/**
 * utf8_one_line - what somebody typed, as one line without control characters
 * @out:       NUL-terminated; cut between characters
 * @out_bytes: of @out, at least 1
 * @typed:     borrowed; what is not UTF-8 is left out
 */
void utf8_one_line(char *out, size_t out_bytes, struct span typed);

/* Whether a character is shown as nothing and changes the direction of the text around it (UAX 9
 * 2: marks, embeddings, overrides, isolates). */
bool utf8_is_bidi_control(uint32_t character);

/**
 * utf8_width - columns of one character: 0 (combining), 1 or 2 (East Asian wide and full-width)
 * @ambiguous_wide: whether characters of ambiguous width (UAX 11) take 2
 */
unsigned utf8_width(uint32_t character, bool ambiguous_wide);

/* Columns of a whole text; a byte that is not UTF-8 counts as one. */
size_t utf8_columns(struct span s, bool ambiguous_wide);

/**
 * utf8_rows - rows that a line of text takes on a terminal that breaks it at its right margin
 * @s:       without line feeds; a byte that is not UTF-8 takes one column, a tab goes on to the
 *           next of every eight
 * @columns: of the terminal, at least 2
 * Return: at least 1. A wide character that the margin would cut stands on the next row whole, so
 * these may be more than the columns of the text suggest.
 */
size_t utf8_rows(struct span s, size_t columns, bool ambiguous_wide);

#endif

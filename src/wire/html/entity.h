/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character references for the reader without a tree: the numeric ones, and the names that mail
 * uses. */
#ifndef SEKISHO_WIRE_HTML_ENTITY_H
#define SEKISHO_WIRE_HTML_ENTITY_H

#include <stdbool.h>

#include "base/buf.h"

/* Append a character (at most U+10FFFF) as UTF-8 at @to + *@used, which is raised by 1 to 4. */
void html_entity_put(uint32_t c, uint8_t *to, size_t *used);

/**
 * html_entity_decode - the reference at the start of @s, which is "&"
 * @to: at least *@used + 4 bytes; *@used is raised by what is written, 1 to 4 bytes of UTF-8
 * Return: how much of @s was taken; an unknown reference is its "&" alone.
 */
size_t html_entity_decode(struct span s, uint8_t *to, size_t *used);

/**
 * html_entity_strict - the same, where there is no doubt about what a parser of HTML5 makes of it
 * @attribute: in a value, where "&name=" is no reference
 * @to: at least *@used + the bytes taken
 * Return: how much of @s was taken; 0 where only a full parser knows.
 */
size_t html_entity_strict(struct span s, bool attribute, uint8_t *to, size_t *used);

#endif

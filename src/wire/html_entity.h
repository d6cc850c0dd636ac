/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character references for the reader without a tree: the numeric ones, and the names that mail
 * uses. */
#ifndef SEKISHO_WIRE_HTML_ENTITY_H
#define SEKISHO_WIRE_HTML_ENTITY_H

#include "base/buf.h"

/**
 * html_entity_decode - the reference at the start of @s, which is "&"
 * @to: at least *@used + 4 bytes; *@used is raised by what is written, 1 to 4 bytes of UTF-8
 * Return: how much of @s was taken; an unknown reference is its "&" alone.
 */
size_t html_entity_decode(struct span s, uint8_t *to, size_t *used);

#endif

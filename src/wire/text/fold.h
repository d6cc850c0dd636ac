/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folding of text for comparison: what reads the same becomes the same bytes, so that a label is
 * found however it was typed.
 */
#ifndef SEKISHO_WIRE_TEXT_FOLD_H
#define SEKISHO_WIRE_TEXT_FOLD_H

#include "base/buf.h"

/**
 * text_fold - append @utf8 in its folded form
 * Full-width ASCII becomes ASCII, half-width katakana and brackets become full-width, kana and the
 * sound marks behind them become one letter however they were written (NFC, NFD, half-width, set
 * apart), Roman numerals become letters, digits in circles, brackets and indices become digits,
 * vertical lines become "|", ASCII letters lower case. White space of every width, line ends and
 * invisible characters go; a byte that is not UTF-8 stays as it is. Nothing else changes. The
 * result is at most 4/3 as long as @utf8.
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int text_fold(struct span utf8, struct bytes *out);

/* Remove what layout puts into folded text: the marks of quoted lines and the edges of cells. */
void text_fold_drop_layout(struct bytes *folded);

#endif

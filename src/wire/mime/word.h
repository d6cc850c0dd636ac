/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encoded words (RFC 2047), and the raw bytes that stand in headers instead of them. */
#ifndef SEKISHO_WIRE_MIME_WORD_H
#define SEKISHO_WIRE_MIME_WORD_H

#include "base/buf.h"
#include "wire/charset/charset.h"

#define MIME_WORD_BYTES_MAX                                                                        \
	65536 /* octets that neighbouring words of one charset may have together */

/**
 * mime_text_decode - decode an unfolded unstructured value to UTF-8, appended to @out
 * Neighbouring words of one charset are joined before their bytes are decoded, so that characters
 * which were split between words come out whole; the space between neighbouring words goes. Words
 * are also read where they touch other text or stand inside quotes. Raw 8-bit bytes and escape
 * sequences are decoded by detection. A malformed word stays as it is.
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int mime_text_decode(struct span value, struct bytes *out, struct charset_report *report);

#endif

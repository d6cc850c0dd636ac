/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charset decoders: any charset of the WHATWG Encoding Standard, and the Japanese ones as mail
 * really uses them, to UTF-8. Nothing is lost silently: bytes that decode to nothing are written as
 * [XX XX], well-formed codes without a character (gaiji, carrier emoji) as a geta mark with the
 * code. The output may still hold characters that the sanitised form forbids: text_clean comes
 * after.
 */
#ifndef SEKISHO_WIRE_CHARSET_CHARSET_H
#define SEKISHO_WIRE_CHARSET_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct charset;

/* What a decoder could not show as it was. */
struct charset_report {
	uint64_t undecodable_bytes;
	uint64_t gaiji; /* codes without a character */
};

/**
 * charset_find - the charset that a label names
 * @label: as in a charset parameter; spaces around it and case do not matter
 * Return: a static charset, or NULL for an unknown label.
 */
const struct charset *charset_find(struct span label);

/* The name under which reports speak of it, e.g. "Shift_JIS". */
const char *charset_name(const struct charset *charset);

/**
 * charset_decode - append @in as UTF-8 to @out
 * @report: counts are added; may not be NULL
 * Return: 0, or -ERR_TOO_LONG or -ERR_NO_MEMORY where @out is full (what fitted is there). At most
 * five bytes are written for one read.
 */
int charset_decode(const struct charset *charset, struct span in, struct bytes *out,
		   struct charset_report *report);

struct charset_choice {
	const struct charset *charset;
	bool guessed; /* the label was missing, unknown, or did not fit the bytes */
};

/**
 * charset_choose - the charset to read @in with
 * @label: empty where there was none
 * A label is overruled only by evidence: escape sequences of 7-bit JIS under a label without them,
 * well-formed UTF-8 under a label that does not fit, bytes that are malformed under the label but
 * not under another. Plain ASCII is never a guess.
 */
struct charset_choice charset_choose(struct span label, struct span in);

#endif

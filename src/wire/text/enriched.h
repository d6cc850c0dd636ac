/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text/enriched (RFC 1896) and its forerunner text/richtext (RFC 1341): the text without its tags.
 */
#ifndef SEKISHO_WIRE_TEXT_ENRICHED_H
#define SEKISHO_WIRE_TEXT_ENRICHED_H

#include "base/buf.h"

/**
 * text_unenrich - append @in without its formatting
 * Of line ends each run loses one, and a single one is a space, but where <nofill> says not to.
 * Parameters of tags are left out, unless they are addresses: those are told in "<>".
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY. @out grows by no more than @in.
 */
int text_unenrich(struct span in, struct bytes *out);

#endif

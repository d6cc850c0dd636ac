/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format=flowed (RFC 3676): paragraphs put together again, quote depth kept. */
#ifndef SEKISHO_WIRE_TEXT_FLOW_H
#define SEKISHO_WIRE_TEXT_FLOW_H

#include <stdbool.h>

#include "base/buf.h"

/**
 * text_unflow - append @in with its soft line breaks undone
 * @delsp: the space before a soft break goes, too (Japanese text)
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int text_unflow(struct span in, bool delsp, struct bytes *out);

#endif

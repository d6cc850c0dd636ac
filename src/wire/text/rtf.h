/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTF as Outlook puts it into winmail.dat: compressed (MS-OXRTFCP), and often with the mail's HTML
 * inside (MS-OXRTFEX). Only text is taken out of it.
 */
#ifndef SEKISHO_WIRE_TEXT_RTF_H
#define SEKISHO_WIRE_TEXT_RTF_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/charset/charset.h"

#define RTF_GROUPS_MAX 100  /* nested groups: what is deeper is left out, and counted */
#define RTF_FONTS_MAX  1000 /* fonts whose charset is remembered */

/**
 * rtf_decompress - append the RTF in @in to @out
 * Return: 0; -ERR_SYNTAX where it is not compressed RTF, or ends too early (what came before is
 * there); -ERR_TOO_LONG or -ERR_NO_MEMORY where @out is full.
 */
int rtf_decompress(struct span in, struct bytes *out);

/* What there is to be said of an RTF beside its text. */
struct rtf_found {
	bool html;            /* the text is the HTML that the RTF was made from */
	uint32_t deep_groups; /* groups that were left out for their depth */
};

/**
 * rtf_to_text - append the text of @rtf to @out, as UTF-8
 * @code_page: of its octets, where it does not say; 0: not known
 * @found: set
 * @report: counts are added
 * Return: 0; -ERR_SYNTAX where it does not begin as RTF; -ERR_TOO_LONG or -ERR_NO_MEMORY where @out
 * is full.
 */
int rtf_to_text(struct span rtf, uint32_t code_page, struct bytes *out, struct rtf_found *found,
		struct charset_report *report);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TNEF, the winmail.dat of Outlook (MS-OXTNEF): its text and its attachments, found by one pass
 * over its attributes. */
#ifndef SEKISHO_WIRE_MIME_TNEF_H
#define SEKISHO_WIRE_MIME_TNEF_H

#include <stdbool.h>

#include "base/buf.h"

#define TNEF_ATTACHMENTS_MAX 100  /* further ones are counted only */
#define TNEF_PROPERTIES_MAX  2000 /* of one attribute: what is behind is not read */

/* A text of the message in one of its forms. */
struct tnef_text {
	struct span octets;
	bool utf16; /* else in the code page of the message */
};

struct tnef_attachment {
	struct tnef_text name; /* the long one where there is one */
	struct span data;
	bool message; /* a message of its own: data is another TNEF stream */
};

struct tnef {
	struct tnef_text subject, body, html;
	struct span rtf;         /* compressed (MS-OXRTFCP) */
	uint32_t code_page;      /* 0: not known */
	uint32_t html_code_page; /* of html; 0: not known */
	struct tnef_attachment attachments[TNEF_ATTACHMENTS_MAX];
	size_t attachment_count; /* may be more than are in the array */
	bool broken; /* it ended inside an attribute or a property: what came before is there */
};

/**
 * tnef_parse - find the parts of a TNEF stream
 * @octets: borrowed for the life of @out
 * Return: 0, or -ERR_SYNTAX where it does not begin as TNEF.
 */
int tnef_parse(struct span octets, struct tnef *out);

#endif

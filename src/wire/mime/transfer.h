/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Content-Transfer-Encodings: quoted-printable, base64 (RFC 2045 6) and uuencode. */
#ifndef SEKISHO_WIRE_MIME_TRANSFER_H
#define SEKISHO_WIRE_MIME_TRANSFER_H

#include <stdbool.h>

#include "base/buf.h"

enum mime_encoding {
	MIME_ENCODING_NONE, /* 7bit, 8bit, binary */
	MIME_ENCODING_QUOTED,
	MIME_ENCODING_BASE64,
	MIME_ENCODING_UU,
	MIME_ENCODING_UNKNOWN /* a word that nobody defined: read as none */
};

struct mime_decode_report {
	uint64_t malformed; /* octets that do not belong into the encoding, passed over or taken as
			       they are */
};

/* The encoding that a Content-Transfer-Encoding value names; none where it is empty. */
enum mime_encoding mime_encoding_of(struct span value);

/**
 * mime_decode - append the decoded octets to @out
 * @report: counts are added; may be NULL
 * Return: 0, or -ERR_TOO_LONG or -ERR_NO_MEMORY where @out is full.
 */
int mime_decode(enum mime_encoding encoding, struct span in, struct bytes *out,
		struct mime_decode_report *report);

#endif

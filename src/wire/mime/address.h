/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mailbox lists of From, To and the like (RFC 5322 3.4), read leniently: phrases and addresses,
 * groups opened. */
#ifndef SEKISHO_WIRE_MIME_ADDRESS_H
#define SEKISHO_WIRE_MIME_ADDRESS_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/charset/charset.h"

#define MIME_ADDRESS_BYTES_MAX 320  /* local part, at, domain: longer is no address */
#define MIME_NAME_BYTES_MAX    4096 /* of a display name, decoded */

struct mime_mailbox {
	struct span
		name; /* raw: a phrase with its quotes, or the text of a comment; may be empty */
	struct span address; /* raw: what stands between the angle brackets, or the bare address;
				may be empty */
};

/**
 * mime_mailbox_next - walk a mailbox list
 * @list: the unfolded value of the field
 * @at:	  where to go on; 0 at first
 * Return: false at the end. Names of groups are passed over, their members are given.
 */
bool mime_mailbox_next(struct span list, size_t *at, struct mime_mailbox *out);

/* Append the display name as UTF-8: quotes undone, encoded words decoded. Return: 0, -ERR_TOO_LONG,
 * -ERR_NO_MEMORY. */
int mime_mailbox_name(const struct mime_mailbox *mailbox, struct bytes *out,
		      struct charset_report *report);

/**
 * mime_mailbox_address - the address in the form that the gateway writes
 * @out: NUL-terminated; at least MIME_ADDRESS_BYTES_MAX + 3 bytes; a local part that is no dot-atom
 * is quoted
 * Return: 0, or -ERR_SYNTAX where it is empty, not ASCII, or not an address.
 */
int mime_mailbox_address(const struct mime_mailbox *mailbox, char *out);

#endif

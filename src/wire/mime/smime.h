/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S/MIME (RFC 8551) as far as a reader without keys gets: the content of an opaque signed message,
 * out of CMS in BER. */
#ifndef SEKISHO_WIRE_MIME_SMIME_H
#define SEKISHO_WIRE_MIME_SMIME_H

#include "base/buf.h"

#define SMIME_DEPTH_MAX 8 /* of constructed strings within each other */

/**
 * smime_unwrap - take the signed content out of its CMS envelope
 * @cms: the octets, without transfer encoding; borrowed
 * @out: receives the content, a MIME entity
 * Return: 0; -ERR_UNSUPPORTED for an envelope that needs a key, or other than signed data;
 * -ERR_SYNTAX; as bytes_append.
 */
int smime_unwrap(struct span cms, struct bytes *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Punycode (RFC 3492): the two spellings of an internationalised host name, to show one beside the
 * other. */
#ifndef SEKISHO_WIRE_PUNYCODE_H
#define SEKISHO_WIRE_PUNYCODE_H

#include "base/buf.h"

#define PUNYCODE_LABEL_MAX 63 /* characters of a label, RFC 1035 */

/**
 * punycode_host_to_text - a host name with its "xn--" labels decoded, as UTF-8, appended to @out
 * Return: 0; -ERR_SYNTAX where a label is not punycode; as bytes_append. Not checked against IDNA:
 * what it shows is what was meant to be seen, not what is allowed.
 */
int punycode_host_to_text(struct span host, struct bytes *out);

/**
 * punycode_text_to_host - a host name with each label that is not ASCII encoded as "xn--", appended
 * to @out
 * Return: 0; -ERR_SYNTAX for what is not UTF-8; -ERR_TOO_LONG; as bytes_append.
 */
int punycode_text_to_host(struct span text, struct bytes *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first line of an RFB connection (RFC 6143 7.1.1), which both ends say. */
#ifndef SEKISHO_WIRE_RFB_VERSION_H
#define SEKISHO_WIRE_RFB_VERSION_H

#include "base/buf.h"

#define RFB_VERSION_BYTES 12

/**
 * rfb_version_parse - read "RFB 003.008\n" and its like
 * @text: RFB_VERSION_BYTES octets
 * @major, @minor: 0..999; set only where it is that
 * Return: 0 or -ERR_SYNTAX.
 */
int rfb_version_parse(struct span text, unsigned *major, unsigned *minor);

/* Write version 3.@minor. */
void rfb_version_write(struct writer *w, unsigned minor);

/* The version 3.x that both speak: an unknown minor version below 7 is taken as 3. */
unsigned rfb_version_common(unsigned minor);

#endif

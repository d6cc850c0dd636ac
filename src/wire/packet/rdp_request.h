/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the X.224 connection request with which a Remote Desktop client begins. */
#ifndef SEKISHO_WIRE_PACKET_RDP_REQUEST_H
#define SEKISHO_WIRE_PACKET_RDP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RDP_REQUEST_BYTES_MAX 259 /* TPKT header, length indicator, and what it can count */

struct rdp_request {
	struct span cookie;   /* line without CR LF, a view into the stream; empty: none */
	bool has_negotiation; /* [MS-RDPBCGR] 2.2.1.1.1 */
	uint32_t protocols;   /* asked for: 1 TLS, 2 CredSSP, 4 RDSTLS, 8 CredSSP early */
};

/**
 * rdp_request_read - read a connection request in its TPKT
 * @out: undefined after an error
 * Return: 0; -ERR_TRUNCATED where what is there is right so far; -ERR_UNSUPPORTED where it is no
 * TPKT or no connection request; -ERR_SYNTAX where lengths or fields contradict each other;
 * -ERR_TOO_LONG past RDP_REQUEST_BYTES_MAX. RFC 1006 6; X.224 13.3; [MS-RDPBCGR] 2.2.1.1.
 */
int rdp_request_read(struct rdp_request *out, const void *stream, size_t stream_bytes);

#endif

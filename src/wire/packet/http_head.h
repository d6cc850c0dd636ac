/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts that heads of HTTP/1 requests are made of (RFC 9112, RFC 9110), read strictly: where
 * lenient readers differ from each other, what they differ about is an error here.
 */
#ifndef SEKISHO_WIRE_PACKET_HTTP_HEAD_H
#define SEKISHO_WIRE_PACKET_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_HOST_BYTES_MAX 253
#define HTTP_PORT_NONE      UINT32_MAX /* an authority that names no port */

/* RFC 9110 5.6.2. */
bool http_is_token_byte(uint8_t c);

/**
 * http_next_line - the next line without its CR LF
 * Return: 0; -ERR_TRUNCATED where more must come; -ERR_SYNTAX for a CR or LF that stands alone,
 * which some readers take for an end.
 */
int http_next_line(struct reader *r, struct span *line);

/* Split off what stands before the first @separator, which goes too; false where there is none. */
bool http_cut(struct span *rest, char separator, struct span *out);

/**
 * http_read_field - name ":" OWS value OWS (RFC 9112 5); no blank before the colon, no folding
 * Return: 0 with views into @line, or -ERR_SYNTAX (a control character, a name that is no token).
 */
int http_read_field(struct span line, struct span *name, struct span *value);

/**
 * http_read_authority - host [":" port], and nothing else (RFC 9110 7.2, RFC 3986 3.2.2)
 * @host: a view; the brackets of an IPv6 literal belong to it
 * @port: 0..65535, or HTTP_PORT_NONE
 * Return: 0; -ERR_SYNTAX; -ERR_TOO_LONG for a host past HTTP_HOST_BYTES_MAX.
 */
int http_read_authority(struct span authority, struct span *host, uint32_t *port);

#endif

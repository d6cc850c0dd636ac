/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the head of the first HTTP request of a connection: is it one, and for which host? */
#ifndef SEKISHO_WIRE_PACKET_HTTP_REQUEST_H
#define SEKISHO_WIRE_PACKET_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_HEAD_BYTES_MAX   16384 /* request line and fields, with the empty line */
#define HTTP_METHOD_BYTES_MAX 20
#define HTTP_FIELDS_MAX       128

/* Views into the stream. */
struct http_request {
	struct span method;
	struct span target;
	struct span host; /* without its port; empty: none (HTTP/1.0 allows that) */
	uint8_t minor;    /* of the version: HTTP/1.minor, 0 or 1 */
	bool is_http2; /* the connection preface of HTTP/2 with prior knowledge: nothing else is set
			*/
};

/**
 * http_request_read - read the head of a request; it has to be whole, so that no second Host can
 * follow
 * @out: undefined after an error
 *
 * Strict where lenient readers differ from each other: lines end with CR LF; no blank before a
 * colon, no folded fields, exactly one Host in HTTP/1.1; the host of an absolute target is the same
 * as the Host field's.
 * Return: 0; -ERR_TRUNCATED where what is there is right so far and more must come;
 * -ERR_UNSUPPORTED where it does not look like HTTP, or is CONNECT, which would make a tunnel;
 * -ERR_SYNTAX where it contradicts RFC 9112 or RFC 9110; -ERR_TOO_LONG past a limit above.
 */
int http_request_read(struct http_request *out, const void *stream, size_t stream_bytes);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A browser's request to the gateway's own page: HTTP/1.1 (RFC 9112) and nothing that the page does
 * not need. GET and HEAD of a plain path, no query, no body, no escapes; and the one upgrade, to a
 * WebSocket (RFC 6455 4.2.1).
 */
#ifndef SEKISHO_WIRE_WEB_REQUEST_H
#define SEKISHO_WIRE_WEB_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define WEB_HEAD_BYTES_MAX  4000 /* of a whole head; what is longer is refused */
#define WEB_PATH_BYTES_MAX  64
#define WEB_FIELDS_MAX      48
#define WEB_ACCEPT_TEXT_MAX 29 /* of Sec-WebSocket-Accept, with its NUL */

/* Views into what was read. */
struct web_request {
	bool is_head;          /* HEAD; otherwise GET */
	struct span path;      /* letters, digits and "/.-_" behind a "/" */
	struct span authority; /* the Host field as it was written */
	struct span host;      /* without its port */
	uint32_t port;         /* of the Host field, or HTTP_PORT_NONE */
	struct span origin;    /* empty: none was named */
	bool wants_close;      /* behind the answer */
	bool wants_websocket;  /* Upgrade and Connection say so */
	bool offers_binary;    /* as the WebSocket's subprotocol */
	struct span key;       /* Sec-WebSocket-Key: 16 octets in base64; empty: none */
	uint32_t version;      /* Sec-WebSocket-Version; 0: none */
};

/**
 * web_request_read - read one request's head
 * @r: what has come and was not taken; with 0, r->at moves behind the head
 * Return: 0; -ERR_TRUNCATED: it is right so far and more must come (with less than
 * WEB_HEAD_BYTES_MAX there); -ERR_TOO_LONG past a limit above; -ERR_UNSUPPORTED: another method;
 * -ERR_RANGE: another version; -ERR_DENIED: a body is announced; -ERR_SYNTAX: anything else that is
 * not exactly as RFC 9112 wants it, a field twice that may stand once, a path with other bytes.
 */
int web_request_read(struct web_request *out, struct reader *r);

/* Whether Origin names the same scheme, host and port as Host does, for https (RFC 6454 6.2). */
bool web_request_same_origin(const struct web_request *request);

/**
 * web_accept - the answer to a key (RFC 6455 4.2.2)
 * @out: a NUL-terminated text
 */
void web_accept(struct span key, char out[WEB_ACCEPT_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A viewer's connection as measurements need it: handshake, plain or under TLS, and exact reads.
 * What goes wrong ends the program with exit status 2. */
#ifndef SEKISHO_TESTS_RFB_VIEWER_H
#define SEKISHO_TESTS_RFB_VIEWER_H

#include <stdint.h>

#include "base/buf.h"
#include "tls/stream.h"

struct rfb_viewer {
	struct stream stream;
	uint8_t buffer[1 << 20];
	size_t at, end;
	uint64_t bytes; /* that were read */
	uint16_t width, height;
};

/* Say what failed, with errno's text. */
_Noreturn void viewer_die(const char *what);

/* Of the monotonic clock. */
uint64_t viewer_now_ns(void);

/**
 * viewer_connect - connect, log in, tell the gateway's own pixel format and one encoding
 * @security: "none"; "x509-none" or "x509-plain": VeNCrypt's subtypes, with any name; "tls": TLS
 * from the first octet, then none
 * @authority: a PEM file that the server is verified with; NULL with "none"
 */
void viewer_connect(struct rfb_viewer *v, const char *ipv4, const char *port, const char *security,
		    const char *authority, int32_t encoding);

/* A reader over the next @count octets (at most the buffer), which are taken. */
struct reader viewer_take(struct rfb_viewer *v, size_t count);
void viewer_skip(struct rfb_viewer *v, uint64_t count);
void viewer_put(struct rfb_viewer *v, const struct writer *w);
/* Ask for the whole screen. */
void viewer_request(struct rfb_viewer *v, bool incremental);

#endif

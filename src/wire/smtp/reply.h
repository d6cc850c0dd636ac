/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP replies as a client reads them: code, enhanced code, EHLO keywords; the text itself is never
 * kept. */
#ifndef SEKISHO_WIRE_SMTP_REPLY_H
#define SEKISHO_WIRE_SMTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SMTP_REPLY_LINE_MAX                                                                        \
	1022 /* twice what RFC 5321 4.5.3.1.5 allows, without CRLF: servers do exceed it */
#define SMTP_REPLY_LINES_MAX 128 /* of one reply */

enum smtp_extension {
	SMTP_HAS_SIZE = 1 << 0,
	SMTP_HAS_8BITMIME = 1 << 1,
	SMTP_HAS_PIPELINING = 1 << 2,
	SMTP_HAS_SMTPUTF8 = 1 << 3,
	SMTP_HAS_STARTTLS = 1 << 4,
	SMTP_HAS_ENHANCED = 1 << 5,
};

struct smtp_reply {
	uint16_t code; /* 200..599 */
	bool complete;
	uint8_t class; /* enhanced status code "class.subject.detail" of the last line; 0: none */
	uint16_t subject;
	uint16_t detail;
	unsigned line_count;
	uint32_t extensions; /* enum smtp_extension; of use behind EHLO only */
	uint64_t size_limit; /* SIZE of EHLO; 0: none stated */
};

/* Start a new reply. */
void smtp_reply_init(struct smtp_reply *r);

/**
 * smtp_reply_take - take one line of a reply
 * @line: without CRLF, as smtp_line_next gives it
 *
 * The code must be 2xx to 5xx and the same on all lines of a reply. An enhanced code counts only
 * where its class is that of the code (RFC 2034 4). Return: 1 complete; 0 more lines follow;
 * -ERR_SYNTAX; -ERR_TOO_LONG (line, or number of lines); -ERR_STATE (a line after the last).
 */
int smtp_reply_take(struct smtp_reply *r, struct span line);

#endif

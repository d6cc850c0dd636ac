/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a clamd says (clamd(8)), in a session opened by IDSESSION: each reply is a line that ends
 * with NUL and begins with the number of its command.
 */
#ifndef SEKISHO_WIRE_SCAN_CLAMD_H
#define SEKISHO_WIRE_SCAN_CLAMD_H

#include <stdint.h>

#include "base/buf.h"

#define CLAMD_REPLY_MAX 1024 /* octets of one reply; a longer one is none */

enum clamd_reply_kind {
	CLAMD_VERSION, /* to VERSION: @text is the version, @signatures_s when they were made */
	CLAMD_CLEAN,   /* to INSTREAM: nothing was found in the whole stream */
	CLAMD_FOUND,   /* to INSTREAM: @text is the signature's name */
	CLAMD_TOO_BIG, /* to INSTREAM: beyond the scanner's own limit */
	CLAMD_ERROR,   /* anything else that it says of a command: it did not do it */
};

struct clamd_reply {
	enum clamd_reply_kind kind;
	uint32_t number;      /* of the command, from 1 */
	struct span text;     /* a view into the reply */
	bool has_time;        /* of the signatures */
	int64_t local_time_s; /* the scanner's local time, as if it were UTC, since 1970 */
};

/**
 * clamd_reply_parse - read one reply
 * @line: without its NUL, at most CLAMD_REPLY_MAX octets; borrowed
 * Return: 0; -ERR_SYNTAX: not a reply that a session knows; -ERR_TOO_LONG.
 */
int clamd_reply_parse(struct span line, struct clamd_reply *out);

#endif

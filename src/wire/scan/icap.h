/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an ICAP server answers (RFC 3507), read as it arrives: status, the headers that matter to a
 * client which only wants a verdict, the encapsulated HTTP status and the encapsulated body.
 */
#ifndef SEKISHO_WIRE_SCAN_ICAP_H
#define SEKISHO_WIRE_SCAN_ICAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define ICAP_LINE_MAX    4096  /* octets of a line, with its end: more are no reply */
#define ICAP_HEADERS_MAX 100   /* lines of the reply's own header */
#define ICAP_INSIDE_MAX  65536 /* octets of the encapsulated HTTP headers together */
#define ICAP_NAME_BYTES  96    /* of a threat's name, with NUL: what is more is cut */
#define ICAP_TAG_BYTES   64    /* of an ISTag, with NUL: RFC 3507 4.7 allows 32 */

enum icap_phase {
	ICAP_STATUS,
	ICAP_HEADER,
	ICAP_INSIDE,     /* encapsulated HTTP headers */
	ICAP_CHUNK_SIZE, /* RFC 9112 7.1 */
	ICAP_CHUNK,
	ICAP_CHUNK_END,
	ICAP_TRAILER,
	ICAP_DONE,
	ICAP_FAILED,
};

struct icap_reply {
	enum icap_phase phase;
	unsigned status;                   /* ICAP status code */
	unsigned http_status;              /* of the encapsulated response; 0: none */
	bool is_request;                   /* a request stands inside */
	bool has_body;                     /* an encapsulated body comes */
	bool threat;                       /* a header says that something was found */
	char threat_name[ICAP_NAME_BYTES]; /* printable ASCII; "" where the header names nothing */
	char tag[ICAP_TAG_BYTES];          /* ISTag without quotes, printable ASCII */
	/* the parser's own */
	bool encapsulated; /* the header was there */
	bool folds;        /* the field before may go on in a line that begins with a blank */
	uint32_t header_count;
	uint64_t inside_bytes; /* left of the encapsulated headers */
	uint64_t chunk_bytes;  /* left of the chunk */
	bool inside_begun;
	size_t line_bytes;
	uint8_t line[ICAP_LINE_MAX];
};

void icap_reply_init(struct icap_reply *r);

/**
 * icap_reply_push - take the next octets of the connection
 * @body: set to the octets of the encapsulated body among those taken, a view into @in; empty where
 *	  there are none
 * Return: how many were taken, at least one where @in is not empty and the reply has not ended;
 * 0 with phase ICAP_DONE or ICAP_FAILED: the end, and what is left belongs to nobody.
 */
size_t icap_reply_push(struct icap_reply *r, struct span in, struct span *body);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part tree of a message (RFC 2045, 2046): an index of spans into the input, built without
 * recursion. One defined reading: a delimiter is a line that is exactly the boundary; outer
 * boundaries win over inner ones; of singleton fields that come twice the first counts. What was
 * ambiguous is flagged.
 */
#ifndef SEKISHO_WIRE_MIME_TREE_H
#define SEKISHO_WIRE_MIME_TREE_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/mime/field.h"
#include "wire/mime/transfer.h"

#define MIME_PARTS_MAX                                                                             \
	1000 /* parts of a message, the root included: further ones are one part, not looked into  \
	      */
#define MIME_DEPTH_MAX                                                                             \
	30 /* nesting of multiparts and messages: deeper ones are not looked into                  \
	    */
#define MIME_BOUNDARY_MAX 200 /* octets of a boundary: RFC 2046 allows 70 */
#define MIME_NONE         UINT32_MAX

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,
	MIME_MESSAGE,
	MIME_SIGNED, /* opaque S/MIME: its one child is what was signed */
};

/* What was odd about a part. */
enum mime_flag {
	MIME_UNCLOSED = 1 << 0,      /* the closing delimiter is missing */
	MIME_TWO_TYPES = 1 << 1,     /* two Content-Type fields, or two boundaries in one */
	MIME_TWO_ENCODINGS = 1 << 2, /* two Content-Transfer-Encoding fields */
	MIME_HEADER_JUNK = 1 << 3,   /* the header ended at a line that is no field */
	MIME_NO_BOUNDARY =
		1 << 4, /* multipart without a boundary or without any delimiter: read as text */
	MIME_LIMIT_DEPTH = 1 << 5, /* not looked into: too deep */
	MIME_LIMIT_PARTS = 1 << 6, /* not looked into: too many parts */
	MIME_NEAR_BOUNDARY =
		1 << 7, /* a line begins with the boundary but goes on: not a delimiter */
	MIME_ENCODED_NESTED = 1 << 8, /* a message or multipart in base64 or quoted-printable */
	MIME_SEALED = 1 << 10,        /* S/MIME that cannot be opened */
	MIME_BAD_ENCODING = 1 << 9,   /* an unknown transfer encoding: read as none */
};

struct mime_part {
	struct span header; /* all fields, raw */
	struct span body;   /* raw, as transferred */
	uint32_t parent, first_child, next_sibling;
	uint32_t flags; /* enum mime_flag */
	uint16_t depth;
	uint8_t kind;               /* enum mime_kind */
	uint8_t encoding;           /* enum mime_encoding */
	char type[MIME_TYPE_BYTES]; /* lower case; by default text/plain, in a digest message/rfc822
				     */
	uint64_t aside_bytes; /* multipart: text before the first and behind the last delimiter */
	bool aside_words;     /* of which some is neither white space nor what mail programs put
				 there */
};

struct mime_tree {
	struct mime_part *parts; /* parts[0] is the message */
	size_t count, capacity;
	struct bytes *decoded; /* owned: bodies of nested messages that were encoded */
	size_t decoded_count;
	size_t decoded_limit;
};

/**
 * mime_tree_parse - index @message
 * @message: borrowed for the tree's life
 * @decoded_limit_bytes: how much memory nested encoded messages may take together
 * Return: 0 or -ERR_NO_MEMORY. Any input has a tree.
 */
int mime_tree_parse(struct mime_tree *tree, struct span message, size_t decoded_limit_bytes);
void mime_tree_fini(struct mime_tree *tree);

/*
 * Walk in document order without recursion: the part behind @at, or MIME_NONE at the end. @descend:
 * whether to go into the children of @at. Each part that is left on the way is reported to @leave
 * (may be NULL), innermost first.
 */
uint32_t mime_tree_next(const struct mime_tree *tree, uint32_t at, bool descend,
			void (*leave)(void *ctx, uint32_t part), void *ctx);

#endif

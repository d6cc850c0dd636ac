/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BER (X.690), definite and indefinite lengths, just deep enough to find eContent of SignedData
 * (RFC 5652 5.1). */
#include "wire/mime/smime.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_CONTEXT_0 = 0xA0,
	CONSTRUCTED = 0x20,
};

/* 1.2.840.113549.1.7.2 */
static const uint8_t signed_data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02};

/* The head of an element. Indefinite lengths run to the end-of-contents octets, which only a walk
 * finds. */
struct element {
	uint8_t tag;
	bool indefinite;
	size_t size; /* of the content, where it is definite */
};

static bool read_head(struct reader *r, struct element *e)
{
	uint8_t first;

	e->tag = reader_u8(r);
	first = reader_u8(r);
	e->indefinite = first == 0x80;
	e->size = first;
	if (first > 0x80) {
		e->size = 0;
		if (first > 0x84)
			return false;
		for (unsigned i = 0; i < (first & 0x7FU); i++)
			e->size = e->size << 8 | reader_u8(r);
	}
	return !r->failed && (e->tag & 0x1F) != 0x1F &&
	       (e->indefinite || e->size <= reader_left(r));
}

/* Enter an element that must have this tag. */
static bool enter(struct reader *r, uint8_t tag)
{
	struct element e;

	return read_head(r, &e) && e.tag == tag;
}

/* Pass over an element of definite length that must have this tag. */
static bool skip(struct reader *r, uint8_t tag)
{
	struct element e;

	if (!read_head(r, &e) || e.tag != tag || e.indefinite)
		return false;
	reader_skip(r, e.size);
	return !r->failed;
}

static bool is_oid(struct reader *r, const uint8_t *oid, size_t size)
{
	struct element e;
	struct span value;

	if (!read_head(r, &e) || e.tag != TAG_OID || e.indefinite)
		return false;
	value = reader_span(r, e.size);
	return value.size == size && memcmp(value.data, oid, size) == 0;
}

/* The digest algorithms, a set of anything: passed over, also where its length is indefinite. */
static bool skip_set(struct reader *r)
{
	struct element e;
	unsigned open = 0;

	if (!read_head(r, &e) || e.tag != TAG_SET)
		return false;
	if (!e.indefinite) {
		reader_skip(r, e.size);
		return !r->failed;
	}
	for (open = 1; open > 0;) {
		if (!read_head(r, &e))
			return false;
		if (e.tag == 0 && e.size == 0)
			open--;
		else if (e.indefinite)
			open++;
		else
			reader_skip(r, e.size);
	}
	return !r->failed;
}

/* An octet string, in one piece or in many: pieces end where their sizes or the end-of-contents
 * octets say. */
static int append_octets(struct reader *r, struct bytes *out)
{
	size_t ends[SMIME_DEPTH_MAX];
	unsigned depth = 0;
	int err = 0;

	do {
		struct element e;

		if (!read_head(r, &e))
			return -ERR_SYNTAX;
		if (e.tag == 0 && e.size == 0 && depth > 0) {
			depth--;
		} else if (e.tag == TAG_OCTETS && !e.indefinite) {
			struct span piece = reader_span(r, e.size);

			err = bytes_append(out, piece.data, piece.size);
		} else if (e.tag == (TAG_OCTETS | CONSTRUCTED) && depth < SMIME_DEPTH_MAX) {
			ends[depth++] = e.indefinite ? SIZE_MAX : r->at + e.size;
		} else {
			return -ERR_SYNTAX;
		}
		while (depth > 0 && r->at >= ends[depth - 1])
			depth--;
	} while (depth > 0 && err == 0);
	return err;
}

int smime_unwrap(struct span cms, struct bytes *out)
{
	struct element e;
	struct reader r;

	reader_init(&r, cms.data, cms.size);
	if (!enter(&r, TAG_SEQUENCE))
		return -ERR_SYNTAX;
	if (!is_oid(&r, signed_data, sizeof(signed_data)))
		return -ERR_UNSUPPORTED;
	if (!enter(&r, TAG_CONTEXT_0) || !enter(&r, TAG_SEQUENCE) || !skip(&r, TAG_INTEGER) ||
	    !skip_set(&r) || !enter(&r, TAG_SEQUENCE))
		return -ERR_SYNTAX;
	if (!read_head(&r, &e) || e.tag != TAG_OID || e.indefinite)
		return -ERR_SYNTAX;
	reader_skip(&r, e.size); /* data, or something that is shown as it is */
	if (!enter(&r, TAG_CONTEXT_0))
		return -ERR_UNSUPPORTED; /* a signature without its content */
	return append_octets(&r, out);
}

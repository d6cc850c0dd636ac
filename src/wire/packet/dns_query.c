/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DNS query: header, one question, at most one OPT record; pure. */
#include "wire/packet/dns_query.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

/* RFC 1035 4.1.1. */
enum { FLAG_ANSWER = 0x8000, FLAG_OPCODE = 0x7800, FLAG_CUT = 0x0200, FLAG_CODE = 0x000f };
enum { LABEL_BYTES_MAX = 63, TYPE_OPT = 41 };

struct header {
	uint16_t id, flags, questions, answers, authorities, additional;
};

static int read_header(struct header *h, struct reader *r)
{
	h->id = reader_be16(r);
	h->flags = reader_be16(r);
	h->questions = reader_be16(r);
	h->answers = reader_be16(r);
	h->authorities = reader_be16(r);
	h->additional = reader_be16(r);
	if (r->failed)
		return -ERR_TRUNCATED;
	return (h->flags & FLAG_OPCODE) != 0 ? -ERR_UNSUPPORTED : 0;
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* RFC 1035 3.1. Compression (4.1.4) has nothing to point back to in a question. */
static int read_name(struct dns_query *out, struct reader *r)
{
	out->name_bytes = 0;
	for (;;) {
		size_t size = reader_u8(r);
		struct span label = reader_span(r, size <= LABEL_BYTES_MAX ? size : 0);

		if (r->failed)
			return -ERR_TRUNCATED;
		if (size > LABEL_BYTES_MAX)
			return -ERR_SYNTAX;
		if (size == 0)
			break;
		if (out->name_bytes + (out->name_bytes > 0) + size > DNS_NAME_BYTES_MAX)
			return -ERR_TOO_LONG;
		if (out->name_bytes > 0)
			out->name[out->name_bytes++] = '.';
		for (size_t i = 0; i < size; i++) {
			if (!is_name_byte(label.data[i]))
				return -ERR_SYNTAX;
			out->name[out->name_bytes++] = (char)label.data[i];
		}
	}
	out->name[out->name_bytes] = '\0';
	return 0;
}

static int read_question(struct dns_query *out, struct reader *r)
{
	int err = read_name(out, r);

	if (err != 0)
		return err;
	out->type = reader_be16(r);
	(void)reader_be16(r); /* the class: whoever is asked decides */
	return r->failed ? -ERR_TRUNCATED : 0;
}

/* RFC 6891 6.1.2: the root, type, payload size, extended flags, and well-formed options. */
static int read_opt(struct reader *r)
{
	uint8_t root = reader_u8(r);
	uint16_t type = reader_be16(r);
	struct reader options;

	reader_skip(r, 6);
	size_t size = reader_be16(r);
	struct span data = reader_span(r, size);

	if (r->failed)
		return -ERR_TRUNCATED;
	if (root != 0 || type != TYPE_OPT)
		return -ERR_SYNTAX;
	reader_init(&options, data.data, data.size);
	while (reader_left(&options) > 0 && !options.failed) {
		(void)reader_be16(&options); /* code */
		reader_skip(&options, reader_be16(&options));
	}
	return options.failed ? -ERR_SYNTAX : 0;
}

int dns_query_read(struct dns_query *out, const void *message, size_t message_bytes)
{
	struct header h;
	struct reader r;

	if (message_bytes > DNS_QUERY_BYTES_MAX)
		return -ERR_TOO_LONG;
	reader_init(&r, message, message_bytes);
	int err = read_header(&h, &r);

	if (err != 0)
		return err;
	if (h.flags & FLAG_ANSWER)
		return -ERR_UNSUPPORTED;
	if (h.flags & (FLAG_CUT | FLAG_CODE) || h.questions != 1 || h.answers != 0 ||
	    h.authorities != 0 || h.additional > 1)
		return -ERR_SYNTAX;
	out->id = h.id;
	err = read_question(out, &r);
	if (err == 0 && h.additional == 1)
		err = read_opt(&r);
	if (err != 0)
		return err;
	return reader_left(&r) == 0 ? 0 : -ERR_SYNTAX;
}

int dns_query_read_stream(struct dns_query *out, const void *stream, size_t stream_bytes)
{
	struct reader r;

	reader_init(&r, stream, stream_bytes);
	size_t size = reader_be16(&r);

	if (r.failed)
		return -ERR_TRUNCATED;
	if (size > DNS_QUERY_BYTES_MAX)
		return -ERR_TOO_LONG;
	bool whole = reader_left(&r) >= size;
	struct span message = reader_span(&r, whole ? size : reader_left(&r));
	int err = dns_query_read(out, message.data, message.size);

	/* Cut inside although all of it is here: its length lies. */
	if (err == -ERR_TRUNCATED || (err == 0 && !whole))
		return whole ? -ERR_SYNTAX : -ERR_TRUNCATED;
	return err;
}

int dns_answer_read(struct dns_query *out, const void *message, size_t message_bytes)
{
	struct header h;
	struct reader r;

	memset(out, 0, sizeof(*out));
	reader_init(&r, message, message_bytes);
	int err = read_header(&h, &r);

	if (err != 0)
		return err;
	if (!(h.flags & FLAG_ANSWER))
		return -ERR_UNSUPPORTED;
	if (h.questions > 1)
		return -ERR_SYNTAX;
	out->id = h.id;
	return h.questions == 1 ? read_question(out, &r) : 0;
}

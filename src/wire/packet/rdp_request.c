/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TPKT, X.224 connection request, RDP negotiation request; pure. */
#include "wire/packet/rdp_request.h"

#include <string.h>

#include "base/err.h"

enum { TPKT_VERSION = 3, TPKT_BYTES = 4, X224_REQUEST = 0xe0, X224_FIXED_BYTES = 6 };
enum {
	NEGOTIATION_REQUEST = 1,
	NEGOTIATION_BYTES = 8,
	NEGOTIATION_HAS_CORRELATION = 8,
	CORRELATION = 6,
	CORRELATION_BYTES = 36
};

/* RFC 1006 6: version, reserved, length with this header. @length stays 0 until it is known. */
static int read_tpkt(struct reader *r, size_t *length)
{
	if (reader_peek(r) != TPKT_VERSION)
		return reader_left(r) == 0 ? -ERR_TRUNCATED : -ERR_UNSUPPORTED;
	reader_skip(r, 1);
	if (reader_left(r) > 0 && reader_u8(r) != 0)
		return -ERR_UNSUPPORTED;
	*length = reader_be16(r);
	if (r->failed)
		return -ERR_TRUNCATED;
	if (*length > RDP_REQUEST_BYTES_MAX)
		return -ERR_TOO_LONG;
	return *length < TPKT_BYTES + 1 + X224_FIXED_BYTES ? -ERR_SYNTAX : 0;
}

/* X.224 13.3.1: length indicator, code and credit, references, class and options. */
static int read_x224(struct reader *r, size_t tpkt_length)
{
	if (reader_left(r) == 0)
		return -ERR_TRUNCATED;
	if (reader_u8(r) != tpkt_length - TPKT_BYTES - 1)
		return -ERR_SYNTAX;
	if (reader_left(r) == 0)
		return -ERR_TRUNCATED;
	if (reader_u8(r) != X224_REQUEST)
		return -ERR_UNSUPPORTED;
	uint16_t destination = reader_be16(r);

	reader_skip(r, 2); /* the client's own reference: any */
	uint8_t options = reader_u8(r);

	if (r->failed)
		return -ERR_TRUNCATED;
	return destination != 0 || options != 0 ? -ERR_SYNTAX : 0;
}

/* A cookie or routing token: one line of text in front of the negotiation. */
static int read_cookie(struct rdp_request *out, struct reader *r)
{
	const uint8_t *line = r->data + r->at;
	const uint8_t *end;

	if (reader_peek(r) != 'C')
		return 0;
	end = memchr(line, '\r', reader_left(r));
	if (end == NULL)
		return -ERR_SYNTAX;
	out->cookie = reader_span(r, (size_t)(end - line));
	for (size_t i = 0; i < out->cookie.size; i++) {
		if (out->cookie.data[i] < ' ' || out->cookie.data[i] > '~')
			return -ERR_SYNTAX;
	}
	if (!span_starts_nocase(out->cookie, span_of("Cookie: ")))
		return -ERR_SYNTAX;
	reader_skip(r, 1);
	return reader_u8(r) == '\n' ? 0 : -ERR_SYNTAX;
}

static uint32_t read_le(struct reader *r, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)reader_u8(r) << (8 * i);
	return value;
}

static int read_negotiation(struct rdp_request *out, struct reader *r)
{
	if (reader_left(r) == 0)
		return 0;
	uint8_t type = reader_u8(r), flags = reader_u8(r);
	uint32_t length = read_le(r, 2);

	out->protocols = read_le(r, 4);
	out->has_negotiation = true;
	if (r->failed || type != NEGOTIATION_REQUEST || length != NEGOTIATION_BYTES)
		return -ERR_SYNTAX;
	if (!(flags & NEGOTIATION_HAS_CORRELATION))
		return 0;
	type = reader_u8(r);
	reader_skip(r, 1);
	length = read_le(r, 2);
	reader_skip(r, CORRELATION_BYTES - 4);
	return r->failed || type != CORRELATION || length != CORRELATION_BYTES ? -ERR_SYNTAX : 0;
}

int rdp_request_read(struct rdp_request *out, const void *stream, size_t stream_bytes)
{
	struct reader r, body;
	size_t length = 0;

	memset(out, 0, sizeof(*out));
	reader_init(&r, stream, stream_bytes);
	int err = read_tpkt(&r, &length);

	if (err == 0)
		err = read_x224(&r, length);
	if (err != 0)
		return err;
	if (stream_bytes < length)
		return -ERR_TRUNCATED;
	reader_init(&body, r.data + r.at, length - r.at);
	err = read_cookie(out, &body);
	if (err == 0)
		err = read_negotiation(out, &body);
	if (err != 0)
		return err;
	return reader_left(&body) == 0 ? 0 : -ERR_SYNTAX;
}

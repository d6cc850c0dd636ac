/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of an HTTP/1 request; pure. */
#include "wire/packet/http_request.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/http_head.h"

/* RFC 9113 3.4. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { PREFACE_BYTES = sizeof(preface) - 1 };

/* A method as far as it has come: so a stream that is no HTTP is seen before it has a line end. */
static int check_method(const uint8_t *stream, size_t stream_bytes)
{
	for (size_t i = 0; i < stream_bytes; i++) {
		if (stream[i] == ' ')
			return i > 0 ? 0 : -ERR_UNSUPPORTED;
		if (!http_is_token_byte(stream[i]) || i == HTTP_METHOD_BYTES_MAX)
			return -ERR_UNSUPPORTED;
	}
	return -ERR_TRUNCATED;
}

static int check_target(struct span target)
{
	if (target.size == 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < target.size; i++) {
		if (target.data[i] <= ' ' || target.data[i] >= 0x7f)
			return -ERR_SYNTAX;
	}
	return 0;
}

/* RFC 9112 3: method SP target SP version. */
static int read_request_line(struct http_request *out, struct span line)
{
	struct span rest = line;

	if (!http_cut(&rest, ' ', &out->method) || !http_cut(&rest, ' ', &out->target))
		return -ERR_SYNTAX;
	if (rest.size != 8 || memcmp(rest.data, "HTTP/1.", 7) != 0 || rest.data[7] < '0' ||
	    rest.data[7] > '1')
		return -ERR_UNSUPPORTED;
	out->minor = (uint8_t)(rest.data[7] - '0');
	if (span_equal(out->method, span_of("CONNECT")))
		return -ERR_UNSUPPORTED;
	return check_target(out->target);
}

/* RFC 9112 3.2.2: scheme "://" authority path; @host stays empty for the other forms. */
static int read_absolute_target(struct span target, struct span *host)
{
	static const char scheme[] = "http://";
	const size_t scheme_bytes = sizeof(scheme) - 1;
	uint32_t port; /* whichever */
	size_t size;

	*host = (struct span){NULL, 0};
	if (target.data[0] == '/' || span_equal(target, span_of("*")))
		return 0;
	if (!span_starts_nocase(target, span_of(scheme)))
		return -ERR_UNSUPPORTED;
	target.data += scheme_bytes;
	target.size -= scheme_bytes;
	for (size = 0; size < target.size && strchr("/?#", target.data[size]) == NULL; size++)
		;
	return http_read_authority((struct span){target.data, size}, host, &port);
}

/* All fields, up to the empty line. */
static int read_fields(struct http_request *out, struct reader *r)
{
	struct span line, name, value;
	bool has_host = false;
	uint32_t port; /* whichever */

	for (unsigned count = 0; count <= HTTP_FIELDS_MAX; count++) {
		int err = http_next_line(r, &line);

		if (err != 0)
			return err;
		if (line.size == 0)
			return has_host || out->minor == 0 ? 0 : -ERR_SYNTAX;
		err = http_read_field(line, &name, &value);
		if (err == 0 && span_equal_nocase(name, span_of("Host"))) {
			err = has_host ? -ERR_SYNTAX
				       : http_read_authority(value, &out->host, &port);
			has_host = true;
		}
		if (err != 0)
			return err;
	}
	return -ERR_TOO_LONG;
}

static int read_head(struct http_request *out, struct reader *r)
{
	struct span line, target_host;
	int err = http_next_line(r, &line);

	if (err == 0)
		err = read_request_line(out, line);
	if (err == 0)
		err = read_absolute_target(out->target, &target_host);
	if (err == 0)
		err = read_fields(out, r);
	if (err != 0 || target_host.size == 0)
		return err;
	if (out->host.size > 0 && !span_equal_nocase(out->host, target_host))
		return -ERR_SYNTAX;
	out->host = target_host;
	return 0;
}

int http_request_read(struct http_request *out, const void *stream, size_t stream_bytes)
{
	struct reader r;
	size_t seen = stream_bytes < HTTP_HEAD_BYTES_MAX ? stream_bytes : HTTP_HEAD_BYTES_MAX;
	size_t compared = seen < PREFACE_BYTES ? seen : PREFACE_BYTES;

	memset(out, 0, sizeof(*out));
	if (compared > 3 && memcmp(stream, preface, compared) == 0) {
		out->is_http2 = true;
		return compared == PREFACE_BYTES ? 0 : -ERR_TRUNCATED;
	}
	int err = check_method(stream, seen);

	if (err != 0)
		return err;
	reader_init(&r, stream, seen);
	err = read_head(out, &r);
	return err == -ERR_TRUNCATED && stream_bytes >= HTTP_HEAD_BYTES_MAX ? -ERR_TOO_LONG : err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of an HTTP/1 request; pure. */
#include "wire/http_request.h"

#include <string.h>

#include "base/err.h"

/* RFC 9113 3.4. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { PREFACE_BYTES = sizeof(preface) - 1 };

/* RFC 9110 5.6.2. */
static bool is_token_byte(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

/* The next line without CR LF. A line feed alone, which some readers take for an end, is an error.
 */
static int next_line(struct reader *r, struct span *line)
{
	const uint8_t *begin = r->data + r->at;
	size_t left = reader_left(r);
	const uint8_t *end = left > 0 ? memchr(begin, '\n', left) : NULL;
	const uint8_t *cr = left > 0 ? memchr(begin, '\r', left) : NULL;

	if (end == NULL)
		return cr != NULL && cr + 1 < begin + left ? -ERR_SYNTAX : -ERR_TRUNCATED;
	if (cr == NULL || cr + 1 != end)
		return -ERR_SYNTAX;
	*line = reader_span(r, (size_t)(cr - begin));
	reader_skip(r, 2);
	return 0;
}

/* Split off what stands before the first @separator; false where there is none. */
static bool cut(struct span *rest, char separator, struct span *out)
{
	const uint8_t *at = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;

	if (at == NULL)
		return false;
	*out = (struct span){rest->data, (size_t)(at - rest->data)};
	rest->size -= out->size + 1;
	rest->data = at + 1;
	return true;
}

/* A method as far as it has come: so a stream that is no HTTP is seen before it has a line end. */
static int check_method(const uint8_t *stream, size_t stream_bytes)
{
	for (size_t i = 0; i < stream_bytes; i++) {
		if (stream[i] == ' ')
			return i > 0 ? 0 : -ERR_UNSUPPORTED;
		if (!is_token_byte(stream[i]) || i == HTTP_METHOD_BYTES_MAX)
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

	if (!cut(&rest, ' ', &out->method) || !cut(&rest, ' ', &out->target))
		return -ERR_SYNTAX;
	if (rest.size != 8 || memcmp(rest.data, "HTTP/1.", 7) != 0 || rest.data[7] < '0' ||
	    rest.data[7] > '1')
		return -ERR_UNSUPPORTED;
	out->minor = (uint8_t)(rest.data[7] - '0');
	if (span_equal(out->method, span_of("CONNECT")))
		return -ERR_UNSUPPORTED;
	return check_target(out->target);
}

/* RFC 3986 3.2.2: the inside of an IPv6 literal's brackets. */
static bool is_literal(struct span host)
{
	for (size_t i = 1; i + 1 < host.size; i++) {
		uint8_t c = host.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') &&
		    c != ':' && c != '.')
			return false;
	}
	return host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
}

static bool is_host(struct span host)
{
	if (host.size == 0 || host.data[0] == '.' || host.data[host.size - 1] == '.')
		return false;
	if (host.data[0] == '[')
		return is_literal(host);
	for (size_t i = 0; i < host.size; i++) {
		if (!is_host_byte(host.data[i]))
			return false;
	}
	return true;
}

/* host [":" port]; nothing else (RFC 9110 7.2). */
static int read_authority(struct span authority, struct span *host)
{
	size_t at = authority.size;

	while (at > 0 && authority.data[at - 1] >= '0' && authority.data[at - 1] <= '9')
		at--;
	bool has_port = at > 0 && authority.data[at - 1] == ':' && authority.data[0] != '[';

	/* A literal's own colons are inside its brackets. */
	if (at > 1 && authority.data[at - 1] == ':' && authority.data[at - 2] == ']')
		has_port = true;
	if (has_port && authority.size - at > 5)
		return -ERR_SYNTAX;
	*host = (struct span){authority.data, has_port ? at - 1 : authority.size};
	if (host->size > HTTP_HOST_BYTES_MAX)
		return -ERR_TOO_LONG;
	return is_host(*host) ? 0 : -ERR_SYNTAX;
}

/* RFC 9112 3.2.2: scheme "://" authority path; @host stays empty for the other forms. */
static int read_absolute_target(struct span target, struct span *host)
{
	static const char scheme[] = "http://";
	const size_t scheme_bytes = sizeof(scheme) - 1;
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
	return read_authority((struct span){target.data, size}, host);
}

/* RFC 9112 5: name ":" OWS value OWS. */
static int read_field(struct span line, struct span *name, struct span *value)
{
	struct span rest = line;

	if (!cut(&rest, ':', name) || name->size == 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < name->size; i++) {
		if (!is_token_byte(name->data[i]))
			return -ERR_SYNTAX;
	}
	for (size_t i = 0; i < rest.size; i++) {
		if ((rest.data[i] < ' ' && rest.data[i] != '\t') || rest.data[i] == 0x7f)
			return -ERR_SYNTAX;
	}
	*value = span_trim(rest);
	return 0;
}

/* All fields, up to the empty line. */
static int read_fields(struct http_request *out, struct reader *r)
{
	struct span line, name, value;
	bool has_host = false;

	for (unsigned count = 0; count <= HTTP_FIELDS_MAX; count++) {
		int err = next_line(r, &line);

		if (err != 0)
			return err;
		if (line.size == 0)
			return has_host || out->minor == 0 ? 0 : -ERR_SYNTAX;
		err = read_field(line, &name, &value);
		if (err == 0 && span_equal_nocase(name, span_of("Host"))) {
			err = has_host ? -ERR_SYNTAX : read_authority(value, &out->host);
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
	int err = next_line(r, &line);

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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines, fields and authorities of HTTP/1; pure. */
#include "wire/packet/http_head.h"

#include <string.h>

#include "base/err.h"

bool http_is_token_byte(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

int http_next_line(struct reader *r, struct span *line)
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

bool http_cut(struct span *rest, char separator, struct span *out)
{
	const uint8_t *at = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;

	if (at == NULL)
		return false;
	*out = (struct span){rest->data, (size_t)(at - rest->data)};
	rest->size -= out->size + 1;
	rest->data = at + 1;
	return true;
}

int http_read_field(struct span line, struct span *name, struct span *value)
{
	struct span rest = line;

	if (!http_cut(&rest, ':', name) || name->size == 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < name->size; i++) {
		if (!http_is_token_byte(name->data[i]))
			return -ERR_SYNTAX;
	}
	for (size_t i = 0; i < rest.size; i++) {
		if ((rest.data[i] < ' ' && rest.data[i] != '\t') || rest.data[i] == 0x7f)
			return -ERR_SYNTAX;
	}
	*value = span_trim(rest);
	return 0;
}

static bool is_host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
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

int http_read_authority(struct span authority, struct span *host, uint32_t *port)
{
	size_t at = authority.size;
	uint32_t number = 0;
	bool has_port;

	while (at > 0 && authority.data[at - 1] >= '0' && authority.data[at - 1] <= '9')
		at--;
	has_port = at > 0 && authority.data[at - 1] == ':' && authority.data[0] != '[';
	/* A literal's own colons are inside its brackets. */
	if (at > 1 && authority.data[at - 1] == ':' && authority.data[at - 2] == ']')
		has_port = true;
	if (has_port && authority.size - at > 5)
		return -ERR_SYNTAX;
	for (size_t i = at; has_port && i < authority.size; i++)
		number = 10 * number + (authority.data[i] - '0');
	if (number > UINT16_MAX)
		return -ERR_SYNTAX;
	*port = has_port && at < authority.size ? number : HTTP_PORT_NONE;
	*host = (struct span){authority.data, has_port ? at - 1 : authority.size};
	if (host->size > HTTP_HOST_BYTES_MAX)
		return -ERR_TOO_LONG;
	return is_host(*host) ? 0 : -ERR_SYNTAX;
}

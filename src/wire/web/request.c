/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a browser's request; pure. */
#include "wire/web/request.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

#include "base/err.h"
#include "wire/packet/http_head.h"

enum { KEY_TEXT = 24, KEY_OCTETS = 16 };

/* What has been seen of the fields that may stand once. */
struct seen {
	bool host, origin, upgrade, connection, key, version, protocol, length;
	bool says_websocket, says_upgrade;
};

/* ---- the request line ---- */

static int read_method(struct web_request *out, struct span method)
{
	out->is_head = span_equal(method, span_of("HEAD"));
	return out->is_head || span_equal(method, span_of("GET")) ? 0 : -ERR_UNSUPPORTED;
}

static bool is_path_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '/' || c == '.' || c == '-' || c == '_';
}

/* Origin form without a query (RFC 9112 3.2.1): no escape, so that nothing has two spellings. */
static int read_path(struct web_request *out, struct span path)
{
	if (path.size == 0 || path.data[0] != '/')
		return -ERR_SYNTAX;
	if (path.size > WEB_PATH_BYTES_MAX)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < path.size; i++) {
		if (!is_path_byte(path.data[i]))
			return -ERR_SYNTAX;
	}
	out->path = path;
	return 0;
}

static int read_request_line(struct web_request *out, struct span line)
{
	struct span rest = line, method, path;
	int err;

	if (!http_cut(&rest, ' ', &method) || !http_cut(&rest, ' ', &path))
		return -ERR_SYNTAX;
	if (rest.size != 8 || memcmp(rest.data, "HTTP/", 5) != 0)
		return -ERR_SYNTAX;
	if (memcmp(rest.data, "HTTP/1.1", 8) != 0)
		return -ERR_RANGE;
	err = read_method(out, method);
	return err == 0 ? read_path(out, path) : err;
}

/* ---- fields ---- */

/* The next item of a comma-separated list (RFC 9110 5.6.1), without its parameters. */
static bool next_item(struct span *list, struct span *item)
{
	struct span part;

	if (list->size == 0)
		return false;
	if (!http_cut(list, ',', item)) {
		*item = *list;
		*list = (struct span){0};
	}
	if (http_cut(&(struct span){item->data, item->size}, ';', &part))
		*item = part;
	*item = span_trim(*item);
	return true;
}

static bool has_item(struct span list, const char *wanted)
{
	struct span item;

	while (next_item(&list, &item)) {
		if (span_equal_nocase(item, span_of(wanted)))
			return true;
	}
	return false;
}

static bool once(bool *seen)
{
	bool first = !*seen;

	*seen = true;
	return first;
}

static int take_host(struct web_request *out, struct seen *seen, struct span value)
{
	out->authority = value;
	return once(&seen->host) ? http_read_authority(value, &out->host, &out->port) : -ERR_SYNTAX;
}

static int take_origin(struct web_request *out, struct seen *seen, struct span value)
{
	out->origin = value;
	return once(&seen->origin) && value.size > 0 ? 0 : -ERR_SYNTAX;
}

static int take_upgrade(struct web_request *out, struct seen *seen, struct span value)
{
	seen->says_websocket = span_equal_nocase(value, span_of("websocket"));
	return once(&seen->upgrade) ? 0 : -ERR_SYNTAX;
}

static int take_connection(struct web_request *out, struct seen *seen, struct span value)
{
	seen->says_upgrade = has_item(value, "upgrade");
	out->wants_close = has_item(value, "close");
	return once(&seen->connection) ? 0 : -ERR_SYNTAX;
}

static int take_key(struct web_request *out, struct seen *seen, struct span value)
{
	struct base64_decode_ctx decoder;
	uint8_t octets[BASE64_DECODE_LENGTH(KEY_TEXT)];
	size_t size = sizeof(octets);

	base64_decode_init(&decoder);
	if (!once(&seen->key) || value.size != KEY_TEXT ||
	    !base64_decode_update(&decoder, &size, octets, value.size, (const char *)value.data) ||
	    !base64_decode_final(&decoder) || size != KEY_OCTETS)
		return -ERR_SYNTAX;
	out->key = value;
	return 0;
}

static int take_version(struct web_request *out, struct seen *seen, struct span value)
{
	if (!once(&seen->version) || value.size == 0 || value.size > 3)
		return -ERR_SYNTAX;
	out->version = 0;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return -ERR_SYNTAX;
		out->version = 10 * out->version + (value.data[i] - '0');
	}
	return 0;
}

static int take_protocol(struct web_request *out, struct seen *seen, struct span value)
{
	out->offers_binary = has_item(value, "binary");
	return once(&seen->protocol) ? 0 : -ERR_SYNTAX;
}

/* Some clients say that there is no body; any other length is one. */
static int take_length(struct web_request *out, struct seen *seen, struct span value)
{
	if (!once(&seen->length))
		return -ERR_SYNTAX;
	return span_equal(value, span_of("0")) ? 0 : -ERR_DENIED;
}

static int take_body(struct web_request *out, struct seen *seen, struct span value)
{
	return -ERR_DENIED;
}

static int take_field(struct web_request *out, struct seen *seen, struct span line)
{
	static const struct {
		const char *name;
		int (*take)(struct web_request *out, struct seen *seen, struct span value);
	} fields[] = {
		{"Host", take_host},
		{"Origin", take_origin},
		{"Upgrade", take_upgrade},
		{"Connection", take_connection},
		{"Sec-WebSocket-Key", take_key},
		{"Sec-WebSocket-Version", take_version},
		{"Sec-WebSocket-Protocol", take_protocol},
		{"Content-Length", take_length},
		{"Transfer-Encoding", take_body},
		{"Expect", take_body},
	};
	struct span name, value;
	int err = http_read_field(line, &name, &value);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && err == 0; i++) {
		if (span_equal_nocase(name, span_of(fields[i].name)))
			return fields[i].take(out, seen, value);
	}
	return err;
}

static int read_fields(struct web_request *out, struct reader *r)
{
	struct seen seen = {0};
	struct span line;

	for (unsigned count = 0; count <= WEB_FIELDS_MAX; count++) {
		int err = http_next_line(r, &line);

		if (err == 0 && line.size == 0) {
			out->wants_websocket = seen.says_websocket && seen.says_upgrade;
			return seen.host ? 0 : -ERR_SYNTAX;
		}
		if (err == 0)
			err = take_field(out, &seen, line);
		if (err != 0)
			return err;
	}
	return -ERR_TOO_LONG;
}

int web_request_read(struct web_request *out, struct reader *r)
{
	struct reader head;
	struct span line;
	size_t there = reader_left(r);
	int err;

	*out = (struct web_request){.port = HTTP_PORT_NONE};
	reader_init(&head, r->data + r->at,
		    there < WEB_HEAD_BYTES_MAX ? there : WEB_HEAD_BYTES_MAX);
	err = http_next_line(&head, &line);
	if (err == 0)
		err = read_request_line(out, line);
	if (err == 0)
		err = read_fields(out, &head);
	if (err == 0)
		reader_skip(r, head.at);
	return err == -ERR_TRUNCATED && there >= WEB_HEAD_BYTES_MAX ? -ERR_TOO_LONG : err;
}

/* ---- the upgrade ---- */

bool web_request_same_origin(const struct web_request *request)
{
	static const char scheme[] = "https://";
	struct span rest = request->origin;

	if (!span_starts_nocase(rest, span_of(scheme)))
		return false;
	rest.data += sizeof(scheme) - 1;
	rest.size -= sizeof(scheme) - 1;
	return span_equal_nocase(rest, request->authority);
}

void web_accept(struct span key, char out[WEB_ACCEPT_TEXT_MAX])
{
	static const char salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;

	sha1_init(&sha1);
	sha1_update(&sha1, key.size, key.data);
	sha1_update(&sha1, sizeof(salt) - 1, (const uint8_t *)salt);
	sha1_digest(&sha1, sizeof(digest), digest);
	base64_encode_raw(out, sizeof(digest), digest);
	out[WEB_ACCEPT_TEXT_MAX - 1] = '\0';
}

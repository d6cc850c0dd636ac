/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TLS ClientHello: records put together, the message taken apart; pure. */
#include "wire/packet/tls_hello.h"

#include <string.h>

#include "base/err.h"

enum { CONTENT_HANDSHAKE = 22, HANDSHAKE_CLIENT_HELLO = 1, NAME_TYPE_HOST = 0 };
enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_ENCRYPTED_HELLO = 0xfe0d
};
enum {
	RECORD_BYTES_MAX = 16384,
	MESSAGE_HEADER_BYTES = 4,
	RANDOM_BYTES = 32,
	SESSION_ID_BYTES_MAX = 32
};

/* The message as far as it has come. */
struct message {
	uint8_t *data;
	size_t size;
	size_t wanted; /* with its header; 0: not known yet */
};

/* Learn the length from the first four bytes. */
static int read_message_header(struct message *m)
{
	if (m->wanted > 0 || m->size < 1)
		return 0;
	if (m->data[0] != HANDSHAKE_CLIENT_HELLO)
		return -ERR_UNSUPPORTED;
	if (m->size < MESSAGE_HEADER_BYTES)
		return 0;
	m->wanted = MESSAGE_HEADER_BYTES +
		    ((size_t)m->data[1] << 16 | (size_t)m->data[2] << 8 | m->data[3]);
	return m->wanted > TLS_HELLO_BYTES_MAX ? -ERR_TOO_LONG : 0;
}

static int append(struct message *m, struct span fragment)
{
	size_t room = TLS_HELLO_BYTES_MAX - m->size;
	size_t taken = fragment.size < room ? fragment.size : room;

	memcpy(m->data + m->size, fragment.data, taken);
	m->size += taken;
	return read_message_header(m);
}

static bool is_whole(const struct message *m)
{
	return m->wanted > 0 && m->size >= m->wanted;
}

/* RFC 8446 5.1: type, version 3.x, length; a handshake record is never empty. What has come of the
 * last one counts. */
static int read_record(struct reader *r, struct message *m)
{
	if (reader_peek(r) != CONTENT_HANDSHAKE)
		return -ERR_UNSUPPORTED;
	uint8_t type_and_major[2] = {reader_u8(r), reader_u8(r)};
	bool has_major = !r->failed;

	(void)reader_u8(r); /* minor version: 1 or 3, and to be ignored */
	size_t length = reader_be16(r);

	if (has_major && type_and_major[1] != 3)
		return -ERR_UNSUPPORTED;
	if (r->failed)
		return -ERR_TRUNCATED;
	if (length == 0)
		return -ERR_SYNTAX;
	if (length > RECORD_BYTES_MAX)
		return -ERR_TOO_LONG;
	size_t here = length < reader_left(r) ? length : reader_left(r);
	int err = append(m, reader_span(r, here));

	if (err == 0 && !is_whole(m) && here < length)
		return -ERR_TRUNCATED;
	return err;
}

/* A vector with a length of one or two bytes. */
static struct span read_vector(struct reader *r, unsigned length_bytes)
{
	size_t size = length_bytes == 1 ? reader_u8(r) : reader_be16(r);

	return reader_span(r, size);
}

static bool is_host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

/* RFC 6066 3: an ASCII name without the final dot. */
static int check_host_name(struct span name)
{
	if (name.size == 0 || name.data[0] == '.' || name.data[name.size - 1] == '.')
		return -ERR_SYNTAX;
	if (name.size > TLS_HELLO_NAME_BYTES_MAX)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < name.size; i++) {
		if (!is_host_byte(name.data[i]))
			return -ERR_SYNTAX;
	}
	return 0;
}

/* A list that in practice has one entry: a second name of the same type is forbidden, other types
 * do not exist. */
static int read_server_name(struct tls_hello *out, struct span extension)
{
	struct reader r;

	reader_init(&r, extension.data, extension.size);
	struct span list = read_vector(&r, 2);

	if (r.failed || reader_left(&r) > 0 || out->server_name.size > 0)
		return -ERR_SYNTAX;
	reader_init(&r, list.data, list.size);
	uint8_t type = reader_u8(&r);
	struct span name = read_vector(&r, 2);

	if (r.failed || reader_left(&r) > 0 || type != NAME_TYPE_HOST)
		return -ERR_SYNTAX;
	out->server_name = name;
	return check_host_name(name);
}

/* RFC 8701: values of the form 0x?a?a mean nothing. */
static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static int read_supported_versions(struct tls_hello *out, struct span extension)
{
	struct reader r;

	reader_init(&r, extension.data, extension.size);
	struct span list = read_vector(&r, 1);

	if (r.failed || reader_left(&r) > 0 || list.size < 2 || list.size % 2 != 0)
		return -ERR_SYNTAX;
	reader_init(&r, list.data, list.size);
	while (reader_left(&r) > 0) {
		uint16_t version = reader_be16(&r);

		if (!is_grease(version) && version > out->highest_version)
			out->highest_version = version;
	}
	return 0;
}

static int read_extension(struct tls_hello *out, uint16_t type, struct span data)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return read_server_name(out, data);
	case EXTENSION_SUPPORTED_VERSIONS:
		return read_supported_versions(out, data);
	case EXTENSION_ENCRYPTED_HELLO:
		out->has_encrypted_hello = true;
		return 0;
	default:
		return 0;
	}
}

static int read_extensions(struct tls_hello *out, struct span list)
{
	uint16_t seen[TLS_HELLO_EXTENSIONS_MAX];
	size_t count = 0;
	struct reader r;

	reader_init(&r, list.data, list.size);
	while (reader_left(&r) > 0) {
		uint16_t type = reader_be16(&r);
		struct span data = read_vector(&r, 2);

		if (r.failed)
			return -ERR_SYNTAX;
		if (count == TLS_HELLO_EXTENSIONS_MAX)
			return -ERR_TOO_LONG;
		for (size_t i = 0; i < count; i++) {
			if (seen[i] == type)
				return -ERR_SYNTAX; /* RFC 8446 4.2: not more than one of a type */
		}
		seen[count++] = type;
		int err = read_extension(out, type, data);

		if (err != 0)
			return err;
	}
	return 0;
}

static int read_hello(struct tls_hello *out, struct span body)
{
	struct reader r;

	reader_init(&r, body.data, body.size);
	out->legacy_version = reader_be16(&r);
	out->highest_version = out->legacy_version;
	reader_skip(&r, RANDOM_BYTES);
	struct span session_id = read_vector(&r, 1), ciphers = read_vector(&r, 2);
	struct span compressions = read_vector(&r, 1);

	if (r.failed || session_id.size > SESSION_ID_BYTES_MAX || ciphers.size < 2 ||
	    ciphers.size % 2 != 0 || compressions.size == 0)
		return -ERR_SYNTAX;
	if (reader_left(&r) == 0)
		return 0; /* TLS 1.2 and older may do without extensions */
	struct span extensions = read_vector(&r, 2);

	if (r.failed || reader_left(&r) > 0)
		return -ERR_SYNTAX;
	return read_extensions(out, extensions);
}

int tls_hello_read(struct tls_hello *out, const void *stream, size_t stream_bytes,
		   uint8_t scratch[TLS_HELLO_BYTES_MAX])
{
	struct message m = {.data = scratch};
	struct reader r;

	memset(out, 0, sizeof(*out));
	reader_init(&r, stream, stream_bytes);
	while (!is_whole(&m)) {
		if (reader_left(&r) == 0)
			return -ERR_TRUNCATED;
		int err = read_record(&r, &m);

		if (err != 0)
			return err;
	}
	return read_hello(out, (struct span){scratch + MESSAGE_HEADER_BYTES,
					     m.wanted - MESSAGE_HEADER_BYTES});
}

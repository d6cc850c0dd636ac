/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a TLS ClientHello off the first bytes of a stream: does this speak TLS at all, and to which
 * server? */
#ifndef SEKISHO_WIRE_PACKET_TLS_HELLO_H
#define SEKISHO_WIRE_PACKET_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TLS_HELLO_BYTES_MAX      16384 /* of the message; post-quantum key shares need some 2,000 */
#define TLS_HELLO_EXTENSIONS_MAX 64
#define TLS_HELLO_NAME_BYTES_MAX 253 /* RFC 1035 2.3.4, as text without the final dot */

struct tls_hello {
	uint16_t legacy_version;
	uint16_t highest_version; /* of supported_versions, without GREASE values (RFC 8701); else
				     legacy_version */
	bool has_encrypted_hello; /* encrypted_client_hello: the name seen may not be the real one
				     (RFC 9849) */
	struct span server_name;  /* into the scratch buffer; empty: none was sent */
};

/**
 * tls_hello_read - read a ClientHello that may be split over records and segments
 * @out:           undefined after an error
 * @stream:        the first bytes that the client sent, in order
 * @scratch:       TLS_HELLO_BYTES_MAX bytes; the message is put together there, and @out points
 * into it
 * Return: 0; -ERR_TRUNCATED where what is there is right so far and more must come;
 * -ERR_UNSUPPORTED where it is not a TLS handshake that begins with a ClientHello; -ERR_TOO_LONG
 * past a limit above; -ERR_SYNTAX where it contradicts RFC 8446. RFC 8446 4.1.2, 4.2, 5.1; RFC
 * 6066 3.
 */
int tls_hello_read(struct tls_hello *out, const void *stream, size_t stream_bytes,
		   uint8_t scratch[TLS_HELLO_BYTES_MAX]);

#endif

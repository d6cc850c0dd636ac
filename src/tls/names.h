/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names a certificate is for: host names and addresses (RFC 5280 4.2.1.6), as a set. */
#ifndef SEKISHO_TLS_NAMES_H
#define SEKISHO_TLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define TLS_NAMES_MAX      64
#define TLS_HOST_BYTES_MAX 255 /* of a host name */

struct tls_name {
	bool is_address;
	uint8_t size;                       /* address: 4 or 16 */
	uint8_t octets[TLS_HOST_BYTES_MAX]; /* a host name in lower case, or network byte order */
};

struct tls_names {
	struct tls_name list[TLS_NAMES_MAX];
	size_t count;
	bool more; /* there were others, which had no room or are of another kind */
};

/**
 * tls_names_add_host - add a host name, unless it is there
 * @host: ASCII; borrowed
 * One that is empty or too long, and any behind the last of TLS_NAMES_MAX, sets @names->more.
 */
void tls_names_add_host(struct tls_names *names, struct span host);
/* ... an address of 4 or 16 octets in network byte order. */
void tls_names_add_address(struct tls_names *names, struct span address);

/* Whether both have the same names, in whatever order; never where either has more. */
bool tls_names_equal(const struct tls_names *a, const struct tls_names *b);

/**
 * tls_names_of - the alternative names of a certificate
 * @pem: the first certificate in it is looked at; borrowed
 * @out: set; kinds other than hosts and addresses set more
 * Return: 0; -ERR_SYNTAX; -ERR_NO_MEMORY.
 */
int tls_names_of(struct span pem, struct tls_names *out);

struct mbedtls_x509_crt;
/* The same of a certificate that was read. */
void tls_names_take(const struct mbedtls_x509_crt *cert, struct tls_names *out);

/* "gate.example.lg.jp, 10.0.0.1", printable ASCII. Return: 0 or the error of bytes_append. */
int tls_names_print(const struct tls_names *names, struct bytes *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of names: building, comparing, reading from a certificate, printing. */
#include "tls/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "tls/pem.h"

#define IPV4_BYTES 4
#define IPV6_BYTES 16

static bool is_same(const struct tls_name *a, const struct tls_name *b)
{
	return a->is_address == b->is_address && a->size == b->size &&
	       memcmp(a->octets, b->octets, a->size) == 0;
}

static bool has(const struct tls_names *names, const struct tls_name *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (is_same(&names->list[i], name))
			return true;
	}
	return false;
}

static void add(struct tls_names *names, const struct tls_name *name)
{
	if (has(names, name))
		return;
	if (names->count == TLS_NAMES_MAX)
		names->more = true;
	else
		names->list[names->count++] = *name;
}

void tls_names_add_host(struct tls_names *names, struct span host)
{
	struct tls_name name = {.is_address = false, .size = (uint8_t)host.size};

	if (host.size == 0 || host.size > TLS_HOST_BYTES_MAX) {
		names->more = true;
		return;
	}
	for (size_t i = 0; i < host.size; i++) {
		uint8_t c = host.data[i];

		name.octets[i] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
	}
	add(names, &name);
}

void tls_names_add_address(struct tls_names *names, struct span address)
{
	struct tls_name name = {.is_address = true, .size = (uint8_t)address.size};

	if (address.size != IPV4_BYTES && address.size != IPV6_BYTES) {
		names->more = true;
		return;
	}
	memcpy(name.octets, address.data, address.size);
	add(names, &name);
}

bool tls_names_equal(const struct tls_names *a, const struct tls_names *b)
{
	if (a->more || b->more || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!has(b, &a->list[i]))
			return false;
	}
	return true;
}

static void take(struct tls_names *out, const mbedtls_x509_buf *name)
{
	struct span octets = {name->p, name->len};

	switch (name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK) {
	case MBEDTLS_X509_SAN_DNS_NAME:
		tls_names_add_host(out, octets);
		break;
	case MBEDTLS_X509_SAN_IP_ADDRESS:
		tls_names_add_address(out, octets);
		break;
	default:
		out->more = true;
	}
}

void tls_names_take(const struct mbedtls_x509_crt *cert, struct tls_names *out)
{
	*out = (struct tls_names){0};
	for (const mbedtls_x509_sequence *n = &cert->subject_alt_names;
	     n != NULL && n->buf.p != NULL; n = n->next)
		take(out, &n->buf);
}

int tls_names_of(struct span pem, struct tls_names *out)
{
	mbedtls_x509_crt chain;
	int err = 0;

	mbedtls_x509_crt_init(&chain);
	err = tls_authorities_parse(&chain, pem);
	if (err == 0)
		tls_names_take(&chain, out);
	mbedtls_x509_crt_free(&chain);
	return err;
}

static int print_host(const struct tls_name *name, struct bytes *out)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < name->size; i++) {
		bool plain = name->octets[i] > ' ' && name->octets[i] <= '~';

		err = bytes_append_u8(out, plain ? name->octets[i] : '?');
	}
	return err;
}

static int print_address(const struct tls_name *name, struct bytes *out)
{
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(name->size == IPV4_BYTES ? AF_INET : AF_INET6, name->octets, text,
			sizeof(text)); /* family and room are right */
	return bytes_append_text(out, text);
}

int tls_names_print(const struct tls_names *names, struct bytes *out)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < names->count; i++) {
		const struct tls_name *name = &names->list[i];

		if (i > 0)
			err = bytes_append_text(out, ", ");
		if (err == 0)
			err = name->is_address ? print_address(name, out) : print_host(name, out);
	}
	if (err == 0 && names->more)
		err = bytes_append_text(out, names->count > 0 ? ", ..." : "...");
	return err;
}

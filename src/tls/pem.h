/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates and keys: reading what an administrator loads, with a reason for what is refused,
 * and making a certificate that signs itself.
 */
#ifndef SEKISHO_TLS_PEM_H
#define SEKISHO_TLS_PEM_H

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdint.h>

#include "base/buf.h"
#include "tls/names.h"

#define TLS_PEM_BYTES_MAX 65536 /* of a chain with its key, or of a list of authorities */
#define TLS_CHAIN_MAX     8     /* certificates of a chain */
#define TLS_AUTHORITY_MAX 64    /* certificates of a list of authorities */
#define TLS_RSA_BITS_MIN  2048
#define TLS_EC_BITS_MIN   256

/* What is wrong with what was loaded. */
enum tls_defect {
	TLS_DEFECT_NONE,
	TLS_DEFECT_TOO_LONG,
	TLS_DEFECT_NO_CERTIFICATE, /* none there, or one that cannot be read */
	TLS_DEFECT_TOO_MANY,
	TLS_DEFECT_NO_KEY,    /* none there, or one that cannot be read */
	TLS_DEFECT_LOCKED,    /* the key is encrypted */
	TLS_DEFECT_MISMATCH,  /* the key is not the first certificate's */
	TLS_DEFECT_WEAK_KEY,  /* see TLS_RSA_BITS_MIN, TLS_EC_BITS_MIN; or of another kind */
	TLS_DEFECT_WEAK_HASH, /* a signature with MD5 or SHA-1 */
	TLS_DEFECT_EXPIRED,
	TLS_DEFECT_NOT_AUTHORITY, /* cannot sign others, and is not its own issuer */
	TLS_DEFECT_COUNT_
};

/* Fixed texts, English and Japanese. */
const char *tls_defect_text(enum tls_defect defect, bool japanese);

struct tls_identity {
	mbedtls_x509_crt chain; /* the own certificate first */
	mbedtls_pk_context key;
};

void tls_identity_init(struct tls_identity *identity);
/* Wipes the key; safe on one that was only initialised. */
void tls_identity_fini(struct tls_identity *identity);

/**
 * tls_identity_parse - read a certificate chain and its private key
 * @pem:    both, in any order; text around them is skipped; borrowed
 * @defect: set where it is refused
 * Return: 0; -ERR_SYNTAX; -ERR_NO_MEMORY. The time is not looked at, nor whether the two belong
 * together, which costs as much as a signature: that is for tls_identity_check, once, when they are
 * loaded; with a key that is another's, no handshake succeeds.
 */
int tls_identity_parse(struct tls_identity *identity, struct span pem, enum tls_defect *defect);

/* Read a list of authorities. Return: 0, -ERR_SYNTAX or -ERR_NO_MEMORY. */
int tls_authorities_parse(mbedtls_x509_crt *list, struct span pem);

/**
 * tls_identity_check - would this serve as a certificate with its key
 * @now_s: seconds since 1970
 */
enum tls_defect tls_identity_check(struct span pem, int64_t now_s);
/* ... as a list of authorities; one that has expired is a defect. */
enum tls_defect tls_authorities_check(struct span pem, int64_t now_s);

/* What is shown of a certificate; never the key. */
struct tls_summary {
	char subject[256]; /* as text, NUL-terminated, printable ASCII; cut: "..." behind it */
	char issuer[256];
	int64_t from_s, until_s; /* seconds since 1970: while all that are there hold */
	uint8_t sha256[32];      /* of the first certificate */
	unsigned count;          /* certificates there */
	bool has_key;
};

/* The first certificate of @pem, and how long all of them hold. Return: 0 or -ERR_SYNTAX. */
int tls_summarise(struct span pem, struct tls_summary *out);

#define TLS_MADE_DAYS 3650 /* that a certificate made here holds */

/**
 * tls_describe - every certificate there, for a person who decides about it: subject, issuer,
 * names, days, whether it may sign others, SHA-256; never a key
 * Return: 0; -ERR_SYNTAX; as bytes_append.
 */
int tls_describe(struct span pem, bool japanese, struct bytes *out);

/* What is to be made. */
struct tls_wish {
	const char *host_name;         /* the subject; borrowed */
	const struct tls_names *names; /* alternative names; NULL: the host name alone; borrowed */
	int64_t now_s;                 /* seconds since 1970; it holds from a day before */
	struct span key; /* PEM with the certificate whose private key and last day are kept;
			    empty: a new key is made; borrowed */
};

/**
 * tls_identity_make - a certificate signed by itself, with a new P-256 key or for one that is there
 * @pem: appended to: certificate, then key; the caller wipes it (tls_wipe)
 * Return: 0; -ERR_SYNTAX: there is no such key; -ERR_SYSTEM; as bytes_append.
 */
int tls_identity_make(const struct tls_wish *wish, struct bytes *pem);

/**
 * tls_pem_read - all of a descriptor, from its start
 * @fd: borrowed; a plain file or memfd
 * Return: 0; -ERR_TOO_LONG past TLS_PEM_BYTES_MAX; -ERR_SYSTEM; as bytes_append. The caller wipes.
 */
int tls_pem_read(int fd, struct bytes *pem);

/* Overwrite and free. */
void tls_wipe(struct bytes *secret);

/* For the library: getrandom(2). Return: 0 or its error. */
int tls_random(void *ctx, unsigned char *out, size_t size);

#endif

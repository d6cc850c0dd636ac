/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key and a certificate that signs itself: what a slot holds until a better one is loaded. */
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "tls/pem.h"

#define DAY_S        86400
#define SERIAL_BYTES 16
#define MADE_BYTES   24576 /* of either PEM block: of TLS_NAMES_MAX names as well */
#define CN_BYTES_MAX 64    /* RFC 5280, ub-common-name; the whole name stands among the others */

struct maker {
	mbedtls_pk_context key;
	mbedtls_x509write_cert cert;
	char subject[sizeof("CN=") + CN_BYTES_MAX];
	int64_t until_s;
	char from[16], until[16];                   /* YYYYMMDDhhmmss */
	struct tls_names host;                      /* where the host name is the only one */
	mbedtls_x509_san_list names[TLS_NAMES_MAX]; /* borrow from what was wished */
	mbedtls_asn1_sequence purposes[2];
};

static bool put_time(char out[16], int64_t at_s)
{
	time_t t = (time_t)at_s;
	struct tm tm;

	return gmtime_r(&t, &tm) != NULL && strftime(out, 16, "%Y%m%d%H%M%S", &tm) == 14;
}

static int make_key(struct maker *m, int64_t now_s)
{
	m->until_s = now_s + (int64_t)TLS_MADE_DAYS * DAY_S;
	if (psa_crypto_init() != PSA_SUCCESS)
		return -ERR_SYSTEM;
	if (mbedtls_pk_setup(&m->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0 ||
	    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(m->key), tls_random,
				NULL) != 0)
		return -ERR_SYSTEM;
	return 0;
}

/* The key that is in @pem becomes the maker's, for as long as it was made. */
static int keep_key(struct maker *m, struct span pem)
{
	struct tls_summary summary = {0};
	struct tls_identity old;
	enum tls_defect defect = TLS_DEFECT_NONE;
	int err = 0;

	tls_identity_init(&old);
	err = tls_identity_parse(&old, pem, &defect);
	if (err == 0)
		err = tls_summarise(pem, &summary);
	if (err == 0) {
		m->key = old.key;
		mbedtls_pk_init(&old.key);
		m->until_s = summary.until_s;
	}
	tls_identity_fini(&old);
	return err;
}

/* Linked from the last one on: the library writes them in reverse. */
static void link_names(struct maker *m, const struct tls_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct tls_name *name = &names->list[i];
		mbedtls_x509_san_list *item = &m->names[i];

		item->node.type =
			name->is_address ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
		item->node.san.unstructured_name = (mbedtls_x509_buf){
			name->is_address ? MBEDTLS_ASN1_OCTET_STRING : MBEDTLS_ASN1_IA5_STRING,
			name->size, (unsigned char *)(uintptr_t)name->octets};
		item->next = i > 0 ? &m->names[i - 1] : NULL;
	}
}

static int set_names(struct maker *m, const struct tls_wish *wish)
{
	const struct tls_names *names = wish->names;

	if (names == NULL) {
		tls_names_add_host(&m->host, span_of(wish->host_name));
		names = &m->host;
	}
	if (names->count == 0)
		return -1;
	link_names(m, names);
	(void)snprintf(m->subject, sizeof(m->subject), "CN=%.*s", CN_BYTES_MAX,
		       wish->host_name); /* fits */
	if (mbedtls_x509write_crt_set_subject_name(&m->cert, m->subject) != 0 ||
	    mbedtls_x509write_crt_set_issuer_name(&m->cert, m->subject) != 0)
		return -1;
	return mbedtls_x509write_crt_set_subject_alternative_name(&m->cert,
								  &m->names[names->count - 1]);
}

static int set_purpose(struct maker *m)
{
	static const char server[] = MBEDTLS_OID_SERVER_AUTH, client[] = MBEDTLS_OID_CLIENT_AUTH;

	m->purposes[0] = (mbedtls_asn1_sequence){.buf = {MBEDTLS_ASN1_OID, sizeof(server) - 1,
							 (unsigned char *)(uintptr_t)server},
						 .next = &m->purposes[1]};
	m->purposes[1] = (mbedtls_asn1_sequence){
		.buf = {MBEDTLS_ASN1_OID, sizeof(client) - 1, (unsigned char *)(uintptr_t)client}};
	if (mbedtls_x509write_crt_set_basic_constraints(&m->cert, 0, -1) != 0 ||
	    mbedtls_x509write_crt_set_key_usage(&m->cert, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
		return -1;
	return mbedtls_x509write_crt_set_ext_key_usage(&m->cert, m->purposes);
}

static int set_rest(struct maker *m, int64_t now_s)
{
	unsigned char serial[SERIAL_BYTES];

	if (tls_random(NULL, serial, sizeof(serial)) != 0 || !put_time(m->from, now_s - DAY_S) ||
	    !put_time(m->until, m->until_s))
		return -1;
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length */
	mbedtls_x509write_crt_set_version(&m->cert, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&m->cert, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&m->cert, &m->key);
	mbedtls_x509write_crt_set_issuer_key(&m->cert, &m->key);
	if (mbedtls_x509write_crt_set_serial_raw(&m->cert, serial, sizeof(serial)) != 0)
		return -1;
	return mbedtls_x509write_crt_set_validity(&m->cert, m->from, m->until);
}

/* Append both as PEM. */
static int put(struct maker *m, struct bytes *pem)
{
	unsigned char text[MADE_BYTES];
	int err = -ERR_SYSTEM;

	if (mbedtls_x509write_crt_pem(&m->cert, text, sizeof(text), tls_random, NULL) == 0)
		err = bytes_append_text(pem, (const char *)text);
	if (err == 0 && mbedtls_pk_write_key_pem(&m->key, text, sizeof(text)) != 0)
		err = -ERR_SYSTEM;
	else if (err == 0)
		err = bytes_append_text(pem, (const char *)text);
	mbedtls_platform_zeroize(text, sizeof(text));
	return err;
}

static int make(struct maker *m, const struct tls_wish *wish, struct bytes *pem)
{
	int err = wish->key.size > 0 ? keep_key(m, wish->key) : make_key(m, wish->now_s);

	if (err < 0)
		return err;
	if (set_names(m, wish) != 0 || set_purpose(m) != 0 || set_rest(m, wish->now_s) != 0)
		return -ERR_SYSTEM;
	return put(m, pem);
}

int tls_identity_make(const struct tls_wish *wish, struct bytes *pem)
{
	struct maker m = {0};
	int err = -ERR_NO_MEMORY;

	mbedtls_pk_init(&m.key);
	mbedtls_x509write_crt_init(&m.cert);
	if (bytes_room(pem, 2 * MADE_BYTES) != NULL) /* no copy is left behind by growing */
		err = make(&m, wish, pem);
	mbedtls_x509write_crt_free(&m.cert);
	mbedtls_pk_free(&m.key);
	return err;
}

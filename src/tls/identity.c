/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging certificates before they are taken: time, strength, fitness; and their summary. */
#include <string.h>

#include "base/err.h"
#include "base/sha256.h"
#include "tls/pem.h"

#define DAY_S 86400

/* Seconds since 1970 (proleptic Gregorian calendar, years from March on). */
static int64_t seconds_of(const mbedtls_x509_time *t)
{
	int64_t year = t->year - (t->mon <= 2);
	int64_t era = year / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (t->mon + (t->mon > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

	return days * DAY_S + t->hour * 3600 + t->min * 60 + t->sec;
}

static bool is_weak_hash(const mbedtls_x509_crt *cert)
{
	switch (cert->MBEDTLS_PRIVATE(sig_md)) {
	case MBEDTLS_MD_SHA256:
	case MBEDTLS_MD_SHA384:
	case MBEDTLS_MD_SHA512:
		return false;
	default:
		return true;
	}
}

static bool signs_itself(const mbedtls_x509_crt *cert)
{
	return cert->subject_raw.len == cert->issuer_raw.len &&
	       memcmp(cert->subject_raw.p, cert->issuer_raw.p, cert->subject_raw.len) == 0;
}

/* A root's own signature vouches for nothing: only the others' hashes matter. */
static enum tls_defect check_chain(const mbedtls_x509_crt *chain, int64_t now_s)
{
	for (; chain != NULL; chain = chain->next) {
		if (now_s >= seconds_of(&chain->valid_to))
			return TLS_DEFECT_EXPIRED;
		if (is_weak_hash(chain) && !signs_itself(chain))
			return TLS_DEFECT_WEAK_HASH;
	}
	return TLS_DEFECT_NONE;
}

static bool is_pair(struct tls_identity *identity)
{
	return mbedtls_pk_check_pair(&identity->chain.pk, &identity->key, tls_random, NULL) == 0;
}

enum tls_defect tls_identity_check(struct span pem, int64_t now_s)
{
	struct tls_identity identity;
	enum tls_defect defect = TLS_DEFECT_NONE;

	tls_identity_init(&identity);
	if (tls_identity_parse(&identity, pem, &defect) == 0)
		defect = is_pair(&identity) ? check_chain(&identity.chain, now_s)
					    : TLS_DEFECT_MISMATCH;
	else if (defect == TLS_DEFECT_NONE)
		defect = TLS_DEFECT_NO_CERTIFICATE;
	tls_identity_fini(&identity);
	return defect;
}

static enum tls_defect check_authorities(const mbedtls_x509_crt *list, int64_t now_s)
{
	unsigned count = 0;

	for (const mbedtls_x509_crt *c = list; c != NULL; c = c->next) {
		if (++count > TLS_AUTHORITY_MAX)
			return TLS_DEFECT_TOO_MANY;
		if (!mbedtls_x509_crt_get_ca_istrue(c) && !signs_itself(c))
			return TLS_DEFECT_NOT_AUTHORITY;
	}
	return check_chain(list, now_s);
}

enum tls_defect tls_authorities_check(struct span pem, int64_t now_s)
{
	mbedtls_x509_crt list;
	enum tls_defect defect = TLS_DEFECT_NO_CERTIFICATE;

	mbedtls_x509_crt_init(&list);
	if (tls_authorities_parse(&list, pem) == 0)
		defect = check_authorities(&list, now_s);
	mbedtls_x509_crt_free(&list);
	return defect;
}

/* A name as printable ASCII; of one that is too long, its beginning and "...": whoever decides
 * about it must not see nothing. */
static void put_name(char out[256], const mbedtls_x509_name *name)
{
	static const char cut[] = "...";

	memset(out, 0, 256);
	if (mbedtls_x509_dn_gets(out, 256, name) < 0)
		memcpy(out + strnlen(out, 256 - sizeof(cut)), cut, sizeof(cut));
	for (char *c = out; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* How many there are, and while all of them hold. */
static void summarise_times(const mbedtls_x509_crt *chain, struct tls_summary *out)
{
	out->from_s = seconds_of(&chain->valid_from);
	out->until_s = seconds_of(&chain->valid_to);
	for (const mbedtls_x509_crt *c = chain; c != NULL; c = c->next) {
		int64_t from_s = seconds_of(&c->valid_from), until_s = seconds_of(&c->valid_to);

		out->from_s = from_s > out->from_s ? from_s : out->from_s;
		out->until_s = until_s < out->until_s ? until_s : out->until_s;
		out->count++;
	}
}

int tls_summarise(struct span pem, struct tls_summary *out)
{
	mbedtls_x509_crt chain;
	struct tls_identity identity;
	enum tls_defect defect = TLS_DEFECT_NONE;
	int err = 0;

	*out = (struct tls_summary){0};
	mbedtls_x509_crt_init(&chain);
	tls_identity_init(&identity);
	err = tls_authorities_parse(&chain, pem);
	if (err == 0) {
		put_name(out->subject, &chain.subject);
		put_name(out->issuer, &chain.issuer);
		sha256_of(chain.raw.p, chain.raw.len, out->sha256);
		summarise_times(&chain, out);
		out->has_key =
			tls_identity_parse(&identity, pem, &defect) == 0 && is_pair(&identity);
	}
	tls_identity_fini(&identity);
	mbedtls_x509_crt_free(&chain);
	return err;
}

static int describe_one(const mbedtls_x509_crt *cert, bool japanese, struct bytes *out)
{
	const mbedtls_x509_time *from = &cert->valid_from, *until = &cert->valid_to;
	char subject[256], issuer[256], hex[SHA256_HEX_BYTES];
	uint8_t digest[SHA256_BYTES];
	struct tls_names names;
	int err;

	put_name(subject, &cert->subject);
	put_name(issuer, &cert->issuer);
	sha256_of(cert->raw.p, cert->raw.len, digest);
	sha256_hex(digest, hex);
	tls_names_take(cert, &names);
	err = bytes_printf(out,
			   japanese ? "%s\n  発行者 %s\n  名前 " : "%s\n  signed by %s\n  names ",
			   subject, issuer);
	if (err == 0)
		err = tls_names_print(&names, out);
	if (err < 0)
		return err;
	return bytes_printf(out,
			    japanese ? "\n  %04d-%02d-%02dから%04d-%02d-%02dまで、%s\n"
				       "  証明書のSHA-256 %s\n"
				     : "\n  holds from %04d-%02d-%02d to %04d-%02d-%02d, %s\n"
				       "  its SHA-256 %s\n",
			    from->year, from->mon, from->day, until->year, until->mon, until->day,
			    mbedtls_x509_crt_get_ca_istrue(cert)
				    ? (japanese ? "他の証明書に署名できる" : "may sign others")
				    : (japanese ? "他の証明書に署名できない"
						: "may not sign others"),
			    hex);
}

int tls_describe(struct span pem, bool japanese, struct bytes *out)
{
	mbedtls_x509_crt chain;
	int err = 0;

	mbedtls_x509_crt_init(&chain);
	err = tls_authorities_parse(&chain, pem);
	for (const mbedtls_x509_crt *c = &chain; err == 0 && c != NULL; c = c->next)
		err = describe_one(c, japanese, out);
	mbedtls_x509_crt_free(&chain);
	return err;
}

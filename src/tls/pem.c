/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading certificates and keys, and why they are refused. */
#include "tls/pem.h"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

const char *tls_defect_text(enum tls_defect defect, bool japanese)
{
	static const char *const texts[TLS_DEFECT_COUNT_][2] = {
		[TLS_DEFECT_NONE] = {"no defect", "問題ありません"},
		[TLS_DEFECT_TOO_LONG] = {"the text is too long", "テキストが長すぎます"},
		[TLS_DEFECT_NO_CERTIFICATE] = {"there is no certificate that can be read",
					       "読み取れる証明書がありません"},
		[TLS_DEFECT_TOO_MANY] = {"there are too many certificates", "証明書が多すぎます"},
		[TLS_DEFECT_NO_KEY] = {"there is no private key that can be read",
				       "読み取れる秘密鍵がありません"},
		[TLS_DEFECT_LOCKED] = {"the private key is encrypted: remove its pass phrase first",
				       "秘密鍵が暗号化されています。パスフレーズを外してください"},
		[TLS_DEFECT_MISMATCH] = {"the private key is not that of the first certificate",
					 "秘密鍵が最初の証明書と対応していません"},
		[TLS_DEFECT_WEAK_KEY] =
			{"the key is too weak: RSA from 2048 bits, or P-256 and up",
			 "鍵の強度が不足しています (RSA 2048ビット以上かP-256以上)"},
		[TLS_DEFECT_WEAK_HASH] = {"a certificate is signed with MD5 or SHA-1",
					  "MD5またはSHA-1で署名された証明書があります"},
		[TLS_DEFECT_EXPIRED] = {"a certificate has expired",
					"有効期限切れの証明書があります"},
		[TLS_DEFECT_NOT_AUTHORITY] =
			{"a certificate is no authority and does not sign itself",
			 "認証局でも自己署名でもない証明書があります"},
	};

	return texts[defect < TLS_DEFECT_COUNT_ ? defect : TLS_DEFECT_NO_CERTIFICATE][japanese];
}

void tls_wipe(struct bytes *secret)
{
	if (secret->data != NULL)
		mbedtls_platform_zeroize(secret->data, secret->capacity);
	bytes_fini(secret);
}

int tls_pem_read(int fd, struct bytes *pem)
{
	uint8_t chunk[4096];
	off_t at = 0;
	ssize_t n = 0;
	int err = 0;

	while (err == 0 && (n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		at += n;
		err = at > TLS_PEM_BYTES_MAX ? -ERR_TOO_LONG : bytes_append(pem, chunk, (size_t)n);
	}
	mbedtls_platform_zeroize(chunk, sizeof(chunk));
	return n < 0 ? -ERR_SYSTEM : err;
}

/* The library reads PEM up to a NUL. Return: 0 or an error; tls_wipe @out in any case. */
static int terminate(struct span pem, struct bytes *out)
{
	int err = 0;

	bytes_init(out, TLS_PEM_BYTES_MAX + 1);
	if (pem.size > TLS_PEM_BYTES_MAX || memchr(pem.data, '\0', pem.size) != NULL)
		return -ERR_TOO_LONG;
	/* At once, so that no copy is left behind by growing. */
	if (bytes_room(out, pem.size + 1) == NULL)
		return -ERR_NO_MEMORY;
	err = bytes_append(out, pem.data, pem.size);
	return err < 0 ? err : bytes_append_u8(out, '\0');
}

static unsigned chain_count(const mbedtls_x509_crt *chain)
{
	unsigned count = 0;

	for (; chain != NULL && chain->raw.p != NULL; chain = chain->next)
		count++;
	return count;
}

static int parse_chain(mbedtls_x509_crt *chain, const struct bytes *text)
{
	int result = mbedtls_x509_crt_parse(chain, text->data, text->size);

	if (result == MBEDTLS_ERR_X509_ALLOC_FAILED)
		return -ERR_NO_MEMORY;
	return result == 0 && chain_count(chain) > 0 ? 0 : -ERR_SYNTAX;
}

static bool is_strong(const mbedtls_pk_context *key)
{
	size_t bits = mbedtls_pk_get_bitlen(key);

	switch (mbedtls_pk_get_type(key)) {
	case MBEDTLS_PK_RSA:
		return bits >= TLS_RSA_BITS_MIN;
	case MBEDTLS_PK_ECKEY:
	case MBEDTLS_PK_ECDSA:
		return bits >= TLS_EC_BITS_MIN;
	default:
		return false;
	}
}

static enum tls_defect parse_key(mbedtls_pk_context *key, const struct bytes *text)
{
	int result = mbedtls_pk_parse_key(key, text->data, text->size, NULL, 0, tls_random, NULL);

	/* What RFC 1421 describes is unavailable (there is no CBC); nothing but encrypted keys asks
	 * for it. */
	if (result == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
	    result == MBEDTLS_ERR_PEM_FEATURE_UNAVAILABLE)
		return TLS_DEFECT_LOCKED;
	return result == 0 ? TLS_DEFECT_NONE : TLS_DEFECT_NO_KEY;
}

static enum tls_defect parse_both(struct tls_identity *identity, const struct bytes *text)
{
	enum tls_defect defect = TLS_DEFECT_NONE;

	if (parse_chain(&identity->chain, text) < 0)
		return TLS_DEFECT_NO_CERTIFICATE;
	if (chain_count(&identity->chain) > TLS_CHAIN_MAX)
		return TLS_DEFECT_TOO_MANY;
	defect = parse_key(&identity->key, text);
	if (defect != TLS_DEFECT_NONE)
		return defect;
	return is_strong(&identity->key) ? TLS_DEFECT_NONE : TLS_DEFECT_WEAK_KEY;
}

void tls_identity_init(struct tls_identity *identity)
{
	mbedtls_x509_crt_init(&identity->chain);
	mbedtls_pk_init(&identity->key);
}

void tls_identity_fini(struct tls_identity *identity)
{
	mbedtls_x509_crt_free(&identity->chain);
	mbedtls_pk_free(&identity->key);
}

int tls_identity_parse(struct tls_identity *identity, struct span pem, enum tls_defect *defect)
{
	struct bytes text = {0};
	int err = terminate(pem, &text);

	*defect = err < 0 ? TLS_DEFECT_TOO_LONG : parse_both(identity, &text);
	tls_wipe(&text);
	if (err == -ERR_NO_MEMORY)
		return err;
	return *defect == TLS_DEFECT_NONE ? 0 : -ERR_SYNTAX;
}

int tls_authorities_parse(mbedtls_x509_crt *list, struct span pem)
{
	struct bytes text = {0};
	int err = terminate(pem, &text);

	if (err == 0)
		err = parse_chain(list, &text);
	tls_wipe(&text);
	return err == -ERR_TOO_LONG ? -ERR_SYNTAX : err;
}

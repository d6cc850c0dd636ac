/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The appliance's own key. */
#include "audit/device_key.h"

#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/file.h"

#define FILE_NAME  "device-key"
#define FILE_KIND  "sekisho-device-key"
#define FILE_BYTES 512
#define PEM_BEGIN  "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END    "\n-----END PUBLIC KEY-----\n"

_Static_assert(LOG_ANCHOR_KEY_BYTES == ED25519_KEY_SIZE, "keys are of Ed25519");
_Static_assert(LOG_ANCHOR_SIGNATURE_BYTES == ED25519_SIGNATURE_SIZE, "signatures are of Ed25519");

/* SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410 4). */
static const uint8_t spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
			       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define DER_BYTES (sizeof(spki) + LOG_ANCHOR_KEY_BYTES)

static int read_seed(struct device_key *key, int directory)
{
	struct bytes file;
	struct span content = {0};
	int err;

	bytes_init(&file, FILE_BYTES);
	err = file_read(directory, FILE_NAME, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), FILE_KIND, &content);
	if (err == 0 && content.size != sizeof(key->seed))
		err = -ERR_INTEGRITY;
	if (err == 0)
		memcpy(key->seed, content.data, sizeof(key->seed));
	if (file.size > 0)
		explicit_bzero(file.data, file.size);
	bytes_fini(&file);
	return err;
}

static int make_seed(struct device_key *key, int directory)
{
	if (getrandom(key->seed, sizeof(key->seed), 0) != (ssize_t)sizeof(key->seed))
		return -ERR_SYSTEM;
	key->is_new = true;
	return file_replace(directory, FILE_NAME, FILE_KIND,
			    (struct span){key->seed, sizeof(key->seed)});
}

int device_key_open(struct device_key *key, int directory)
{
	int err;

	memset(key, 0, sizeof(*key));
	err = read_seed(key, directory);
	key->damaged = err == -ERR_INTEGRITY || err == -ERR_TOO_LONG;
	if (key->damaged || err == -ERR_NOT_FOUND)
		err = make_seed(key, directory);
	if (err < 0) {
		explicit_bzero(key->seed, sizeof(key->seed));
		return err;
	}
	ed25519_sha512_public_key(key->public, key->seed);
	key->usable = true;
	return 0;
}

void device_key_fini(struct device_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

void device_key_sign_text(const struct device_key *key, struct span text,
			  uint8_t signature[LOG_ANCHOR_SIGNATURE_BYTES])
{
	ed25519_sha512_sign(key->public, key->seed, text.size, text.data, signature);
}

void device_key_sign(const struct device_key *key, struct log_anchor *anchor)
{
	char text[LOG_ANCHOR_TEXT_BYTES];
	size_t size = log_anchor_text(anchor, text);

	memcpy(anchor->key, key->public, sizeof(anchor->key));
	device_key_sign_text(key, (struct span){(const uint8_t *)text, size}, anchor->signature);
}

bool device_key_check(const struct log_anchor *anchor)
{
	char text[LOG_ANCHOR_TEXT_BYTES];
	size_t size = log_anchor_text(anchor, text);

	return ed25519_sha512_verify(anchor->key, size, (const uint8_t *)text, anchor->signature) ==
	       1;
}

int device_key_pem(const uint8_t public[LOG_ANCHOR_KEY_BYTES], struct bytes *out)
{
	uint8_t der[DER_BYTES];
	char text[BASE64_ENCODE_RAW_LENGTH(DER_BYTES)];

	memcpy(der, spki, sizeof(spki));
	memcpy(der + sizeof(spki), public, LOG_ANCHOR_KEY_BYTES);
	base64_encode_raw(text, sizeof(der), der);
	return bytes_printf(out, PEM_BEGIN "%.*s" PEM_END, (int)sizeof(text), text);
}

int device_key_read_pem(struct span pem, uint8_t public[LOG_ANCHOR_KEY_BYTES])
{
	static const size_t begin_bytes = sizeof(PEM_BEGIN) - 1;
	const size_t text_bytes = BASE64_ENCODE_RAW_LENGTH(DER_BYTES);
	struct base64_decode_ctx decode;
	uint8_t der[BASE64_DECODE_LENGTH(BASE64_ENCODE_RAW_LENGTH(DER_BYTES))];
	size_t size = sizeof(der);

	if (pem.size < begin_bytes + text_bytes || memcmp(pem.data, PEM_BEGIN, begin_bytes) != 0)
		return -ERR_SYNTAX;
	base64_decode_init(&decode);
	if (!base64_decode_update(&decode, &size, der, text_bytes,
				  (const char *)pem.data + begin_bytes) ||
	    !base64_decode_final(&decode) || size != DER_BYTES ||
	    memcmp(der, spki, sizeof(spki)) != 0)
		return -ERR_SYNTAX;
	memcpy(public, der + sizeof(spki), LOG_ANCHOR_KEY_BYTES);
	return 0;
}

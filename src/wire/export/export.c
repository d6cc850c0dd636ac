/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations under a passphrase: PBKDF2 and ChaCha20-Poly1305, both nettle's. */
#include "wire/export/export.h"

#include <nettle/chacha-poly1305.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <string.h>

#include "base/err.h"
#include "wire/export/armour.h"

#define TITLE        "CONFIGURATION"
#define FORM         "SKSHCFG\x01"
#define FORM_BYTES   8
#define ROUNDS_BYTES 4
#define SALT_BYTES   16
#define HEAD_BYTES   (FORM_BYTES + ROUNDS_BYTES + EXPORT_RANDOM_BYTES)
#define TAG_BYTES    CHACHA_POLY1305_DIGEST_SIZE

_Static_assert(SALT_BYTES + CHACHA_POLY1305_NONCE_SIZE == EXPORT_RANDOM_BYTES, "salt and nonce");

/* The cipher, keyed for this head and with the head authenticated. */
static void begin(struct chacha_poly1305_ctx *ctx, const uint8_t head[HEAD_BYTES],
		  const char *phrase, uint32_t rounds)
{
	const uint8_t *salt = head + FORM_BYTES + ROUNDS_BYTES;
	uint8_t key[CHACHA_POLY1305_KEY_SIZE];

	pbkdf2_hmac_sha256(strlen(phrase), (const uint8_t *)phrase, rounds, SALT_BYTES, salt,
			   sizeof(key), key);
	chacha_poly1305_set_key(ctx, key);
	chacha_poly1305_set_nonce(ctx, salt + SALT_BYTES);
	chacha_poly1305_update(ctx, HEAD_BYTES, head);
	explicit_bzero(key, sizeof(key));
}

int export_lock(struct bytes *out, struct span text, const char *phrase,
		const uint8_t random[EXPORT_RANDOM_BYTES], uint32_t rounds)
{
	struct chacha_poly1305_ctx ctx;
	uint8_t head[HEAD_BYTES], tag[TAG_BYTES];
	struct writer w;
	struct bytes raw;
	int err;

	writer_init(&w, head, sizeof(head));
	writer_bytes(&w, FORM, FORM_BYTES);
	writer_be32(&w, rounds);
	writer_bytes(&w, random, EXPORT_RANDOM_BYTES);
	begin(&ctx, head, phrase, rounds);
	bytes_init(&raw, HEAD_BYTES + text.size + TAG_BYTES);
	err = bytes_append(&raw, head, sizeof(head));
	if (err == 0)
		err = bytes_append(&raw, text.data, text.size);
	if (err == 0) {
		chacha_poly1305_encrypt(&ctx, text.size, raw.data + HEAD_BYTES, text.data);
		chacha_poly1305_digest(&ctx, TAG_BYTES, tag);
		err = bytes_append(&raw, tag, sizeof(tag));
	}
	if (err == 0)
		armour_put(out, TITLE, bytes_span(&raw));
	explicit_bzero(&ctx, sizeof(ctx));
	bytes_fini(&raw);
	return err == 0 && out->failed ? -ERR_NO_MEMORY : err;
}

static bool read_rounds(struct span raw, uint32_t *rounds)
{
	const uint8_t *at = raw.data + FORM_BYTES;

	if (raw.size < HEAD_BYTES + TAG_BYTES || memcmp(raw.data, FORM, FORM_BYTES) != 0)
		return false;
	*rounds = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	return *rounds >= EXPORT_ROUNDS_LEAST && *rounds <= EXPORT_ROUNDS_MAX;
}

/* In place; what was decrypted is used only where the tag is right. */
static int decrypt(struct bytes *raw, const char *phrase)
{
	struct chacha_poly1305_ctx ctx;
	uint8_t tag[TAG_BYTES];
	size_t size = raw->size - HEAD_BYTES - TAG_BYTES;
	uint32_t rounds;
	bool right;

	if (!read_rounds(bytes_span(raw), &rounds))
		return -ERR_INTEGRITY;
	begin(&ctx, raw->data, phrase, rounds);
	chacha_poly1305_decrypt(&ctx, size, raw->data + HEAD_BYTES, raw->data + HEAD_BYTES);
	chacha_poly1305_digest(&ctx, TAG_BYTES, tag);
	right = memeql_sec(tag, raw->data + HEAD_BYTES + size, TAG_BYTES);
	explicit_bzero(&ctx, sizeof(ctx));
	return right ? 0 : -ERR_INTEGRITY;
}

int export_unlock(struct bytes *out, struct span armoured, const char *phrase)
{
	struct bytes raw;
	int err;

	bytes_init(&raw, armoured.size);
	err = armour_take(&raw, TITLE, armoured);
	err = err == -ERR_NO_MEMORY ? err : err < 0 ? -ERR_INTEGRITY : decrypt(&raw, phrase);
	if (err == 0)
		err = bytes_append(out, raw.data + HEAD_BYTES, raw.size - HEAD_BYTES - TAG_BYTES);
	bytes_fini(&raw);
	return err;
}

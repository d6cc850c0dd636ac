/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations under a passphrase: PBKDF2 by nettle's HMAC, and nettle's ChaCha20-Poly1305. */
#include "wire/export/export.h"

#include <assert.h>
#include <nettle/chacha-poly1305.h>
#include <nettle/memops.h>
#include <nettle/memxor.h>
#include <string.h>

#include "base/err.h"
#include "wire/export/armour.h"

#define TITLE        "CONFIGURATION"
#define FORM         "SKSHCFG\x01"
#define FORM_BYTES   8
#define ROUNDS_BYTES 4
#define SALT_BYTES   16
#define SALT_AT      (FORM_BYTES + ROUNDS_BYTES)
#define NONCE_AT     (SALT_AT + SALT_BYTES)
#define TAG_BYTES    CHACHA_POLY1305_DIGEST_SIZE

_Static_assert(SALT_BYTES + CHACHA_POLY1305_NONCE_SIZE == EXPORT_RANDOM_BYTES, "salt and nonce");
_Static_assert(SALT_AT + EXPORT_RANDOM_BYTES == EXPORT_HEAD_BYTES, "the head");
_Static_assert(EXPORT_KEY_BYTES == SHA256_DIGEST_SIZE, "the key is the first block of PBKDF2");
_Static_assert(EXPORT_KEY_BYTES == CHACHA_POLY1305_KEY_SIZE, "all of it keys the cipher");

/* ---- the key */

static void next_round(struct export_key *k)
{
	hmac_sha256_digest(&k->prf, sizeof(k->last), k->last);
	memxor(k->key, k->last, sizeof(k->key));
	k->rounds_left--;
}

/* The head is set. U_1 is that of the salt and the block's number, 1 (RFC 8018 5.2). */
static void begin_rounds(struct export_key *k, const char *phrase, uint32_t rounds)
{
	static const uint8_t first_block_be32[] = {0, 0, 0, 1};

	hmac_sha256_set_key(&k->prf, strlen(phrase), (const uint8_t *)phrase);
	hmac_sha256_update(&k->prf, SALT_BYTES, k->head + SALT_AT);
	hmac_sha256_update(&k->prf, sizeof(first_block_be32), first_block_be32);
	memset(k->key, 0, sizeof(k->key));
	k->rounds_left = rounds;
	next_round(k);
}

void export_key_begin(struct export_key *k, const char *phrase,
		      const uint8_t random[EXPORT_RANDOM_BYTES], uint32_t rounds)
{
	struct writer w;

	writer_init(&w, k->head, sizeof(k->head));
	writer_bytes(&w, FORM, FORM_BYTES);
	writer_be32(&w, rounds);
	writer_bytes(&w, random, EXPORT_RANDOM_BYTES);
	begin_rounds(k, phrase, rounds);
}

static bool read_rounds(struct span raw, uint32_t *rounds)
{
	const uint8_t *at = raw.data + FORM_BYTES;

	if (raw.size < EXPORT_HEAD_BYTES + TAG_BYTES || memcmp(raw.data, FORM, FORM_BYTES) != 0)
		return false;
	*rounds = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	return *rounds >= EXPORT_ROUNDS_LEAST && *rounds <= EXPORT_ROUNDS_MAX;
}

/* The octets of the first export; @raw is initialised. Return: 0, -ERR_INTEGRITY, -ERR_NO_MEMORY.
 */
static int take_raw(struct bytes *raw, struct span armoured)
{
	int err;

	bytes_init(raw, armoured.size);
	err = armour_take(raw, TITLE, armoured);
	return err == 0 || err == -ERR_NO_MEMORY ? err : -ERR_INTEGRITY;
}

int export_key_begin_of(struct export_key *k, const char *phrase, struct span armoured)
{
	struct bytes raw;
	uint32_t rounds;
	int err = take_raw(&raw, armoured);

	if (err == 0 && !read_rounds(bytes_span(&raw), &rounds))
		err = -ERR_INTEGRITY;
	if (err == 0) {
		memcpy(k->head, raw.data, sizeof(k->head));
		begin_rounds(k, phrase, rounds);
	}
	bytes_fini(&raw);
	return err;
}

bool export_key_derive(struct export_key *k, uint32_t rounds)
{
	for (; k->rounds_left > 0 && rounds > 0; rounds--) {
		hmac_sha256_update(&k->prf, sizeof(k->last), k->last);
		next_round(k);
	}
	return k->rounds_left == 0;
}

void export_key_wipe(struct export_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

/* ---- the text */

/* The cipher, keyed for this head and with the head authenticated. */
static void begin(struct chacha_poly1305_ctx *ctx, const struct export_key *k)
{
	assert(k->rounds_left == 0);
	chacha_poly1305_set_key(ctx, k->key);
	chacha_poly1305_set_nonce(ctx, k->head + NONCE_AT);
	chacha_poly1305_update(ctx, EXPORT_HEAD_BYTES, k->head);
}

int export_lock(struct bytes *out, struct span text, const struct export_key *k)
{
	struct chacha_poly1305_ctx ctx;
	uint8_t tag[TAG_BYTES];
	struct bytes raw;
	int err;

	begin(&ctx, k);
	bytes_init(&raw, EXPORT_HEAD_BYTES + text.size + TAG_BYTES);
	err = bytes_append(&raw, k->head, sizeof(k->head));
	if (err == 0)
		err = bytes_append(&raw, text.data, text.size);
	if (err == 0) {
		chacha_poly1305_encrypt(&ctx, text.size, raw.data + EXPORT_HEAD_BYTES, text.data);
		chacha_poly1305_digest(&ctx, TAG_BYTES, tag);
		err = bytes_append(&raw, tag, sizeof(tag));
	}
	if (err == 0)
		armour_put(out, TITLE, bytes_span(&raw));
	explicit_bzero(&ctx, sizeof(ctx));
	bytes_fini(&raw);
	return err == 0 && out->failed ? -ERR_NO_MEMORY : err;
}

/* In place; what was decrypted is used only where the tag is right. */
static int decrypt(struct bytes *raw, const struct export_key *k)
{
	struct chacha_poly1305_ctx ctx;
	uint8_t tag[TAG_BYTES];
	size_t size;
	bool right;

	if (raw->size < EXPORT_HEAD_BYTES + TAG_BYTES ||
	    memcmp(raw->data, k->head, EXPORT_HEAD_BYTES) != 0)
		return -ERR_INTEGRITY;
	size = raw->size - EXPORT_HEAD_BYTES - TAG_BYTES;
	begin(&ctx, k);
	chacha_poly1305_decrypt(&ctx, size, raw->data + EXPORT_HEAD_BYTES,
				raw->data + EXPORT_HEAD_BYTES);
	chacha_poly1305_digest(&ctx, TAG_BYTES, tag);
	right = memeql_sec(tag, raw->data + EXPORT_HEAD_BYTES + size, TAG_BYTES);
	explicit_bzero(&ctx, sizeof(ctx));
	return right ? 0 : -ERR_INTEGRITY;
}

int export_unlock(struct bytes *out, struct span armoured, const struct export_key *k)
{
	struct bytes raw;
	int err = take_raw(&raw, armoured);

	if (err == 0)
		err = decrypt(&raw, k);
	if (err == 0)
		err = bytes_append(out, raw.data + EXPORT_HEAD_BYTES,
				   raw.size - EXPORT_HEAD_BYTES - TAG_BYTES);
	bytes_fini(&raw);
	return err;
}

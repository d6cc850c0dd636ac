/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM (NIST SP 800-38D) by nettle, as mbedTLS asks for it: mbedTLS's own works block by block,
 * and takes eight times as long (ADR 712). The calls and their results are those of mbedtls/gcm.h,
 * less what TLS has no use for, which is refused: keys of 192 bits, nonces of another size than 96
 * bits, a piece behind one that was no whole number of blocks, and a result that overlaps its input
 * without being in its place.
 */
#include <mbedtls/constant_time.h>
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <nettle/gcm.h>
#include <nettle/nettle-meta.h>
#include <stdbool.h>
#include <string.h>

enum { KEY_BITS_LONG = 256, KEY_BITS_SHORT = 128, TAG_BYTES_MIN = 4 };

/* What nettle allows next. A piece that is no whole number of blocks is the last of its kind. */
enum { NEXT_DATA, NEXT_TEXT, NEXT_TAG };

#define TEXT_BYTES_MAX 0xFFFFFFFE0ULL /* SP 800-38D 5.2.1.1 */

_Static_assert(sizeof(struct gcm_aes256_ctx) <= sizeof(((mbedtls_gcm_context *)0)->opaque),
	       "nettle's state must fit");
_Static_assert(sizeof(struct gcm_aes128_ctx) <= sizeof(((mbedtls_gcm_context *)0)->opaque),
	       "with either key");
_Static_assert(_Alignof(struct gcm_aes256_ctx) <= _Alignof(uint64_t), "and be aligned");

void mbedtls_gcm_init(mbedtls_gcm_context *ctx)
{
	*ctx = (mbedtls_gcm_context){.aead = NULL};
}

void mbedtls_gcm_free(mbedtls_gcm_context *ctx)
{
	if (ctx != NULL)
		mbedtls_platform_zeroize(ctx, sizeof(*ctx));
}

int mbedtls_gcm_setkey(mbedtls_gcm_context *ctx, mbedtls_cipher_id_t cipher,
		       const unsigned char *key, unsigned int keybits)
{
	if (cipher != MBEDTLS_CIPHER_ID_AES ||
	    (keybits != KEY_BITS_LONG && keybits != KEY_BITS_SHORT))
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	ctx->aead = keybits == KEY_BITS_LONG ? &nettle_gcm_aes256 : &nettle_gcm_aes128;
	ctx->aead->set_encrypt_key(ctx->opaque, key);
	return 0;
}

int mbedtls_gcm_starts(mbedtls_gcm_context *ctx, int mode, const unsigned char *iv, size_t iv_len)
{
	if (ctx->aead == NULL || iv_len != GCM_IV_SIZE)
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	ctx->aead->set_nonce(ctx->opaque, iv);
	ctx->mode = mode;
	ctx->next = NEXT_DATA;
	return 0;
}

int mbedtls_gcm_update_ad(mbedtls_gcm_context *ctx, const unsigned char *add, size_t add_len)
{
	if (ctx->aead == NULL || (ctx->next > NEXT_DATA && add_len > 0))
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	if (add_len == 0)
		return 0;
	ctx->aead->update(ctx->opaque, add_len, add);
	ctx->next = add_len % GCM_BLOCK_SIZE == 0 ? NEXT_DATA : NEXT_TEXT;
	return 0;
}

/* Nettle takes the same place for both, or two that have nothing in common. */
static bool overlap(const unsigned char *input, const unsigned char *output, size_t size)
{
	uintptr_t in = (uintptr_t)input, out = (uintptr_t)output;

	return in != out && in < out + size && out < in + size;
}

static void transform(mbedtls_gcm_context *ctx, const unsigned char *input, size_t size,
		      unsigned char *output)
{
	if (ctx->mode == MBEDTLS_GCM_ENCRYPT)
		ctx->aead->encrypt(ctx->opaque, size, output, input);
	else
		ctx->aead->decrypt(ctx->opaque, size, output, input);
}

int mbedtls_gcm_update(mbedtls_gcm_context *ctx, const unsigned char *input, size_t input_length,
		       unsigned char *output, size_t output_size, size_t *output_length)
{
	if (output_size < input_length)
		return MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL;
	if (ctx->aead == NULL || input_length > TEXT_BYTES_MAX)
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	*output_length = input_length;
	if (input_length == 0)
		return 0;
	if (ctx->next > NEXT_TEXT || overlap(input, output, input_length))
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	transform(ctx, input, input_length, output);
	ctx->next = input_length % GCM_BLOCK_SIZE == 0 ? NEXT_TEXT : NEXT_TAG;
	return 0;
}

int mbedtls_gcm_finish(mbedtls_gcm_context *ctx, unsigned char *output, size_t output_size,
		       size_t *output_length, unsigned char *tag, size_t tag_len)
{
	*output_length = 0; /* all of the text has been given already */
	if (ctx->aead == NULL || tag_len < TAG_BYTES_MIN || tag_len > GCM_DIGEST_SIZE)
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	ctx->aead->digest(ctx->opaque, tag_len, tag);
	return 0;
}

int mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *ctx, int mode, size_t length,
			      const unsigned char *iv, size_t iv_len, const unsigned char *add,
			      size_t add_len, const unsigned char *input, unsigned char *output,
			      size_t tag_len, unsigned char *tag)
{
	size_t written;
	int error = mbedtls_gcm_starts(ctx, mode, iv, iv_len);

	if (error == 0)
		error = mbedtls_gcm_update_ad(ctx, add, add_len);
	if (error == 0)
		error = mbedtls_gcm_update(ctx, input, length, output, length, &written);
	if (error == 0)
		error = mbedtls_gcm_finish(ctx, NULL, 0, &written, tag, tag_len);
	return error;
}

int mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *ctx, size_t length, const unsigned char *iv,
			     size_t iv_len, const unsigned char *add, size_t add_len,
			     const unsigned char *tag, size_t tag_len, const unsigned char *input,
			     unsigned char *output)
{
	unsigned char right[GCM_DIGEST_SIZE];
	int error = mbedtls_gcm_crypt_and_tag(ctx, MBEDTLS_GCM_DECRYPT, length, iv, iv_len, add,
					      add_len, input, output, tag_len, right);

	if (error != 0)
		return error;
	if (mbedtls_ct_memcmp(right, tag, tag_len) == 0)
		return 0;
	mbedtls_platform_zeroize(output, length); /* nobody sees a text that nobody vouches for */
	return MBEDTLS_ERR_GCM_AUTH_FAILED;
}

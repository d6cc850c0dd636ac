/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256: nettle's, which uses the processor's own instructions where there are any. */
#include <nettle/sha2.h>

/* nettle renames by macro what we define under the plain names. */
#undef sha256_init
#undef sha256_update

#include "base/sha256.h"

#include <string.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(((struct sha256 *)0)->opaque),
	       "nettle's state must fit");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct sha256), "and be aligned");

static struct sha256_ctx *context(struct sha256 *s)
{
	return (struct sha256_ctx *)(void *)s->opaque;
}

void sha256_init(struct sha256 *s)
{
	nettle_sha256_init(context(s));
}

void sha256_update(struct sha256 *s, const void *data, size_t size_bytes)
{
	nettle_sha256_update(context(s), size_bytes, data);
}

void sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES])
{
	nettle_sha256_digest(context(s), SHA256_BYTES, digest);
	explicit_bzero(s, sizeof(*s));
}

void sha256_of(const void *data, size_t size_bytes, uint8_t digest[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, size_bytes);
	sha256_final(&s, digest);
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * SHA256_BYTES] = '\0';
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4) by nettle, behind four calls: no program needs a TLS library only to hash.
 * No heap, no syscalls. */
#ifndef SEKISHO_BASE_SHA256_H
#define SEKISHO_BASE_SHA256_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES     32
#define SHA256_HEX_BYTES 65 /* with NUL */

/* The library's own state; its size is checked where it is used. */
struct sha256 {
	alignas(8) uint8_t opaque[128];
};

void sha256_init(struct sha256 *s);
/* Feed any number of bytes, in any number of calls. */
void sha256_update(struct sha256 *s, const void *data, size_t size_bytes);
/* Write the digest and forget the state; initialise again before another use. */
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES]);
/* The three above in one. */
void sha256_of(const void *data, size_t size_bytes, uint8_t digest[SHA256_BYTES]);
/* The digest as lower-case hexadecimal digits. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX_BYTES]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4), for programs that must link no cryptographic library. No heap, no syscalls. */
#ifndef SEKISHO_BASE_SHA256_H
#define SEKISHO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

struct sha256 {
	uint32_t state[8];
	uint64_t total_bytes;
	uint8_t block[64];	/* the first total_bytes % 64 of it are pending */
};

void sha256_init(struct sha256 *s);
/* Feed any number of bytes, in any number of calls. */
void sha256_update(struct sha256 *s, const void *data, size_t size_bytes);
/* Write the digest and forget the state; initialise again before another use. */
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES]);
/* The three above in one. */
void sha256_of(const void *data, size_t size_bytes, uint8_t digest[SHA256_BYTES]);

#endif

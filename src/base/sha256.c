/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 as FIPS 180-4 section 6.2 writes it. */
#include "base/sha256.h"

#include <string.h>

/* FIPS 180-4 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 6.2.2 step 1: the message schedule of one block. */
static void schedule_block(uint32_t w[64], const uint8_t block[64])
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (unsigned t = 16; t < 64; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];
		uint32_t s0 = rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3;
		uint32_t s1 = rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
}

/* 6.2.2 steps 2 to 4; v[0..7] are a..h. */
static void compress_block(uint32_t state[8], const uint8_t block[64])
{
	uint32_t w[64], v[8];

	schedule_block(w, block);
	memcpy(v, state, sizeof(v));
	for (unsigned t = 0; t < 64; t++) {
		uint32_t s1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
		uint32_t s0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
		uint32_t choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		uint32_t t1 = v[7] + s1 + choose + round_constants[t] + w[t];

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
	/* 5.3.3: fractional parts of the square roots of the first 8 primes. */
	*s = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
				       0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *s, const void *data, size_t size_bytes)
{
	const uint8_t *in = data;
	size_t pending = s->total_bytes % sizeof(s->block);

	s->total_bytes += size_bytes;
	if (pending + size_bytes < sizeof(s->block)) {
		if (size_bytes > 0)
			memcpy(s->block + pending, in, size_bytes);
		return;
	}
	if (pending > 0) {
		size_t missing = sizeof(s->block) - pending;

		memcpy(s->block + pending, in, missing);
		compress_block(s->state, s->block);
		in += missing;
		size_bytes -= missing;
	}
	for (; size_bytes >= sizeof(s->block); in += sizeof(s->block), size_bytes -= sizeof(s->block))
		compress_block(s->state, in);
	if (size_bytes > 0)
		memcpy(s->block, in, size_bytes);
}

void sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t total_bits = s->total_bytes * 8;
	size_t pending = s->total_bytes % 64;
	uint8_t length_be64[8];

	for (unsigned i = 0; i < 8; i++)
		length_be64[i] = (uint8_t)(total_bits >> (56 - 8 * i));
	sha256_update(s, padding, pending < 56 ? 56 - pending : 120 - pending);
	sha256_update(s, length_be64, sizeof(length_be64));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
	explicit_bzero(s, sizeof(*s));
}

void sha256_of(const void *data, size_t size_bytes, uint8_t digest[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, size_bytes);
	sha256_final(&s, digest);
}

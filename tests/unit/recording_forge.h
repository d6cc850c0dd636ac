/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording that was changed, with all its hashes made right: what stands behind them is tested.
 */
#ifndef SEKISHO_TESTS_RECORDING_FORGE_H
#define SEKISHO_TESTS_RECORDING_FORGE_H

#include <string.h>

#include "wire/rfb/recording.h"

enum { RECORDING_LENGTH_AT = 8 }; /* in a block's head */

/* As whoever forges does: make the hashes anew, from the first block to the last whole one. */
static inline void recording_forge_hashes(uint8_t *bytes, size_t size)
{
	uint8_t hash[SHA256_BYTES] = {0};
	size_t at = 0;

	while (size - at >= RECORDING_HEAD_BYTES + SHA256_BYTES) {
		struct reader length;
		struct sha256 h;
		size_t block;

		reader_init(&length, bytes + at + RECORDING_LENGTH_AT, 4);
		block = RECORDING_HEAD_BYTES + (size_t)reader_be32(&length);
		if (block > size - at - SHA256_BYTES)
			return;
		sha256_init(&h);
		sha256_update(&h, hash, SHA256_BYTES);
		sha256_update(&h, bytes + at, block);
		sha256_final(&h, hash);
		memcpy(bytes + at + block, hash, SHA256_BYTES);
		at += block + SHA256_BYTES;
	}
}

#endif

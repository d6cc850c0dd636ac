/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording as replay-screen reads it: the file as it is, and again with all hashes made right,
 * so that what stands behind them is reached: whoever forges a file can make them, too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "unit/recording_forge.h"
#include "wire/rfb/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 256 * 256 };

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* What replay-screen prints and computes with. */
static void check_state(const struct recording_reader *r)
{
	const struct recording_origin *o = &r->origin;

	demand(memchr(o->screen, '\0', sizeof(o->screen)) != NULL);
	demand(memchr(o->user, '\0', sizeof(o->user)) != NULL);
	demand(memchr(o->gateway, '\0', sizeof(o->gateway)) != NULL);
	demand(r->chain.time_ms <= RECORDING_TIME_MAX_MS);
	demand((size_t)r->frame->width * r->frame->height <= CAPACITY);
}

/* Return: 0 or the error that ends the file. */
static int take_all(const uint8_t *bytes, size_t size)
{
	uint32_t *pixels = calloc(CAPACITY, sizeof(*pixels));
	struct recording_reader r;
	struct recording_block block;
	struct frame frame;
	struct reader in;
	int err = 0;

	demand(pixels != NULL);
	frame_init(&frame, pixels, CAPACITY);
	recording_reader_init(&r, &frame);
	reader_init(&in, bytes, size);
	while (err == 0 && !r.chain.ended) {
		struct recording_chain before = r.chain;
		size_t at = in.at;

		err = recording_peek(&r, &in, &block);
		demand(in.at == at);
		if (err != 0)
			break;
		err = recording_take(&r, &in);
		demand(in.at == at + RECORDING_HEAD_BYTES + block.content_bytes + SHA256_BYTES);
		demand(err == -ERR_INTEGRITY ||
		       (r.chain.number == before.number + 1 && r.chain.time_ms >= before.time_ms));
		if (err == 0)
			check_state(&r);
	}
	demand(err == 0 || err == -ERR_TRUNCATED || r.fault != NULL);
	free(pixels);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *forged = malloc(size > 0 ? size : 1);

	demand(forged != NULL);
	memcpy(forged, data, size);
	recording_forge_hashes(forged, size);
	(void)take_all(data, size); /* what must hold of it is demanded there */
	demand(take_all(forged, size) != -ERR_INTEGRITY);
	free(forged);
	return 0;
}

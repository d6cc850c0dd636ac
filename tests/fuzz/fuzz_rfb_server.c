/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desktop's messages: never outside the frame, the same picture however the bytes
 * are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb_inflate.h"
#include "wire/rfb_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 96 * 80 };

struct run {
	uint32_t *pixels; /* on the heap, so that one pixel too far is seen */
	struct frame frame;
	struct rfb_server_parser parser;
	struct rfb_inflate inflate;
	unsigned events;
	int error;
};

static void begin(struct run *run)
{
	run->pixels = calloc(CAPACITY, sizeof(*run->pixels));
	if (run->pixels == NULL)
		abort();
	frame_init(&run->frame, run->pixels, CAPACITY);
	if (frame_resize(&run->frame, 80, 70) != 0)
		abort();
	if (rfb_inflate_init(&run->inflate) != 0)
		abort();
	rfb_server_init(&run->parser, &run->frame, &run->inflate);
	run->events = 0;
	run->error = 0;
}

static void check(const struct run *run)
{
	const struct rfb_cursor *c = &run->parser.cursor;

	if ((size_t)run->frame.width * run->frame.height > CAPACITY || c->w > FRAME_TILE_PX ||
	    c->h > FRAME_TILE_PX)
		abort();
	if ((c->w > 0 && c->hot_x >= c->w) || (c->h > 0 && c->hot_y >= c->h))
		abort();
	for (size_t i = 0; i < CAPACITY; i++)
		if (run->pixels[i] & ~FRAME_PIXEL_MASK)
			abort();
}

static void feed(struct run *run, const uint8_t *data, size_t size, size_t piece)
{
	size_t at = 0, end = 0;

	while (end < size && run->error == 0) {
		int event = 1;

		end = end + piece < size ? end + piece : size;
		while (event > 0) {
			struct reader r;

			reader_init(&r, data + at, end - at);
			event = rfb_server_next(&run->parser, &r);
			if (r.failed)
				abort();
			at += r.at;
			run->events += event > 0;
		}
		run->error = event;
		if (event == 0 && end - at >= RFB_SERVER_UNIT_MAX)
			abort(); /* a unit that never completes */
	}
	check(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, pieces;

	begin(&whole);
	begin(&pieces);
	feed(&whole, data, size, SIZE_MAX / 2);
	feed(&pieces, data, size, 5);
	if (whole.events != pieces.events || whole.error != pieces.error ||
	    memcmp(whole.pixels, pieces.pixels, CAPACITY * sizeof(*whole.pixels)) != 0)
		abort();
	free(whole.pixels);
	free(pieces.pixels);
	return 0;
}

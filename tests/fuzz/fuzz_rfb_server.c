/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desktop's messages: never outside the frame, the same picture however the bytes
 * are cut, and whether Raw pixels are decoded or put where they belong. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb/inflate.h"
#include "wire/rfb/server.h"

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

	if ((size_t)run->frame.width * run->frame.height > CAPACITY || c->w > RFB_CURSOR_MAX ||
	    c->h > RFB_CURSOR_MAX)
		abort();
	if ((c->w > 0 && c->hot_x >= c->w) || (c->h > 0 && c->hot_y >= c->h))
		abort();
}

static void check_masked(const struct run *run)
{
	for (size_t i = 0; i < CAPACITY; i++)
		if (run->pixels[i] & ~FRAME_PIXEL_MASK)
			abort();
}

/* Whole pixels from @data to where the parser wants them, at most @most of a row. Return: bytes. */
static size_t place(struct run *run, const uint8_t *data, size_t size, size_t most)
{
	struct iovec parts[3];
	unsigned count = rfb_server_room(&run->parser, parts, 3);
	size_t taken = 0;

	for (unsigned i = 0; i < count && size - taken >= 4; i++) {
		size_t some = parts[i].iov_len < most ? parts[i].iov_len : most;

		if (some > (size - taken) / 4 * 4)
			some = (size - taken) / 4 * 4;
		memcpy(parts[i].iov_base, data + taken, some);
		taken += some;
		if (some < parts[i].iov_len)
			break;
	}
	if (taken > 0)
		rfb_server_filled(&run->parser, taken / 4);
	return taken;
}

/* @placed: bytes of a row that are put where they belong at once; 0: the parser gets them all */
static void feed(struct run *run, const uint8_t *data, size_t size, size_t piece, size_t placed)
{
	size_t at = 0, end = 0;

	while (end < size && run->error == 0) {
		int event = 1;

		if (placed > 0) {
			at += place(run, data + at, size - at, placed);
			end = at > end ? at : end;
		}
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

static void compare(const struct run *a, const struct run *b)
{
	if (a->events != b->events || a->error != b->error ||
	    memcmp(&a->frame.dirty, &b->frame.dirty, sizeof(a->frame.dirty)) != 0)
		abort();
	for (size_t i = 0; i < CAPACITY; i++)
		if (((a->pixels[i] ^ b->pixels[i]) & FRAME_PIXEL_MASK) != 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, pieces, placed;

	begin(&whole);
	begin(&pieces);
	begin(&placed);
	feed(&whole, data, size, SIZE_MAX / 2, 0);
	feed(&pieces, data, size, 5, 0);
	feed(&placed, data, size, 7, 64);
	check_masked(&whole);
	check_masked(&pieces);
	compare(&whole, &pieces);
	compare(&whole, &placed);
	free(whole.pixels);
	free(pieces.pixels);
	free(placed.pixels);
	return 0;
}

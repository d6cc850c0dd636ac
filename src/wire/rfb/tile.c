/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TRLE and ZRLE tiles, decoding: into a buffer first, so that only a whole and right tile is drawn.
 */
#include "wire/rfb/tile.h"

#include "base/err.h"

enum { TILE_PIXELS = RFB_ZRLE_TILE_PX * RFB_ZRLE_TILE_PX, CPIXEL_BYTES = 3 };
enum {
	TILE_RAW = 0,
	TILE_SOLID = 1,
	TILE_PACKED_MAX = 16, /* 2..16: a palette of so many colours, indices of 1, 2 or 4 bits */
	TILE_PACKED_REUSE = 127,
	TILE_RUNS = 128,
	TILE_PALETTE_RUNS_REUSE = 129,
	TILE_PALETTE_RUNS = 130, /* up to 255: a palette of so many colours less 128 */
	RUN_FLAG = 128,          /* of an index that a length follows */
};

/* A tile while it is decoded. Reads past the end yield zeros, and each step below ends after as
 * many pixels as the tile has. */
struct decoding {
	struct reader *r;
	const struct rfb_rect *at;
	unsigned count; /* pixels of the tile */
	struct rfb_palette palette;
	const char *fault;
	uint32_t pixels[TILE_PIXELS];
};

/* The first thing that is wrong stands. */
static void blame(struct decoding *d, const char *fault)
{
	if (d->fault == NULL)
		d->fault = fault;
}

static uint32_t cpixel(struct reader *r)
{
	uint32_t blue = reader_u8(r), green = reader_u8(r), red = reader_u8(r);

	return red << 16 | green << 8 | blue;
}

static void decode_raw(struct decoding *d)
{
	struct span bytes = reader_span(d->r, (size_t)d->count * CPIXEL_BYTES);

	for (unsigned i = 0; i < bytes.size / CPIXEL_BYTES; i++) {
		const uint8_t *p = bytes.data + (size_t)i * CPIXEL_BYTES;

		d->pixels[i] = (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
	}
}

static void decode_solid(struct decoding *d)
{
	uint32_t colour = cpixel(d->r);

	for (unsigned i = 0; i < d->count; i++)
		d->pixels[i] = colour;
}

static void read_palette(struct decoding *d, unsigned count)
{
	d->palette.count = count;
	for (unsigned i = 0; i < count; i++)
		d->palette.colours[i] = cpixel(d->r);
}

static uint32_t colour_of(struct decoding *d, unsigned index)
{
	if (index < d->palette.count)
		return d->palette.colours[index];
	blame(d, "palette-index");
	return 0;
}

/* Indices from the high bits on; each row begins with a byte of its own. */
static void decode_packed(struct decoding *d)
{
	unsigned bits = d->palette.count <= 2 ? 1 : d->palette.count <= 4 ? 2 : 4;
	uint32_t *pixel = d->pixels;

	for (unsigned y = 0; y < d->at->h; y++) {
		unsigned byte = 0, left = 0;

		for (unsigned x = 0; x < d->at->w; x++) {
			if (left == 0) {
				byte = reader_u8(d->r);
				left = 8;
			}
			left -= bits;
			*pixel++ = colour_of(d, byte >> left & ((1U << bits) - 1));
		}
	}
}

/* A length is one more than the sum of its bytes, of which all but the last are 255. */
static unsigned read_length(struct decoding *d)
{
	unsigned length = 1, byte;

	do {
		byte = reader_u8(d->r);
		length += byte;
	} while (byte == 255 && length <= d->count);
	return length;
}

/* @length pixels from @begin on. Return: behind them. */
static unsigned put_run(struct decoding *d, unsigned begin, unsigned length, uint32_t colour)
{
	if (length > d->count - begin) {
		blame(d, "run-overrun");
		return d->count;
	}
	for (unsigned i = begin; i < begin + length; i++)
		d->pixels[i] = colour;
	return begin + length;
}

static void decode_runs(struct decoding *d)
{
	for (unsigned i = 0; i < d->count;) {
		uint32_t colour = cpixel(d->r);

		i = put_run(d, i, read_length(d), colour);
	}
}

static void decode_palette_runs(struct decoding *d)
{
	for (unsigned i = 0; i < d->count;) {
		uint8_t index = reader_u8(d->r);
		uint32_t colour = colour_of(d, index & (RUN_FLAG - 1U));

		i = put_run(d, i, index & RUN_FLAG ? read_length(d) : 1, colour);
	}
}

/* A palette of the tile before, which must be there and have no more than @most colours. */
static void reuse_palette(struct decoding *d, bool allowed, unsigned most)
{
	if (!allowed)
		blame(d, "tile-subencoding");
	else if (d->palette.count == 0 || d->palette.count > most)
		blame(d, "palette-reuse");
}

static void decode(struct decoding *d, bool reuse)
{
	unsigned kind = reader_u8(d->r);

	if (kind == TILE_RAW) {
		decode_raw(d);
	} else if (kind == TILE_SOLID) {
		decode_solid(d);
	} else if (kind <= TILE_PACKED_MAX) {
		read_palette(d, kind);
		decode_packed(d);
	} else if (kind == TILE_PACKED_REUSE) {
		reuse_palette(d, reuse, TILE_PACKED_MAX);
		if (d->fault == NULL)
			decode_packed(d);
	} else if (kind < TILE_RUNS) {
		blame(d, "tile-subencoding");
	} else if (kind == TILE_RUNS) {
		decode_runs(d);
	} else if (kind == TILE_PALETTE_RUNS_REUSE) {
		reuse_palette(d, reuse, RUN_FLAG);
		if (d->fault == NULL)
			decode_palette_runs(d);
	} else {
		read_palette(d, kind - TILE_RUNS);
		decode_palette_runs(d);
	}
}

int rfb_tile_decode(struct rfb_palette *palette, bool reuse, struct reader *r, struct frame *frame,
		    const struct rfb_rect *tile, const char **fault)
{
	struct reader ahead = *r;
	__attribute__((uninitialized)) struct decoding d; /* 16 KiB, filled as far as it is used */

	d.r = &ahead;
	d.at = tile;
	d.count = (unsigned)tile->w * tile->h;
	d.palette = *palette;
	d.fault = NULL;
	decode(&d, reuse);
	if (ahead.failed) /* whatever else seems wrong was read from zeros */
		return -ERR_TRUNCATED;
	if (d.fault != NULL) {
		*fault = d.fault;
		return -ERR_RANGE;
	}
	*r = ahead;
	*palette = d.palette;
	(void)frame_replace(frame, tile, d.pixels, tile->w); /* marks what changed */
	return 0;
}

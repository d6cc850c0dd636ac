/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hextile, decoding (RFC 6143 7.7.4): one tile at a time, its size known before anything of it is
 * drawn.
 */
#include "base/err.h"
#include "wire/rfb/server.h"

enum {
	HEXTILE_RAW = 1,
	HEXTILE_BACKGROUND = 2,
	HEXTILE_FOREGROUND = 4,
	HEXTILE_SUBRECTS = 8,
	HEXTILE_COLOURED = 16,
	HEXTILE_FLAGS = 31,
};

static int fault(struct rfb_server_parser *p, const char *text)
{
	p->fault = text;
	return -ERR_RANGE;
}

static uint32_t pixel(struct reader *r)
{
	return __builtin_bswap32(reader_be32(r)) &
	       FRAME_PIXEL_MASK; /* little-endian, as asked for */
}

static void raw_tile(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile)
{
	for (unsigned y = 0; y < tile->h; y++)
		frame_put_run(p->frame, tile->x, (uint16_t)(tile->y + y),
			      reader_span(r, tile->w * 4U).data, tile->w);
}

static int subrects(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile,
		    unsigned count, bool coloured)
{
	while (count-- > 0) {
		uint32_t colour = coloured ? pixel(r) : p->foreground;
		uint8_t xy = reader_u8(r), wh = reader_u8(r);
		struct rfb_rect sub = {
			.x = xy >> 4,
			.y = xy & 15,
			.w = (uint16_t)((wh >> 4) + 1),
			.h = (uint16_t)((wh & 15) + 1),
		};

		if (sub.x + sub.w > tile->w || sub.y + sub.h > tile->h)
			return fault(p, "subrectangle-outside");
		sub.x = (uint16_t)(sub.x + tile->x);
		sub.y = (uint16_t)(sub.y + tile->y);
		frame_paint(p->frame, &sub, colour);
	}
	return 0;
}

/* The bytes behind the flags; *@count is set to the number of sub-rectangles. Needs all up to their
 * count. */
static size_t body_bytes(struct reader ahead, uint8_t flags, const struct rfb_rect *tile,
			 unsigned *count)
{
	size_t bytes = 0;

	*count = 0;
	if (flags & HEXTILE_RAW)
		return (size_t)tile->w * tile->h * 4;
	if (flags & HEXTILE_BACKGROUND)
		bytes += 4;
	if (flags & HEXTILE_FOREGROUND)
		bytes += 4;
	if (!(flags & HEXTILE_SUBRECTS))
		return bytes;
	reader_skip(&ahead, bytes);
	*count = reader_u8(&ahead);
	return bytes + 1 + *count * (flags & HEXTILE_COLOURED ? 6U : 2U);
}

int rfb_hextile_tile(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile)
{
	struct reader ahead = *r;
	uint8_t flags;
	unsigned count;

	if (reader_left(r) < 1)
		return -ERR_TRUNCATED;
	flags = reader_u8(&ahead);
	if (flags & ~HEXTILE_FLAGS)
		return fault(p, "hextile-flags");
	if (reader_left(&ahead) < body_bytes(ahead, flags, tile, &count))
		return -ERR_TRUNCATED;
	*r = ahead;
	if (flags & HEXTILE_RAW) {
		raw_tile(p, r, tile);
		return 0;
	}
	if (flags & HEXTILE_BACKGROUND)
		p->background = pixel(r);
	if (flags & HEXTILE_FOREGROUND)
		p->foreground = pixel(r);
	frame_fill(p->frame, tile, p->background); /* marks what the sub-rectangles lie in */
	if (!(flags & HEXTILE_SUBRECTS))
		return 0;
	reader_skip(r, 1);
	return subrects(p, r, tile, count, flags & HEXTILE_COLOURED);
}

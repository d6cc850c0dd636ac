/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hextile, encoding (RFC 6143 7.7.4), for viewers that do not know ZRLE. */
#include <string.h>

#include "wire/rfb/encode.h"

enum { TILE_PX = 16, SUBRECTS_MAX = 255 };
enum {
	HEXTILE_RAW = 1,
	HEXTILE_BACKGROUND = 2,
	HEXTILE_FOREGROUND = 4,
	HEXTILE_SUBRECTS = 8,
	HEXTILE_COLOURED = 16
};

struct subrect {
	uint32_t colour;
	uint8_t xy, wh;
};

/* One tile and the rectangles of one colour that cover what is not background. */
struct tile {
	uint32_t pixels[TILE_PX * TILE_PX];
	uint16_t covered[TILE_PX]; /* bit x: the pixel is part of an earlier sub-rectangle */
	unsigned w, h;
	uint32_t background;
	struct subrect subrects[SUBRECTS_MAX];
	unsigned count;
	bool coloured; /* the sub-rectangles differ in colour */
	bool overflow; /* more than SUBRECTS_MAX, or larger than raw pixels */
};

static void tile_load(struct tile *t, const struct frame *f, const struct rfb_rect *r)
{
	t->w = r->w;
	t->h = r->h;
	for (unsigned y = 0; y < t->h; y++)
		memcpy(t->pixels + y * TILE_PX, frame_at(f, r->x, r->y + y), t->w * 4U);
	memset(t->covered, 0, sizeof(t->covered));
	t->count = 0;
	t->coloured = t->overflow = false;
}

/* The commoner one of the first pixel's colour and the first other: good for text on a ground, and
 * cheap. */
static uint32_t choose_background(const struct tile *t)
{
	uint32_t first = t->pixels[0], second = first;
	int balance = 0;

	for (unsigned y = 0; y < t->h; y++) {
		for (unsigned x = 0; x < t->w; x++) {
			uint32_t pixel = t->pixels[y * TILE_PX + x];

			if (pixel == first) {
				balance++;
				continue;
			}
			if (second == first)
				second = pixel;
			balance -= pixel == second;
		}
	}
	return balance >= 0 ? first : second;
}

static bool row_is(const struct tile *t, unsigned y, unsigned x, unsigned w, uint32_t colour)
{
	for (unsigned i = x; i < x + w; i++)
		if (t->pixels[y * TILE_PX + i] != colour)
			return false;
	return true;
}

/* Grow from (x, y) to the right, then downwards. */
static void cover(struct tile *t, unsigned x, unsigned y)
{
	uint32_t colour = t->pixels[y * TILE_PX + x];
	unsigned w = 1, h = 1;

	if (t->count == SUBRECTS_MAX) {
		t->overflow = true;
		return;
	}
	while (x + w < t->w && t->pixels[y * TILE_PX + x + w] == colour)
		w++;
	while (y + h < t->h && row_is(t, y + h, x, w, colour))
		h++;
	for (unsigned i = 0; i < h; i++)
		t->covered[y + i] |= (uint16_t)(((1U << w) - 1) << x);
	t->coloured |= t->count > 0 && t->subrects[0].colour != colour;
	t->subrects[t->count++] =
		(struct subrect){colour, (uint8_t)(x << 4 | y), (uint8_t)((w - 1) << 4 | (h - 1))};
}

/* Bytes with the sub-rectangles that were found so far. */
static unsigned tile_bytes(const struct rfb_encoder *e, const struct tile *t)
{
	unsigned each = t->coloured ? 2 + e->pixel_bytes : 2;

	return 1 + e->pixel_bytes * 2 + 1 + t->count * each;
}

static void tile_analyse(const struct rfb_encoder *e, struct tile *t)
{
	unsigned raw_bytes = 1 + t->w * t->h * e->pixel_bytes;

	t->background = choose_background(t);
	for (unsigned y = 0; y < t->h; y++) {
		for (unsigned x = 0; x < t->w && !t->overflow; x++)
			if (!(t->covered[y] >> x & 1) &&
			    t->pixels[y * TILE_PX + x] != t->background)
				cover(t, x, y);
		t->overflow |= tile_bytes(e, t) >= raw_bytes;
	}
}

static void put_pixel(const struct rfb_encoder *e, uint32_t rgb, struct writer *w)
{
	uint32_t pixel = rfb_encoder_pixel(e, rgb);

	writer_bytes(w, &pixel, e->pixel_bytes);
}

static void put_raw(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		    struct writer *w)
{
	writer_u8(w, HEXTILE_RAW);
	rfb_encode_raw(e, f, r, w);
}

/* Each tile names its own colours: nothing is carried over from the one before. */
static void put_tile(const struct rfb_encoder *e, const struct tile *t, struct writer *w)
{
	unsigned flags = HEXTILE_BACKGROUND;

	if (t->count > 0)
		flags |= HEXTILE_SUBRECTS | (t->coloured ? HEXTILE_COLOURED : HEXTILE_FOREGROUND);
	writer_u8(w, (uint8_t)flags);
	put_pixel(e, t->background, w);
	if (t->count == 0)
		return;
	if (!t->coloured)
		put_pixel(e, t->subrects[0].colour, w);
	writer_u8(w, (uint8_t)t->count);
	for (unsigned i = 0; i < t->count; i++) {
		if (t->coloured)
			put_pixel(e, t->subrects[i].colour, w);
		writer_u8(w, t->subrects[i].xy);
		writer_u8(w, t->subrects[i].wh);
	}
}

static uint16_t part(unsigned whole, unsigned at)
{
	return (uint16_t)(whole - at < TILE_PX ? whole - at : TILE_PX);
}

void rfb_encode_hextile(const struct rfb_encoder *e, const struct frame *f,
			const struct rfb_rect *r, struct writer *w)
{
	__attribute__((uninitialized)) struct tile tile; /* filled as far as it is used */

	for (unsigned y = 0; y < r->h; y += TILE_PX) {
		for (unsigned x = 0; x < r->w; x += TILE_PX) {
			struct rfb_rect at = {(uint16_t)(r->x + x), (uint16_t)(r->y + y),
					      part(r->w, x), part(r->h, y)};

			tile_load(&tile, f, &at);
			tile_analyse(e, &tile);
			if (tile.overflow)
				put_raw(e, f, &at, w);
			else
				put_tile(e, &tile, w);
		}
	}
}

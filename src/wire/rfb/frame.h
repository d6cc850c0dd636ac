/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A framebuffer of 24-bit pixels in tiles of 64 x 64, each marked when its content changes. */
#ifndef SEKISHO_WIRE_RFB_FRAME_H
#define SEKISHO_WIRE_RFB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/rfb/rfb.h"

#define FRAME_TILE_PX    64
#define FRAME_TILE_ROWS  (RFB_HEIGHT_MAX / FRAME_TILE_PX)
#define FRAME_PIXEL_MASK 0x00ffffffU

_Static_assert(RFB_WIDTH_MAX / FRAME_TILE_PX == 64, "a row of tile marks is one 64-bit word");
_Static_assert(RFB_HEIGHT_MAX % FRAME_TILE_PX == 0,
	       "the last row of tiles is whole at the maximum height");

/* One bit for each tile: bit x/64 of rows[y/64]. */
struct frame_marks {
	uint64_t rows[FRAME_TILE_ROWS];
};

struct frame {
	uint32_t *pixels; /* caller's; row after row without gaps, 0x00RRGGBB; the high byte is
			     not 0 where pixels were put there as they came */
	size_t capacity_px;
	uint16_t width, height; /* 0: no size yet */
	struct frame_marks dirty;
};

/**
 * frame_init - a framebuffer without a size
 * @pixels: @capacity_px zeroed pixels; borrowed for the frame's life
 */
void frame_init(struct frame *f, uint32_t *pixels, size_t capacity_px);

/**
 * frame_resize - set a new size; all pixels become black, all tiles marked
 * Return: 0; -ERR_RANGE for a side of 0, above RFB_WIDTH_MAX or RFB_HEIGHT_MAX, or an area above
 * the capacity: nothing is changed then.
 */
int frame_resize(struct frame *f, uint32_t width_px, uint32_t height_px);

/* Whether a rectangle lies wholly inside the frame. */
static inline bool frame_holds(const struct frame *f, const struct rfb_rect *r)
{
	return (uint32_t)r->x + r->w <= f->width && (uint32_t)r->y + r->h <= f->height;
}

static inline uint32_t *frame_at(const struct frame *f, uint32_t x, uint32_t y)
{
	return f->pixels + (size_t)y * f->width + x;
}

/* Columns and rows of tiles, the last ones perhaps cut by the frame's edge. */
static inline unsigned frame_tile_columns(const struct frame *f)
{
	return (f->width + FRAME_TILE_PX - 1U) / FRAME_TILE_PX;
}

static inline unsigned frame_tile_rows(const struct frame *f)
{
	return (f->height + FRAME_TILE_PX - 1U) / FRAME_TILE_PX;
}

/* The rectangle of a tile by its column and row; both must be inside the frame. */
struct rfb_rect frame_tile_rect(const struct frame *f, unsigned column, unsigned row);

/* Add to @marks all tiles that @r touches; parts of @r outside the frame are left out. */
void frame_mark(const struct frame *f, struct frame_marks *marks, const struct rfb_rect *r);

bool frame_any_dirty(const struct frame *f);

/* The functions below need a rectangle inside the frame (frame_holds); they mark the tiles that it
 * touches. */

/* Fill with one colour. */
void frame_fill(struct frame *f, const struct rfb_rect *r, uint32_t colour);
/* As frame_fill, but marks nothing: for parts of a rectangle that is marked as a whole. */
void frame_paint(struct frame *f, const struct rfb_rect *r, uint32_t colour);
/* Write a run of pixels, each 4 bytes little-endian, to one row from (x, y) on; masked to 24 bits.
 */
void frame_put_run(struct frame *f, uint16_t x, uint16_t y, const uint8_t *pixels, size_t count);
/* Copy from (from_x, from_y), which must be inside as well; overlapping is fine. */
void frame_copy(struct frame *f, const struct rfb_rect *r, uint16_t from_x, uint16_t from_y);

/**
 * frame_replace - write a rectangle's pixels, masked to 24 bits, and mark it only where one of them
 * changed
 * @r: inside the frame, at most FRAME_TILE_PX wide
 * @pixels: r->h rows of r->w native 32-bit pixels, borrowed. Another process may write there
 * meanwhile: each is read once, and any bits are a pixel.
 * @stride: pixels from the begin of a row to that of the next one
 * Return: whether anything changed.
 */
bool frame_replace(struct frame *f, const struct rfb_rect *r, const uint32_t *pixels,
		   size_t stride);
/* As frame_replace with one colour for all. */
bool frame_replace_solid(struct frame *f, const struct rfb_rect *r, uint32_t colour);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The framebuffer of the screen relay: masked writes, copies, comparison, marks of changed tiles.
 */
#include "wire/rfb/frame.h"

#include <string.h>

#include "base/err.h"

enum { PREFETCH_ROWS = 8, LINE_PX = 16 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pixel runs are copied as they come");

void frame_init(struct frame *f, uint32_t *pixels, size_t capacity_px)
{
	*f = (struct frame){.pixels = pixels, .capacity_px = capacity_px};
}

int frame_resize(struct frame *f, uint32_t width_px, uint32_t height_px)
{
	if (width_px == 0 || width_px > RFB_WIDTH_MAX || height_px == 0 ||
	    height_px > RFB_HEIGHT_MAX)
		return -ERR_RANGE;
	if ((size_t)width_px * height_px > f->capacity_px)
		return -ERR_RANGE;
	memset(f->pixels, 0, (size_t)f->width * f->height * sizeof(*f->pixels));
	f->width = (uint16_t)width_px;
	f->height = (uint16_t)height_px;
	memset(&f->dirty, 0, sizeof(f->dirty));
	frame_mark(f, &f->dirty, &(struct rfb_rect){0, 0, f->width, f->height});
	return 0;
}

struct rfb_rect frame_tile_rect(const struct frame *f, unsigned column, unsigned row)
{
	unsigned x = column * FRAME_TILE_PX, y = row * FRAME_TILE_PX;
	unsigned w = f->width - x, h = f->height - y;

	return (struct rfb_rect){
		.x = (uint16_t)x,
		.y = (uint16_t)y,
		.w = (uint16_t)(w < FRAME_TILE_PX ? w : FRAME_TILE_PX),
		.h = (uint16_t)(h < FRAME_TILE_PX ? h : FRAME_TILE_PX),
	};
}

/* Bits first..last (0..63) set. */
static uint64_t bit_run(unsigned first, unsigned last)
{
	return (UINT64_MAX >> (63 - (last - first))) << first;
}

void frame_mark(const struct frame *f, struct frame_marks *marks, const struct rfb_rect *r)
{
	uint32_t right = (uint32_t)r->x + r->w, bottom = (uint32_t)r->y + r->h;
	uint64_t bits;

	if (right > f->width)
		right = f->width;
	if (bottom > f->height)
		bottom = f->height;
	if (r->x >= right || r->y >= bottom)
		return;
	bits = bit_run(r->x / FRAME_TILE_PX, (right - 1) / FRAME_TILE_PX);
	for (uint32_t row = r->y / FRAME_TILE_PX; row <= (bottom - 1) / FRAME_TILE_PX; row++)
		marks->rows[row] |= bits;
}

bool frame_any_dirty(const struct frame *f)
{
	uint64_t any = 0;

	for (unsigned row = 0; row < FRAME_TILE_ROWS; row++)
		any |= f->dirty.rows[row];
	return any != 0;
}

void frame_paint(struct frame *f, const struct rfb_rect *r, uint32_t colour)
{
	colour &= FRAME_PIXEL_MASK;
	for (unsigned y = 0; y < r->h; y++) {
		uint32_t *row = frame_at(f, r->x, r->y + y);

		for (unsigned x = 0; x < r->w; x++)
			row[x] = colour;
	}
}

void frame_fill(struct frame *f, const struct rfb_rect *r, uint32_t colour)
{
	frame_paint(f, r, colour);
	frame_mark(f, &f->dirty, r);
}

void frame_put_run(struct frame *f, uint16_t x, uint16_t y, const uint8_t *pixels, size_t count)
{
	uint32_t *row = frame_at(f, x, y);

	for (size_t i = 0; i < count; i++) {
		uint32_t pixel;

		memcpy(&pixel, pixels + 4 * i, sizeof(pixel));
		row[i] = pixel & FRAME_PIXEL_MASK;
	}
	frame_mark(f, &f->dirty, &(struct rfb_rect){x, y, (uint16_t)count, 1});
}

void frame_copy(struct frame *f, const struct rfb_rect *r, uint16_t from_x, uint16_t from_y)
{
	bool upwards = from_y < r->y;

	for (unsigned i = 0; i < r->h; i++) {
		unsigned y = upwards ? r->h - 1U - i : i;

		memmove(frame_at(f, r->x, r->y + y), frame_at(f, from_x, from_y + y),
			r->w * sizeof(*f->pixels));
	}
	frame_mark(f, &f->dirty, r);
}

/* Rows of a tile lie too far apart for the processor to guess which comes next. */
static void row_prefetch(const uint32_t *row, unsigned count)
{
	for (unsigned x = 0; x < count; x += LINE_PX)
		__builtin_prefetch(row + x);
	__builtin_prefetch(row + count - 1); /* rows need not begin with a line */
}

/*
 * Read once, by the compiler, too: where somebody else may write there, what is compared is what is
 * kept. Return: whether a pixel of @row differs from it.
 */
static bool row_replace(uint32_t *row, const uint32_t *from, unsigned count)
{
	__attribute__((uninitialized)) uint32_t copy[FRAME_TILE_PX]; /* @count are used */
	uint32_t difference = 0;

	memcpy(copy, from, count * sizeof(*copy));
	__asm__ volatile("" : : : "memory");
	for (unsigned x = 0; x < count; x++) {
		copy[x] &= FRAME_PIXEL_MASK;
		difference |= row[x] ^ copy[x];
	}
	if (difference != 0)
		memcpy(row, copy, count * sizeof(*copy));
	return difference != 0;
}

/* A tile's width is known to the compiler, which leaves no rest then. */
static bool part_replace(uint32_t *row, const uint32_t *from, unsigned count)
{
	return count == FRAME_TILE_PX ? row_replace(row, from, FRAME_TILE_PX)
				      : row_replace(row, from, count);
}

bool frame_replace(struct frame *f, const struct rfb_rect *r, const uint32_t *pixels, size_t stride)
{
	bool changed = false;

	for (unsigned y = 0; y < r->h; y++, pixels += stride) {
		uint32_t *row = frame_at(f, r->x, r->y + y);

		if (y + PREFETCH_ROWS < r->h) {
			row_prefetch(row + (size_t)PREFETCH_ROWS * f->width, r->w);
			row_prefetch(pixels + PREFETCH_ROWS * stride, r->w);
		}
		changed |= part_replace(row, pixels, r->w);
	}
	if (changed)
		frame_mark(f, &f->dirty, r);
	return changed;
}

bool frame_replace_solid(struct frame *f, const struct rfb_rect *r, uint32_t colour)
{
	uint32_t difference = 0;

	colour &= FRAME_PIXEL_MASK;
	for (unsigned y = 0; y < r->h; y++) {
		const uint32_t *row = frame_at(f, r->x, r->y + y);

		for (unsigned x = 0; x < r->w; x++)
			difference |= row[x] ^ colour;
	}
	if (difference == 0)
		return false;
	frame_fill(f, r, colour);
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a watermark as a pattern of bits, and that pattern over pixels. */
#include "screen-viewer/watermark.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "wire/mime/date.h"

enum {
	SCALE = 2,
	LETTER_PX = (WATERMARK_GLYPH_COLUMNS + 1) * SCALE,
	LINE_PX = (WATERMARK_GLYPH_ROWS + 1) * SCALE,
	LINES = 3,
	RISE = 4, /* pixels to the right for each pixel up */
	DAY_S = 86400,
};

_Static_assert(WATERMARK_PERIOD_PX == RISE * WATERMARK_ROWS,
	       "over one period the text rises by exactly one: so the pattern repeats");
_Static_assert(LINES *LINE_PX <= WATERMARK_ROWS / 2, "two texts fit below each other");
_Static_assert(WATERMARK_LETTERS_MAX *LETTER_PX <= WATERMARK_PERIOD_PX, "a line does not overlap");
_Static_assert(FRAME_TILE_PX == 64 && WATERMARK_ROWS % FRAME_TILE_PX == 0, "tiles are words");

static void set_pixel(struct watermark *m, unsigned x, unsigned y)
{
	x %= WATERMARK_PERIOD_PX;
	y = (y + WATERMARK_ROWS - x / RISE) % WATERMARK_ROWS;
	m->rows[y][x / 64] |= UINT64_C(1) << x % 64;
}

static void draw_point(struct watermark *m, unsigned x, unsigned y)
{
	for (unsigned i = 0; i < SCALE * SCALE; i++)
		set_pixel(m, x + i % SCALE, y + i / SCALE);
}

static void draw_letter(struct watermark *m, char letter, unsigned x, unsigned y)
{
	unsigned char code = (unsigned char)letter;
	const uint8_t *rows;

	if (code >= 128)
		return;
	if (code >= 'A' && code <= 'Z')
		code |= 0x20;
	rows = watermark_glyphs[code];
	for (unsigned row = 0; row < WATERMARK_GLYPH_ROWS; row++)
		for (unsigned column = 0; column < WATERMARK_GLYPH_COLUMNS; column++)
			if (rows[row] >> (WATERMARK_GLYPH_COLUMNS - 1 - column) & 1)
				draw_point(m, x + column * SCALE, y + row * SCALE);
}

/* Twice: at (0, y), and three quarters of a period to the right, half of one down. */
static void draw_line(struct watermark *m, const char *text, unsigned y)
{
	for (unsigned i = 0; i < WATERMARK_LETTERS_MAX && text[i] != '\0'; i++) {
		draw_letter(m, text[i], i * LETTER_PX, y);
		draw_letter(m, text[i], i * LETTER_PX + WATERMARK_PERIOD_PX * 3 / 4,
			    y + WATERMARK_ROWS / 2);
	}
}

static void draw_minute(struct watermark *m, int64_t local_s, unsigned y)
{
	int64_t second = local_s % DAY_S, year;
	unsigned month, day;
	char text[WATERMARK_LETTERS_MAX + 1];

	mime_date_civil(local_s / DAY_S, &year, &month, &day);
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02u %02u:%02u", (unsigned)year, month, day,
		       (unsigned)(second / 3600), (unsigned)(second / 60 % 60));
	draw_line(m, text, y);
}

void watermark_draw(struct watermark *m, const char *who, const char *gateway, int64_t local_s)
{
	memset(m->rows, 0, sizeof(m->rows));
	draw_line(m, who, 0);
	draw_line(m, gateway, LINE_PX);
	draw_minute(m, local_s, 2 * LINE_PX);
}

static bool tile_differs(const struct watermark *a, const struct watermark *b, unsigned word,
			 unsigned first_row)
{
	uint64_t bits = 0;

	for (unsigned row = first_row; row < first_row + FRAME_TILE_PX; row++)
		bits |= a->rows[row][word] ^ b->rows[row][word];
	return bits != 0;
}

void watermark_changed(const struct watermark *a, const struct watermark *b, struct frame *f)
{
	for (unsigned row = 0; row < frame_tile_rows(f); row++) {
		for (unsigned column = 0; column < frame_tile_columns(f); column++) {
			struct rfb_rect tile = frame_tile_rect(f, column, row);

			if (tile_differs(a, b, column % WATERMARK_WORDS, tile.y % WATERMARK_ROWS))
				frame_mark(f, &f->dirty, &tile);
		}
	}
}

/* Each colour @eighths of its way to black; the shares' low bits fall into the gaps and away. */
static uint32_t darken(uint32_t pixel, unsigned eighths)
{
	uint32_t outer = ((pixel & 0xff00ff) * (8 - eighths)) >> 3 & 0xff00ff;
	uint32_t green = ((pixel & 0x00ff00) * (8 - eighths)) >> 3 & 0x00ff00;

	return outer | green;
}

/* Towards black on what is bright, towards white on what is dark: it shows on both. */
static uint32_t blend(uint32_t pixel, unsigned eighths)
{
	uint32_t brightness =
		(pixel >> 16 & 255) * 2 + (pixel >> 8 & 255) * 5 + (pixel & 255); /* of 2040 */

	if (brightness >= 1024)
		return darken(pixel, eighths);
	return ~darken(~pixel & FRAME_PIXEL_MASK, eighths) & FRAME_PIXEL_MASK;
}

static void mark_row(const struct watermark *m, uint32_t *row, unsigned x, unsigned y, unsigned w)
{
	const uint64_t *words = m->rows[y % WATERMARK_ROWS];

	for (unsigned at = 0; at < w; at += 64) {
		uint64_t bits = words[(x + at) / 64 % WATERMARK_WORDS];

		if (w - at < 64)
			bits &= (UINT64_C(1) << (w - at)) - 1;
		for (; bits != 0; bits &= bits - 1) {
			uint32_t *pixel = row + at + (unsigned)__builtin_ctzll(bits);

			*pixel = blend(*pixel, m->strength);
		}
	}
}

void watermark_apply(const struct watermark *m, const struct frame *f, const struct rfb_rect *r,
		     struct frame *shown)
{
	assert(r->x % FRAME_TILE_PX == 0 && frame_holds(f, r));
	assert((size_t)r->w * r->h <= shown->capacity_px);
	shown->width = r->w;
	shown->height = r->h;
	for (unsigned y = 0; y < r->h; y++) {
		uint32_t *row = frame_at(shown, 0, y);

		memcpy(row, frame_at(f, r->x, r->y + y), r->w * sizeof(*row));
		mark_row(m, row, r->x, r->y + y, r->w);
	}
}

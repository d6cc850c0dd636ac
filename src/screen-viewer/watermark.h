/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watermarks: who looks, through which gateway, at what minute, as faint text over the whole
 * picture, so that a photograph of it tells where it was taken. Drawn where tiles are encoded: the
 * framebuffer itself stays without.
 *
 * The text is three lines of 5 x 8 letters, each point 2 x 2 pixels, rising by one pixel every
 * four. It repeats every 512 pixels to the right and every 128 down, and once more in between, 384
 * to the right and 64 down before it rises; so one drawn repetition serves screens of every size,
 * and a tile of 64 pixels is one word of it wide.
 */
#ifndef SEKISHO_SCREEN_VIEWER_WATERMARK_H
#define SEKISHO_SCREEN_VIEWER_WATERMARK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/rfb/frame.h"

#define WATERMARK_PERIOD_PX     512
#define WATERMARK_ROWS          128
#define WATERMARK_WORDS         (WATERMARK_PERIOD_PX / 64)
#define WATERMARK_GLYPH_ROWS    8
#define WATERMARK_GLYPH_COLUMNS 5
#define WATERMARK_LETTERS_MAX   42 /* of a line; of longer text, the beginning */

/* A repetition of the text: bit x % 64 of rows[y][x / 64], for x and y modulo the period. */
struct watermark {
	unsigned strength; /* eighths of a pixel's way to black or white; 0: no mark */
	uint64_t rows[WATERMARK_ROWS][WATERMARK_WORDS];
};

/* Letters by their ASCII code, rows from the top, bit 4 leftmost; zero for those that have none. */
extern const uint8_t watermark_glyphs[128][WATERMARK_GLYPH_ROWS];

/**
 * watermark_draw - draw the text anew; the strength stays
 * @who, @gateway: NUL-terminated; capitals are drawn small, characters without a letter as gaps
 * @local_s: seconds since 1970 of the local time; shown to the minute, years 1970 to 9999
 */
void watermark_draw(struct watermark *m, const char *who, const char *gateway, int64_t local_s);

/**
 * watermark_changed - mark in @f the tiles where two watermarks differ
 * @a, @b: of one strength
 */
void watermark_changed(const struct watermark *a, const struct watermark *b, struct frame *f);

/**
 * watermark_apply - copy a part of a frame and draw the mark over the copy
 * @f: stays as it is
 * @r: inside @f, not empty, its left side at a multiple of FRAME_TILE_PX
 * @shown: becomes a frame of r->w x r->h pixels; its capacity must hold these
 */
void watermark_apply(const struct watermark *m, const struct frame *f, const struct rfb_rect *r,
		     struct frame *shown);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TRLE and ZRLE, decoding (RFC 6143 7.7.5, 7.7.6): one tile of raw pixels, one colour, a palette or
 * runs. ZRLE's tiles are TRLE's, larger and behind inflate.
 */
#ifndef SEKISHO_WIRE_RFB_TILE_H
#define SEKISHO_WIRE_RFB_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/frame.h"

#define RFB_TRLE_TILE_PX 16
#define RFB_ZRLE_TILE_PX 64

/* The longest tile: runs of one pixel each, three bytes and a length. */
#define RFB_TILE_BYTES_MAX (1 + RFB_ZRLE_TILE_PX * RFB_ZRLE_TILE_PX * 4)

/* What is carried from tile to tile of one rectangle. */
struct rfb_palette {
	uint32_t colours[127];
	unsigned count; /* 0: no tile of the rectangle had one yet */
};

/**
 * rfb_tile_decode - decode one tile and draw it
 * @palette: of the tile before, for TRLE's sub-encodings that use it again; replaced by a tile that
 *	has one
 * @reuse: whether these are allowed: TRLE; not ZRLE
 * @r: pixels are CPIXELs of rfb_format_gateway: 3 bytes, blue first
 * @frame, @tile: inside the frame, not empty, at most RFB_ZRLE_TILE_PX each way
 * @fault: set with -ERR_RANGE: fixed text
 * Return: 0; -ERR_TRUNCATED where @r does not hold all of it (nothing is taken or drawn, @palette
 * is as it was); -ERR_RANGE for a sub-encoding without a meaning, a palette that is not there, an
 * index outside it or a run that passes the tile's end: nothing is drawn.
 */
int rfb_tile_decode(struct rfb_palette *palette, bool reuse, struct reader *r, struct frame *frame,
		    const struct rfb_rect *tile, const char **fault);

#endif

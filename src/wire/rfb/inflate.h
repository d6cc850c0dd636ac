/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one zlib stream of a session's ZRLE rectangles, inflated piece by piece into a fixed window.
 * zlib does the inflating; its memory is in the struct, so that nothing is allocated.
 */
#ifndef SEKISHO_WIRE_RFB_INFLATE_H
#define SEKISHO_WIRE_RFB_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/buf.h"
#include "wire/rfb/tile.h"

#define RFB_INFLATE_MEMORY_BYTES (64U << 10) /* zlib's state and its window of 32 KiB */
#define RFB_INFLATE_WINDOW_BYTES (32U << 10) /* inflated and not yet decoded */

_Static_assert(RFB_INFLATE_WINDOW_BYTES > RFB_TILE_BYTES_MAX + 64,
	       "behind a tile that is not whole there is always room");

struct rfb_inflate {
	z_stream stream;
	bool broken; /* behind what is in the window */
	_Alignas(16) uint8_t memory[RFB_INFLATE_MEMORY_BYTES];
	size_t memory_used;
	uint8_t window[RFB_INFLATE_WINDOW_BYTES];
	size_t at, end; /* of what is in the window */
};

/* As a session begins. Return: 0 or -ERR_NO_SPACE. */
int rfb_inflate_init(struct rfb_inflate *z);

/* A reader over what is inflated and not yet taken; rfb_inflate_take takes its first bytes. */
struct reader rfb_inflate_reader(const struct rfb_inflate *z);
void rfb_inflate_take(struct rfb_inflate *z, size_t bytes);

/**
 * rfb_inflate_more - inflate until the window is full or the bytes are used up
 * @r: deflated bytes; r->at moves behind what was taken
 * @left: how many of them belong to the stream at most; less what was taken
 * Return: 0; -ERR_AGAIN where nothing came of it and more bytes are needed; -ERR_SYNTAX where the
 * stream is broken, ends or wants a dictionary.
 */
int rfb_inflate_more(struct rfb_inflate *z, struct reader *r, uint32_t *left);

#endif

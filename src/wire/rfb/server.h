/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFB messages from server to client: decodes what a desktop sends into a frame. Every rectangle
 * and length is checked before a pixel is written; nothing is allocated. No side effects but on the
 * parser and its frame.
 */
#ifndef SEKISHO_WIRE_RFB_SERVER_H
#define SEKISHO_WIRE_RFB_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "wire/rfb/rfb.h"
#include "wire/rfb/frame.h"
#include "wire/rfb/tile.h"

/* The longest run of bytes that the parser needs to see at once: a whole cursor. */
#define RFB_SERVER_UNIT_MAX                                                                        \
	(RFB_CURSOR_MAX * RFB_CURSOR_MAX * 4 + RFB_CURSOR_MAX * RFB_CURSOR_MAX / 8)

enum rfb_server_event {
	RFB_SERVER_MORE,    /* give more bytes behind those that were not taken */
	RFB_SERVER_END,     /* an update is complete */
	RFB_SERVER_RESIZED, /* the frame has a new size; the update goes on */
	RFB_SERVER_CURSOR,  /* p->cursor is new; the update goes on */
	RFB_SERVER_BELL,    /* swallowed */
	RFB_SERVER_COLOURS, /* SetColourMapEntries, swallowed */
	RFB_SERVER_CUT,     /* a cut text was discarded; p->total_bytes */
};

/* A cursor drawn anew: its hot spot is a pixel of it, or 0; pixels 0xff'RRGGBB where drawn and 0
 * elsewhere. */
struct rfb_cursor {
	uint16_t hot_x, hot_y, w, h;
	uint32_t pixels[RFB_CURSOR_MAX * RFB_CURSOR_MAX]; /* w * h are used */
};

struct rfb_inflate;

struct rfb_server_parser {
	struct frame *frame;
	struct rfb_inflate *inflate;     /* NULL: ZRLE and TRLE were not asked for */
	unsigned state;                  /* the parser's own */
	uint32_t left;                   /* bytes of the part in hand still to discard or inflate */
	uint32_t total_bytes;            /* of the cut text in hand */
	uint32_t rects_left;             /* of the update in hand */
	uint64_t drawn_px;               /* by its rectangles, for a screen of this size */
	struct rfb_rect rect;            /* in hand */
	uint32_t at_x, at_y;             /* next pixel (Raw) or tile (the others) inside it */
	uint32_t background, foreground; /* Hextile: carried from tile to tile */
	struct rfb_palette palette;      /* TRLE: the same */
	struct rfb_cursor cursor;
	const char *fault;  /* fixed text, set with an error */
	int32_t fault_type; /* message type or encoding it was about */
};

/**
 * rfb_server_init - a parser for a session whose handshake is done
 * @frame: borrowed for the parser's life; has the size that ServerInit gave
 * @inflate: fresh (rfb_inflate_init), borrowed as long, where ZRLE and TRLE are asked for;
 *otherwise NULL, and they end the session as any other encoding that was not asked for
 */
void rfb_server_init(struct rfb_server_parser *p, struct frame *frame, struct rfb_inflate *inflate);

/**
 * rfb_server_next - take bytes until something is to be told
 * @r: all bytes not taken yet; r->at moves behind what was taken
 * Return: an enum rfb_server_event; -ERR_UNSUPPORTED for a message or an encoding that was not
 * asked for; -ERR_RANGE for a rectangle, source, sub-rectangle, size or flag out of bounds;
 * -ERR_TOO_LONG past a limit of rfb.h; -ERR_SYNTAX for a broken zlib stream. After an error the
 * session must end.
 */
int rfb_server_next(struct rfb_server_parser *p, struct reader *r);

/**
 * rfb_server_room - where in the frame the bytes that come next belong: the pixels of a Raw
 * rectangle lie there as they come. Whoever puts them there himself saves a copy.
 * @parts: set to a part for each row from the rectangle's next pixel on, or to one for all where
 * the rectangle is as wide as the frame; they are written to at the caller's own pace, and what is
 * whole is told to rfb_server_filled before rfb_server_next or this is called again
 * @most: parts that there is room for, at least 1
 * Return: how many are set; 0: what comes next is for rfb_server_next.
 */
unsigned rfb_server_room(const struct rfb_server_parser *p, struct iovec *parts, unsigned most);

/*
 * The first @count_px pixels of that room are there: marks their tiles. They keep the byte that is
 * no colour, which rfb_server_next takes away (FRAME_PIXEL_MASK).
 */
void rfb_server_filled(struct rfb_server_parser *p, size_t count_px);

/*
 * Rows of pixels, from the top, that the rectangle in hand has drawn or lies below of. A hint for
 * who wants to pass pixels on while they are in the processor's cache: a later rectangle may draw
 * there again, and marks it again.
 */
uint32_t rfb_server_rows_drawn(const struct rfb_server_parser *p);

/* The parser's own parts, apart for tests. */

/**
 * rfb_hextile_tile - decode one Hextile tile (RFC 6143 7.7.4) into p->frame
 * @tile: inside the frame, at most 16 x 16
 * Return: 0 where it was taken; -ERR_TRUNCATED where @r does not hold all of it (nothing is taken
 * or drawn); -ERR_RANGE.
 */
int rfb_hextile_tile(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of a screen session's recording: what its viewer was shown, and when; never a key, never
 * where a pointer was. A file is a chain of blocks; numbers are big-endian:
 *
 *   "SKR1"  u16 kind  u16 0  u32 bytes of content  u32 number, from 0  u64 time
 *   content
 *   SHA-256 over the hash of the block before (32 zero bytes before the first) and all of the above
 *
 * The time is in milliseconds since the session's first block, never less than that of the block
 * before and at most RECORDING_TIME_MAX_MS. BEGIN is the first block, SIZE comes before the first
 * TILES, END is the last. A file that ends without END was cut off; what is there can still be
 * checked: the log has the hash of a block every few minutes, and that of the last one.
 */
#ifndef SEKISHO_WIRE_RFB_RECORDING_H
#define SEKISHO_WIRE_RFB_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "wire/rfb/encode.h"
#include "wire/rfb/frame.h"

#define RECORDING_MAGIC         0x534b5231U /* "SKR1" */
#define RECORDING_HEAD_BYTES    24
#define RECORDING_NAME_BYTES    32 /* of a name, padded with zero bytes, at least one */
#define RECORDING_GATEWAY_BYTES 64
#define RECORDING_BEGIN_BYTES   (4 + 8 + 4 + 2 * RECORDING_NAME_BYTES + RECORDING_GATEWAY_BYTES)
#define RECORDING_SIZE_BYTES    4
#define RECORDING_RECT_BYTES    8
#define RECORDING_END_BYTES     4
#define RECORDING_TIME_MAX_MS   (UINT64_C(100) * 366 * 86400 * 1000) /* no session is so long */
#define RECORDING_CONTENT_MAX   RFB_ENCODE_BYTES_MAX
#define RECORDING_BLOCK_MAX     (RECORDING_HEAD_BYTES + RECORDING_CONTENT_MAX + SHA256_BYTES)

enum recording_kind {
	RECORDING_BEGIN = 1, /* struct recording_origin */
	RECORDING_SIZE,      /* u16 width, u16 height: the screen is black and this large now */
	RECORDING_TILES, /* u16 x, y, w, h: a rectangle; its tiles of 64 x 64 from the left, each as
			  * tile.h has it */
	RECORDING_END,   /* u32: enum screen_end of channel/screen.h */
};

/* Whose screen it was. Texts are printable ASCII. */
struct recording_origin {
	uint32_t session;     /* the number that the log has */
	int64_t began_ms;     /* since 1970, UTC */
	int32_t utc_offset_s; /* of the gateway's local time */
	char screen[RECORDING_NAME_BYTES];
	char user[RECORDING_NAME_BYTES]; /* empty: nobody in particular */
	char gateway[RECORDING_GATEWAY_BYTES];
};

/* The head of a block. */
struct recording_block {
	enum recording_kind kind;
	uint32_t content_bytes;
	uint32_t number;
	uint64_t time_ms;
};

/* Where a chain of blocks stands; all zero before the first. */
struct recording_chain {
	uint8_t hash[SHA256_BYTES]; /* of the block before */
	uint32_t number;            /* of the next block */
	uint64_t time_ms;           /* of the block before */
	bool sized, ended;
};

/* ---- writing: each puts one block behind what @w holds, which must have room for
 * RECORDING_BLOCK_MAX, and steps the chain */

void recording_put_begin(struct recording_chain *c, const struct recording_origin *origin,
			 struct writer *w);
void recording_put_size(struct recording_chain *c, uint64_t time_ms, uint16_t width_px,
			uint16_t height_px, struct writer *w);
/* @e: as rfb_encoder_init has it; @r: as for rfb_encode_rect. */
void recording_put_tiles(struct recording_chain *c, uint64_t time_ms, const struct rfb_encoder *e,
			 const struct frame *f, const struct rfb_rect *r, struct writer *w);
void recording_put_end(struct recording_chain *c, uint64_t time_ms, uint32_t reason,
		       struct writer *w);

/* ---- reading: a file is a stranger's */

/* What reads a recording. */
struct recording_reader {
	struct recording_chain chain;
	struct recording_origin origin; /* behind RECORDING_BEGIN */
	uint32_t reason;                /* behind RECORDING_END */
	struct frame *frame;            /* borrowed; with room for the largest screen */
	const char *fault;              /* fixed text, set with an error */
};

/* @frame: as frame_init leaves it */
void recording_reader_init(struct recording_reader *r, struct frame *frame);

/**
 * recording_block_fits - whether a block of this head may come next
 * @b: any numbers
 * @c: the chain before it
 */
static inline bool recording_block_fits(const struct recording_block *b,
					const struct recording_chain *c)
{
	if (c->ended || b->number != c->number || b->number == UINT32_MAX ||
	    b->time_ms < c->time_ms || b->time_ms > RECORDING_TIME_MAX_MS)
		return false;
	switch (b->kind) {
	case RECORDING_BEGIN:
		return b->number == 0 && b->content_bytes == RECORDING_BEGIN_BYTES;
	case RECORDING_SIZE:
		return b->number > 0 && b->content_bytes == RECORDING_SIZE_BYTES;
	case RECORDING_TILES:
		return c->sized && b->content_bytes > RECORDING_RECT_BYTES &&
		       b->content_bytes <= RECORDING_CONTENT_MAX;
	case RECORDING_END:
		return b->number > 0 && b->content_bytes == RECORDING_END_BYTES;
	default:
		return false;
	}
}

/**
 * recording_peek - the head of the next block; takes nothing
 * Return: 0; -ERR_TRUNCATED where the file ends before the whole block does; -ERR_SYNTAX, with
 * r->fault, for a head that may not come next.
 */
int recording_peek(struct recording_reader *r, const struct reader *in,
		   struct recording_block *block);

/**
 * recording_take - take the next block: check its hash, do what it says to the frame
 * Return: 0; as recording_peek; -ERR_INTEGRITY for a wrong hash; -ERR_SYNTAX for a content that is
 * none: both with r->fault. After an error nothing more may be taken; the frame may then hold a
 * part of the block.
 */
int recording_take(struct recording_reader *r, struct reader *in);

#endif

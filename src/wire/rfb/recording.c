/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of screen sessions: blocks written and read. */
#include "wire/rfb/recording.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "wire/rfb/tile.h"

enum { CONTENT_AT = 8 /* of the content's length in a head */ };

static void hash_block(uint8_t hash[SHA256_BYTES], const uint8_t *block, size_t size)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, hash, SHA256_BYTES);
	sha256_update(&h, block, size);
	sha256_final(&h, hash);
}

/* ---- writing */

static size_t begin_block(const struct recording_chain *c, enum recording_kind kind,
			  uint64_t time_ms, struct writer *w)
{
	size_t at = w->size;

	assert(w->capacity - w->size >= RECORDING_BLOCK_MAX);
	writer_be32(w, RECORDING_MAGIC);
	writer_be16(w, kind);
	writer_be16(w, 0);
	writer_be32(w, 0);
	writer_be32(w, c->number);
	writer_be64(w, time_ms > c->time_ms ? time_ms : c->time_ms);
	return at;
}

static void end_block(struct recording_chain *c, uint64_t time_ms, size_t at, struct writer *w)
{
	struct writer length;

	writer_init(&length, w->data + at + CONTENT_AT, 4);
	writer_be32(&length, (uint32_t)(w->size - at - RECORDING_HEAD_BYTES));
	hash_block(c->hash, w->data + at, w->size - at);
	writer_bytes(w, c->hash, SHA256_BYTES);
	c->number++;
	if (time_ms > c->time_ms)
		c->time_ms = time_ms;
}

static void put_text(struct writer *w, const char *text, size_t field_bytes)
{
	size_t size = strnlen(text, field_bytes - 1);

	writer_bytes(w, text, size);
	for (; size < field_bytes; size++)
		writer_u8(w, 0);
}

void recording_put_begin(struct recording_chain *c, const struct recording_origin *origin,
			 struct writer *w)
{
	size_t at = begin_block(c, RECORDING_BEGIN, 0, w);

	writer_be32(w, origin->session);
	writer_be64(w, (uint64_t)origin->began_ms);
	writer_be32(w, (uint32_t)origin->utc_offset_s);
	put_text(w, origin->screen, sizeof(origin->screen));
	put_text(w, origin->user, sizeof(origin->user));
	put_text(w, origin->gateway, sizeof(origin->gateway));
	end_block(c, 0, at, w);
}

void recording_put_size(struct recording_chain *c, uint64_t time_ms, uint16_t width_px,
			uint16_t height_px, struct writer *w)
{
	size_t at = begin_block(c, RECORDING_SIZE, time_ms, w);

	writer_be16(w, width_px);
	writer_be16(w, height_px);
	end_block(c, time_ms, at, w);
}

void recording_put_tiles(struct recording_chain *c, uint64_t time_ms, const struct rfb_encoder *e,
			 const struct frame *f, const struct rfb_rect *r, struct writer *w)
{
	size_t at = begin_block(c, RECORDING_TILES, time_ms, w);

	writer_be16(w, r->x);
	writer_be16(w, r->y);
	writer_be16(w, r->w);
	writer_be16(w, r->h);
	rfb_encode_tiles(e, f, r, w);
	end_block(c, time_ms, at, w);
}

void recording_put_end(struct recording_chain *c, uint64_t time_ms, uint32_t reason,
		       struct writer *w)
{
	size_t at = begin_block(c, RECORDING_END, time_ms, w);

	writer_be32(w, reason);
	end_block(c, time_ms, at, w);
}

/* ---- reading */

void recording_reader_init(struct recording_reader *r, struct frame *frame)
{
	*r = (struct recording_reader){.frame = frame};
}

static int fail(struct recording_reader *r, int err, const char *fault)
{
	r->fault = fault;
	return err;
}

int recording_peek(struct recording_reader *r, const struct reader *in,
		   struct recording_block *block)
{
	struct reader head = *in;
	uint32_t magic = reader_be32(&head);
	uint16_t zero;

	block->kind = (enum recording_kind)reader_be16(&head);
	zero = reader_be16(&head);
	block->content_bytes = reader_be32(&head);
	block->number = reader_be32(&head);
	block->time_ms = reader_be64(&head);
	if (head.failed)
		return -ERR_TRUNCATED;
	if (magic != RECORDING_MAGIC || zero != 0)
		return fail(r, -ERR_SYNTAX, "not a block of a recording");
	if (!recording_block_fits(block, &r->chain))
		return fail(r, -ERR_SYNTAX, "a block that may not come here");
	if (reader_left(&head) < (size_t)block->content_bytes + SHA256_BYTES)
		return -ERR_TRUNCATED;
	return 0;
}

/* Printable ASCII, then zero bytes to the end, at least one. */
static bool take_text(struct reader *in, char *field, size_t field_bytes)
{
	struct span text = reader_span(in, field_bytes);
	size_t size = 0;

	if (text.size != field_bytes)
		return false;
	while (size < field_bytes && text.data[size] > 0x20 && text.data[size] < 0x7f)
		size++;
	for (size_t i = size; i < field_bytes; i++) {
		if (text.data[i] != 0)
			return false;
	}
	memcpy(field, text.data, field_bytes);
	return size < field_bytes;
}

static int take_begin(struct recording_reader *r, struct reader *content)
{
	struct recording_origin *o = &r->origin;

	o->session = reader_be32(content);
	o->began_ms = (int64_t)reader_be64(content);
	o->utc_offset_s = (int32_t)reader_be32(content);
	if (!take_text(content, o->screen, sizeof(o->screen)) ||
	    !take_text(content, o->user, sizeof(o->user)) ||
	    !take_text(content, o->gateway, sizeof(o->gateway)))
		return fail(r, -ERR_SYNTAX, "a name that is none");
	/* So that sums of these with any time of a session can be told as a date. */
	if (o->began_ms < 0 || o->began_ms > INT64_C(253402300799000) || o->utc_offset_s < -86400 ||
	    o->utc_offset_s > 86400)
		return fail(r, -ERR_SYNTAX, "a time that is none");
	return 0;
}

static int take_size(struct recording_reader *r, struct reader *content)
{
	uint16_t width = reader_be16(content), height = reader_be16(content);

	if (frame_resize(r->frame, width, height) != 0)
		return fail(r, -ERR_SYNTAX, "a screen of no possible size");
	r->chain.sized = true;
	return 0;
}

/* The next tile of a rectangle, @x to its right. */
static int take_tile(struct recording_reader *r, struct reader *content,
		     const struct rfb_rect *rect, unsigned x)
{
	struct rfb_palette palette = {.count = 0};
	unsigned left = rect->w - x;
	struct rfb_rect tile = {(uint16_t)(rect->x + x), rect->y,
				(uint16_t)(left < FRAME_TILE_PX ? left : FRAME_TILE_PX), rect->h};
	const char *fault = NULL;

	if (rfb_tile_decode(&palette, false, content, r->frame, &tile, &fault) != 0)
		return fail(r, -ERR_SYNTAX, fault ? fault : "a rectangle that is not whole");
	return 0;
}

static int take_tiles(struct recording_reader *r, struct reader *content)
{
	struct rfb_rect rect = {.x = reader_be16(content)};
	int err = 0;

	rect.y = reader_be16(content);
	rect.w = reader_be16(content);
	rect.h = reader_be16(content);
	if (rect.w == 0 || rect.h == 0 || rect.h > FRAME_TILE_PX || !frame_holds(r->frame, &rect))
		return fail(r, -ERR_SYNTAX, "a rectangle outside the screen");
	for (unsigned x = 0; x < rect.w && err == 0; x += FRAME_TILE_PX)
		err = take_tile(r, content, &rect, x);
	if (err == 0 && reader_left(content) != 0)
		return fail(r, -ERR_SYNTAX, "more behind a rectangle than its tiles");
	return err;
}

static int take_end(struct recording_reader *r, struct reader *content)
{
	r->reason = reader_be32(content);
	r->chain.ended = true;
	return 0;
}

static int take_content(struct recording_reader *r, enum recording_kind kind,
			struct reader *content)
{
	static int (*const takers[])(struct recording_reader *, struct reader *) = {
		[RECORDING_BEGIN] = take_begin,
		[RECORDING_SIZE] = take_size,
		[RECORDING_TILES] = take_tiles,
		[RECORDING_END] = take_end,
	};

	return takers[kind](r, content);
}

int recording_take(struct recording_reader *r, struct reader *in)
{
	struct recording_block block;
	int err = recording_peek(r, in, &block);
	struct span whole, stated;
	struct reader content;

	if (err != 0)
		return err;
	whole = reader_span(in, RECORDING_HEAD_BYTES + (size_t)block.content_bytes);
	stated = reader_span(in, SHA256_BYTES);
	hash_block(r->chain.hash, whole.data, whole.size);
	if (memcmp(r->chain.hash, stated.data, SHA256_BYTES) != 0)
		return fail(r, -ERR_INTEGRITY, "a block whose hash is wrong");
	reader_init(&content, whole.data + RECORDING_HEAD_BYTES, block.content_bytes);
	r->chain.number++;
	r->chain.time_ms = block.time_ms;
	return take_content(r, block.kind, &content);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZRLE, encoding (RFC 6143 7.7.6): run lengths and palettes in stored deflate blocks (RFC
 * 1951 3.2.4).
 *
 * On a local network run lengths pay and deflate does not: so the zlib stream that ZRLE wants holds
 * stored blocks only. A stored block ends on a byte boundary; each rectangle is therefore complete
 * for the client without a flush.
 */
#include <string.h>

#include "wire/rfb_encode.h"

enum {
	TILE_PIXELS = FRAME_TILE_PX * FRAME_TILE_PX,
	TILE_BYTES_MAX = 1 + TILE_PIXELS * 4,
	PALETTE_MAX = 127, /* of run-length tiles */
	PACKED_MAX = 16,   /* of packed tiles */
	SLOTS = 512,       /* of the palette's hash table */
	BLOCK_MAX = 65535, /* bytes of a stored block */
	BLOCK_HEAD = 5,
	BLOCK_PX = 64, /* compared between two branches */
};

enum { ZRLE_RAW = 0, ZRLE_SOLID = 1, ZRLE_RLE = 128 };

/* Equal pixels one after the other, along the rows and across their ends. */
struct run {
	uint32_t colour;
	uint16_t length;
	uint16_t index; /* in the palette, while the tile has one */
};

/* One tile and what is known of it. */
struct tile {
	uint32_t pixels[TILE_PIXELS];
	unsigned width, count;
	unsigned changes; /* pixels that differ from the one before */
	unsigned run_count;
	unsigned single_runs;  /* of these, those of one pixel */
	unsigned length_bytes; /* that the lengths of all runs take */
	unsigned colours;      /* more than PALETTE_MAX: there is no palette */
	struct run runs[TILE_PIXELS];
	uint32_t palette[PALETTE_MAX];
	uint32_t slot_colour[SLOTS];
	uint8_t slot_index[SLOTS];        /* index + 1; 0: free */
	uint8_t pixel_index[TILE_PIXELS]; /* where there are at most PACKED_MAX colours */
};

static unsigned slot_of(const struct tile *t, uint32_t colour)
{
	unsigned slot = colour * 2654435761U >> 23; /* Knuth's multiplicative hash, 9 bits */

	while (t->slot_index[slot] != 0 && t->slot_colour[slot] != colour)
		slot = (slot + 1) % SLOTS;
	return slot;
}

/* The colour's place in the palette, where it is put if there is room. */
static unsigned palette_place(struct tile *t, uint32_t colour)
{
	unsigned slot;

	if (t->colours > PALETTE_MAX)
		return 0;
	slot = slot_of(t, colour);
	if (t->slot_index[slot] != 0)
		return t->slot_index[slot] - 1U;
	t->colours++;
	if (t->colours > PALETTE_MAX)
		return 0;
	t->palette[t->colours - 1] = colour;
	t->slot_colour[slot] = colour;
	t->slot_index[slot] = (uint8_t)t->colours;
	return t->colours - 1;
}

/* A length takes one byte and one more for each whole 255 in length - 1. */
static unsigned length_size(unsigned length)
{
	return 1 + (length - 1) / 255;
}

static void tile_load(struct tile *t, const struct frame *f, const struct rfb_rect *r)
{
	unsigned changes = 0;

	t->width = r->w;
	t->count = (unsigned)r->w * r->h;
	for (unsigned y = 0; y < r->h; y++)
		memcpy(t->pixels + y * r->w, frame_at(f, r->x, r->y + y), r->w * 4U);
	for (unsigned i = 1; i < t->count; i++)
		changes += t->pixels[i] != t->pixels[i - 1];
	t->changes = changes;
}

/* The first pixel from @begin on that is not @colour; two are compared at a time. */
static unsigned run_end(const struct tile *t, unsigned begin, uint32_t colour)
{
	uint64_t both = (uint64_t)colour << 32 | colour, next;
	unsigned end = begin;

	for (; end + 2 <= t->count; end += 2) {
		memcpy(&next, t->pixels + end, sizeof(next));
		if (next != both)
			break;
	}
	while (end < t->count && t->pixels[end] == colour)
		end++;
	return end;
}

static void find_runs(struct tile *t)
{
	unsigned begin = 0;

	while (begin < t->count) {
		uint32_t colour = t->pixels[begin];
		unsigned end = run_end(t, begin + 1, colour), length = end - begin;

		t->runs[t->run_count++] =
			(struct run){colour, (uint16_t)length, (uint16_t)palette_place(t, colour)};
		t->single_runs += length == 1;
		t->length_bytes += length_size(length);
		begin = end;
	}
}

/* Set the index of each pixel: whether it is not @first; how many of them are not @second either.
 */
static unsigned index_two(struct tile *t, unsigned begin, unsigned count, uint32_t first,
			  uint32_t second)
{
	const uint32_t *pixels = t->pixels + begin;
	uint8_t *index = t->pixel_index + begin;
	unsigned others = 0;

	for (unsigned i = 0; i < count; i++) {
		index[i] = pixels[i] != first;
		others += (pixels[i] != first) & (pixels[i] != second);
	}
	return others;
}

/* Text on a ground: two colours, found without a branch for each pixel, but with one for each block
 * of them: most tiles that have more show it soon. */
static bool two_colours(struct tile *t)
{
	uint32_t first = t->pixels[0], second = t->pixels[run_end(t, 1, first)];
	unsigned i = 0;

	for (; i + BLOCK_PX <= t->count; i += BLOCK_PX)
		if (index_two(t, i, BLOCK_PX, first, second) != 0)
			return false;
	if (index_two(t, i, t->count - i, first, second) != 0)
		return false;
	(void)palette_place(t, first); /* 0 */
	(void)palette_place(t, second);
	return true;
}

/*
 * Whether the tile, which is not of one colour, has no more than PACKED_MAX; then each pixel's
 * index is known. Noise shows within the first few pixels that it has more.
 */
static bool few_colours(struct tile *t)
{
	uint8_t index = 0;

	if (two_colours(t))
		return true;
	for (unsigned i = 0; i < t->count; i++) {
		if (i == 0 || t->pixels[i] != t->pixels[i - 1])
			index = (uint8_t)palette_place(t, t->pixels[i]);
		if (t->colours > PACKED_MAX)
			return false;
		t->pixel_index[i] = index;
	}
	return true;
}

static unsigned packed_bits(unsigned colours)
{
	if (colours <= 2)
		return 1;
	return colours <= 4 ? 2 : 4;
}

static unsigned packed_bytes(const struct tile *t)
{
	return t->count / t->width * ((t->width * packed_bits(t->colours) + 7) / 8);
}

static uint8_t *put_cpixel(const struct rfb_encoder *e, uint32_t rgb, uint8_t *at)
{
	uint32_t pixel = rfb_encoder_pixel(e, rgb) >> (8 * e->cpixel_skip);

	memcpy(at, &pixel, e->cpixel_bytes);
	return at + e->cpixel_bytes;
}

static uint8_t *put_length(unsigned length, uint8_t *at)
{
	for (length--; length >= 255; length -= 255)
		*at++ = 255;
	*at++ = (uint8_t)length;
	return at;
}

/* Four plain pixels are three words. */
static uint8_t *put_plain_pixels(const struct tile *t, uint8_t *at)
{
	unsigned i = 0;

	for (; i + 4 <= t->count; i += 4, at += 12) {
		const uint32_t *p = t->pixels + i;
		uint32_t words[3] = {p[0] | p[1] << 24, p[1] >> 8 | p[2] << 16,
				     p[2] >> 16 | p[3] << 8};

		memcpy(at, words, sizeof(words));
	}
	for (; i < t->count; i++, at += 3)
		memcpy(at, &t->pixels[i], 3);
	return at;
}

static uint8_t *put_raw(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	*at++ = ZRLE_RAW;
	if (e->plain && e->cpixel_bytes == 3)
		return put_plain_pixels(t, at);
	for (unsigned i = 0; i < t->count; i++)
		at = put_cpixel(e, t->pixels[i], at);
	return at;
}

static uint8_t *put_palette(const struct rfb_encoder *e, const struct tile *t, uint8_t *at)
{
	for (unsigned i = 0; i < t->colours; i++)
		at = put_cpixel(e, t->palette[i], at);
	return at;
}

/* Eight indices of one bit as a byte: each product lands on a bit of its own, so that nothing
 * carries. */
static uint8_t pack_eight(const uint8_t *index)
{
	uint64_t eight;

	memcpy(&eight, index, sizeof(eight));
	return (uint8_t)(eight * UINT64_C(0x8040201008040201) >> 56);
}

/* Indices of 1, 2 or 4 bits, from the high bit on; a row begins and ends with a byte. */
static uint8_t *pack_row(const uint8_t *index, unsigned width, unsigned bits, uint8_t *at)
{
	unsigned x = 0;

	for (; bits == 1 && x + 8 <= width; x += 8)
		*at++ = pack_eight(index + x);
	while (x < width) {
		unsigned byte = 0;

		for (unsigned shift = 8; shift > 0; x++) {
			shift -= bits;
			byte |= x < width ? (unsigned)index[x] << shift : 0;
		}
		*at++ = (uint8_t)byte;
	}
	return at;
}

static uint8_t *put_packed(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	unsigned bits = packed_bits(t->colours);

	*at++ = (uint8_t)t->colours;
	at = put_palette(e, t, at);
	for (unsigned begin = 0; begin < t->count; begin += t->width)
		at = pack_row(t->pixel_index + begin, t->width, bits, at);
	return at;
}

static uint8_t *put_plain_runs(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	*at++ = ZRLE_RLE;
	for (unsigned i = 0; i < t->run_count; i++) {
		at = put_cpixel(e, t->runs[i].colour, at);
		at = put_length(t->runs[i].length, at);
	}
	return at;
}

static uint8_t *put_palette_runs(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	*at++ = (uint8_t)(ZRLE_RLE + t->colours);
	at = put_palette(e, t, at);
	for (unsigned i = 0; i < t->run_count; i++) {
		const struct run *run = &t->runs[i];

		if (run->length == 1) {
			*at++ = (uint8_t)run->index;
			continue;
		}
		*at++ = (uint8_t)(run->index | 128);
		at = put_length(run->length, at);
	}
	return at;
}

struct way {
	unsigned bytes;
	uint8_t *(*put)(const struct rfb_encoder *, struct tile *, uint8_t *);
};

static void consider(struct way *best, unsigned bytes, __typeof__(best->put) put)
{
	if (bytes < best->bytes)
		*best = (struct way){bytes, put};
}

/* The smallest of raw pixels, runs of pixels and runs of a palette's colours. */
static uint8_t *put_smallest(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	struct way best = {t->count * e->cpixel_bytes, put_raw};

	find_runs(t);
	consider(&best, t->run_count * e->cpixel_bytes + t->length_bytes, put_plain_runs);
	if (t->colours <= PALETTE_MAX)
		consider(&best,
			 t->colours * e->cpixel_bytes + t->run_count + t->length_bytes -
				 t->single_runs,
			 put_palette_runs);
	if (t->colours <= PACKED_MAX)
		consider(&best, t->colours * e->cpixel_bytes + packed_bytes(t), put_packed);
	return best.put(e, t, at);
}

/*
 * One tile in the smallest way, never more than TILE_BYTES_MAX. Runs are found only where they
 * might pay: each takes at least a byte of a palette tile, and one more than a pixel of the others.
 */
static uint8_t *put_tile(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	unsigned runs = t->changes + 1;

	if (runs == 1) {
		*at++ = ZRLE_SOLID;
		return put_cpixel(e, t->pixels[0], at);
	}
	t->run_count = t->single_runs = t->length_bytes = t->colours = 0;
	memset(t->slot_index, 0, sizeof(t->slot_index));
	if (few_colours(t) && runs >= packed_bytes(t))
		return put_packed(e, t, at);
	if (t->colours > PACKED_MAX && runs * (e->cpixel_bytes + 1) >= t->count * e->cpixel_bytes)
		return put_raw(e, t, at);
	return put_smallest(e, t, at);
}

/* Headers of stored blocks are put in once the size is known: blocks are filled one after the
 * other. */
struct stream {
	uint8_t *block; /* header of the block in hand */
	uint8_t *at;
};

static void block_begin(struct stream *s)
{
	s->block = s->at;
	s->at += BLOCK_HEAD;
}

static void block_end(struct stream *s)
{
	uint16_t size = (uint16_t)(s->at - s->block - BLOCK_HEAD), inverse = (uint16_t)~size;

	s->block[0] = 0; /* not the last block; stored; the rest of the byte is unused */
	memcpy(s->block + 1, &size, 2);
	memcpy(s->block + 3, &inverse, 2);
}

static void put_tiles(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		      struct stream *s)
{
	__attribute__((uninitialized)) struct tile tile; /* 60 KiB, filled as far as it is used */

	block_begin(s);
	for (unsigned x = 0; x < r->w; x += FRAME_TILE_PX) {
		unsigned left = r->w - x;
		struct rfb_rect part = {(uint16_t)(r->x + x), r->y,
					(uint16_t)(left < FRAME_TILE_PX ? left : FRAME_TILE_PX),
					r->h};

		if (s->at - s->block - BLOCK_HEAD > BLOCK_MAX - TILE_BYTES_MAX) {
			block_end(s);
			block_begin(s);
		}
		tile_load(&tile, f, &part);
		s->at = put_tile(e, &tile, s->at);
	}
	block_end(s);
}

void rfb_encode_zrle(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		     struct writer *w)
{
	static const uint8_t zlib_header[] = {0x78,
					      0x01}; /* RFC 1950: deflate, 32 KiB window, fastest */
	struct writer length;
	struct stream s;
	size_t begin;

	if (w->failed || w->capacity - w->size < RFB_ENCODE_BYTES_MAX - 16) {
		w->failed = true;
		return;
	}
	writer_init(&length, w->data + w->size, 4);
	writer_be32(w, 0);
	begin = w->size;
	if (!e->zlib_begun)
		writer_bytes(w, zlib_header, sizeof(zlib_header));
	e->zlib_begun = true;
	s.at = w->data + w->size;
	put_tiles(e, f, r, &s);
	w->size = (size_t)(s.at - w->data);
	writer_be32(&length, (uint32_t)(w->size - begin));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZRLE, encoding (RFC 6143 7.7.6): run lengths and palettes in stored deflate blocks (RFC
 * 1951 3.2.4).
 *
 * On a local network run lengths pay and deflate does not: so the zlib stream that ZRLE wants holds
 * stored blocks only. A stored block ends on a byte boundary; each rectangle is therefore complete
 * for the client without a flush.
 */
#include <assert.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "wire/rfb/encode.h"

enum {
	TILE_PIXELS = FRAME_TILE_PX * FRAME_TILE_PX,
	TILE_BYTES_MAX = 1 + TILE_PIXELS * 4,
	PALETTE_MAX = 127, /* of run-length tiles */
	PACKED_MAX = 16,   /* of packed tiles */
	SLOTS = 512,       /* of the palette's hash table */
	BLOCK_MAX = 65535, /* bytes of a stored block */
	BLOCK_HEAD = 5,
	LENGTH_MORE = 255, /* a byte of a length with this value has another behind it */
	AHEAD_ROWS = 8,    /* fetched before they are looked at */
	AHEAD_PX = 16,     /* what one fetch brings: a cache line */
};

enum { ZRLE_RAW = 0, ZRLE_SOLID = 1, ZRLE_RLE = 128 };

_Static_assert(FRAME_TILE_PX == 64, "a bit for each pixel of a tile's row is one word");

/* One tile and what is known of it. A run: equal pixels, along the rows and across their ends. */
struct tile {
	const uint32_t *pixels; /* in the frame: the rows are @stride pixels apart */
	size_t stride;
	unsigned width, height, count;
	uint64_t begins[FRAME_TILE_PX]; /* bit x of a row's word: a run begins with its pixel x */
	unsigned run_count;

	/* find_runs */
	uint32_t run_colour[TILE_PIXELS];
	uint16_t run_begin[TILE_PIXELS + 1]; /* behind the last: the count of pixels */

	/* measure_runs */
	unsigned single_runs;  /* those of one pixel */
	unsigned length_bytes; /* that the lengths of all runs take */

	/* find_colours, two_colours */
	unsigned colours; /* more than PALETTE_MAX: there is no palette */
	uint32_t palette[PALETTE_MAX];
	uint32_t slot_colour[SLOTS];
	uint8_t slot_index[SLOTS];        /* index + 1; 0: free */
	uint8_t run_index[TILE_PIXELS];   /* each run's colour */
	uint8_t pixel_index[TILE_PIXELS]; /* each pixel's, of a packed tile */
};

static const uint32_t *row_of(const struct tile *t, unsigned y)
{
	return t->pixels + y * t->stride;
}

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

#ifdef __SSE2__
/* Bit i: whether pixel i of 16 is the one before it; line[-1] is there. */
static uint64_t equals_of(const uint32_t *line)
{
	__m128i four[4], low, high;

	for (int i = 0; i < 4; i++)
		four[i] = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i_u *)(line + 4 * i)),
					  _mm_loadu_si128((const __m128i_u *)(line + 4 * i - 1)));
	low = _mm_packs_epi32(four[0], four[1]);
	high = _mm_packs_epi32(four[2], four[3]);
	return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

/* Bit i: whether pixel i is not the one before it; line[-1] is there. */
static uint64_t changes_of(const uint32_t *line)
{
	return ~(equals_of(line) | equals_of(line + 16) << 16 | equals_of(line + 32) << 32 |
		 equals_of(line + 48) << 48);
}
#else
/* Eight flags, each 0 or 1, as a byte, the first as its low bit: each product lands on a bit of
 * its own, so that nothing carries. */
static uint8_t pack_eight(const uint8_t *flags)
{
	uint64_t eight;

	memcpy(&eight, flags, sizeof(eight));
	return (uint8_t)(eight * UINT64_C(0x0102040810204080) >> 56);
}

/* As above, for other processors. */
static uint64_t changes_of(const uint32_t *line)
{
	__attribute__((uninitialized)) uint8_t flags[FRAME_TILE_PX];
	uint64_t bits = 0;

	for (int i = 0; i < FRAME_TILE_PX; i++)
		flags[i] = line[i] != line[i - 1];
	for (unsigned i = 0; i < FRAME_TILE_PX; i += 8)
		bits |= (uint64_t)pack_eight(flags + i) << i;
	return bits;
}
#endif

/* As changes_of for a row that has no 64 pixels, or none before it. */
static uint64_t changes_of_copy(const uint32_t *row, unsigned width)
{
	__attribute__((uninitialized)) uint32_t line[1 + FRAME_TILE_PX];

	line[0] = row[0];
	memcpy(line + 1, row, width * sizeof(*row));
	for (unsigned i = width; i < FRAME_TILE_PX; i++)
		line[1 + i] = row[width - 1];
	return changes_of(line + 1);
}

/* Rows lie too far apart for the processor to guess which comes next. Behind a tile's last row
 * comes the first one of what is to its right: another tile, or at the frame's edge what nobody
 * needs. */
static void fetch_ahead(const struct tile *t, unsigned y)
{
	unsigned ahead = y + AHEAD_ROWS;
	const uint32_t *row;

	if (t->height <= AHEAD_ROWS)
		return;
	row = ahead < t->height ? row_of(t, ahead) : row_of(t, ahead - t->height) + t->width;
	for (unsigned x = 0; x < t->width; x += AHEAD_PX)
		__builtin_prefetch(row + x);
	__builtin_prefetch(row + t->width - 1); /* rows need not begin with a line */
}

/* The tile @r of @f, which lies where it is; only where its runs begin is found out here. */
static void tile_load(struct tile *t, const struct frame *f, const struct rfb_rect *r)
{
	t->pixels = frame_at(f, r->x, r->y);
	t->stride = f->width;
	t->width = r->w;
	t->height = r->h;
	t->count = (unsigned)r->w * r->h;
	t->run_count = 0;
	for (unsigned y = 0; y < r->h; y++) {
		const uint32_t *row = row_of(t, y);
		bool is_apart = r->w < FRAME_TILE_PX || row == f->pixels;
		/* What comes before a row of a tile is the end of the row above. */
		bool begins = y == 0 || row[0] != row_of(t, y - 1)[r->w - 1];
		uint64_t bits;

		fetch_ahead(t, y);
		bits = is_apart ? changes_of_copy(row, r->w) : changes_of(row);
		t->begins[y] = (bits & ~UINT64_C(1)) | begins;
		t->run_count += (unsigned)__builtin_popcountll(t->begins[y]);
	}
}

static unsigned run_length(const struct tile *t, unsigned run)
{
	return t->run_begin[run + 1] - t->run_begin[run];
}

/* The runs of row @y, behind @run of the rows above. Return: how many there are by then. */
static unsigned find_row_runs(struct tile *t, unsigned y, unsigned run)
{
	const uint32_t *row = row_of(t, y);

	for (uint64_t bits = t->begins[y]; bits != 0; bits &= bits - 1, run++) {
		unsigned x = (unsigned)__builtin_ctzll(bits);

		t->run_begin[run] = (uint16_t)(y * t->width + x);
		t->run_colour[run] = row[x];
	}
	return run;
}

/* The colours of runs @first to before @end, as long as all colours are few enough. */
static void find_colours(struct tile *t, unsigned first, unsigned end)
{
	for (unsigned run = first; run < end && t->colours <= PALETTE_MAX; run++)
		t->run_index[run] = (uint8_t)palette_place(t, t->run_colour[run]);
}

/*
 * The runs and their colours.
 * @colours_needed: without a palette no way of putting runs is the smallest
 * Return: whether all were found; false: it was given up, for there is no palette.
 */
static bool find_runs(struct tile *t, bool colours_needed)
{
	unsigned run = 0;

	t->colours = 0;
	memset(t->slot_index, 0, sizeof(t->slot_index));
	for (unsigned y = 0; y < t->height; y++) {
		unsigned above = run;

		run = find_row_runs(t, y, above);
		find_colours(t, above, run);
		if (colours_needed && t->colours > PALETTE_MAX)
			return false;
	}
	t->run_begin[run] = (uint16_t)t->count;
	return true;
}

/* What the lengths of all runs take. */
static void measure_runs(struct tile *t)
{
	unsigned single = 0, bytes = t->run_count;

	for (unsigned run = 0; run < t->run_count; run++) {
		uint16_t more = (uint16_t)(t->run_begin[run + 1] - t->run_begin[run] - 1);

		single += more == 0;
		bytes += more / LENGTH_MORE;
	}
	t->single_runs = single;
	t->length_bytes = bytes;
}

/* The colour of the second of at least two runs. */
static uint32_t second_colour(const struct tile *t)
{
	uint64_t bits = t->begins[0] & ~UINT64_C(1);
	unsigned y = 0;

	while (bits == 0)
		bits = t->begins[++y];
	return row_of(t, y)[__builtin_ctzll(bits)];
}

/* Text on a ground: two colours, found without a branch for each pixel, but with one for each row:
 * most tiles that have more show it soon. */
static bool two_colours(struct tile *t)
{
	uint32_t first = t->pixels[0], second = second_colour(t);

	for (unsigned y = 0; y < t->height; y++) {
		const uint32_t *row = row_of(t, y);
		uint32_t either = UINT32_MAX;

		for (unsigned x = 0; x < t->width; x++)
			either &= -(uint32_t)(row[x] == first) | -(uint32_t)(row[x] == second);
		if (either == 0)
			return false;
	}
	t->palette[0] = first;
	t->palette[1] = second;
	t->colours = 2;
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
	return t->height * ((t->width * packed_bits(t->colours) + 7) / 8);
}

/* Writes up to three bytes behind it, which the next write covers: RFB_ENCODE_BYTES_MAX has them.
 */
static uint8_t *put_cpixel(const struct rfb_encoder *e, uint32_t rgb, uint8_t *at)
{
	uint32_t pixel = e->plain ? rgb : rfb_encoder_pixel(e, rgb) >> (8 * e->cpixel_skip);

	memcpy(at, &pixel, sizeof(pixel));
	return at + e->cpixel_bytes;
}

static uint8_t *put_length(unsigned length, uint8_t *at)
{
	for (length--; length >= LENGTH_MORE; length -= LENGTH_MORE)
		*at++ = LENGTH_MORE;
	*at++ = (uint8_t)length;
	return at;
}

/* Eight plain pixels are three words. */
static void put_plain_eight(const uint32_t *p, uint8_t *at)
{
	uint64_t words[3] = {
		p[0] | (uint64_t)p[1] << 24 | (uint64_t)p[2] << 48,
		p[2] >> 16 | (uint64_t)p[3] << 8 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 56,
		p[5] >> 8 | (uint64_t)p[6] << 16 | (uint64_t)p[7] << 40,
	};

	memcpy(at, words, sizeof(words));
}

static uint8_t *put_plain_row(const uint32_t *row, unsigned width, uint8_t *at)
{
	unsigned x = 0;

	for (; x + 8 <= width; x += 8, at += 24)
		put_plain_eight(row + x, at);
	for (; x < width; x++, at += 3)
		memcpy(at, &row[x], 3);
	return at;
}

static uint8_t *put_raw(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	bool is_plain = e->plain && e->cpixel_bytes == 3;

	*at++ = ZRLE_RAW;
	for (unsigned y = 0; y < t->height; y++) {
		const uint32_t *row = row_of(t, y);

		if (is_plain) {
			at = put_plain_row(row, t->width, at);
			continue;
		}
		for (unsigned x = 0; x < t->width; x++)
			at = put_cpixel(e, row[x], at);
	}
	return at;
}

static uint8_t *put_palette(const struct rfb_encoder *e, const struct tile *t, uint8_t *at)
{
	for (unsigned i = 0; i < t->colours; i++)
		at = put_cpixel(e, t->palette[i], at);
	return at;
}

/* Indices of 1, 2 or 4 bits, from the high bit on; a row begins and ends with a byte. */
static uint8_t *pack_row(const uint8_t *index, unsigned width, unsigned bits, uint8_t *at)
{
	unsigned x = 0;

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

static uint8_t *put_packed_runs(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	unsigned bits = packed_bits(t->colours);

	for (unsigned run = 0; run < t->run_count; run++)
		memset(t->pixel_index + t->run_begin[run], t->run_index[run], run_length(t, run));
	*at++ = (uint8_t)t->colours;
	at = put_palette(e, t, at);
	for (unsigned begin = 0; begin < t->count; begin += t->width)
		at = pack_row(t->pixel_index + begin, t->width, bits, at);
	return at;
}

/* Bit by bit, whether the bits from the lowest to it are odd in number. */
static uint64_t parities(uint64_t bits)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* The bits of each byte in the opposite order. */
static uint64_t turn_bytes(uint64_t bits)
{
	bits = (bits >> 1 & UINT64_C(0x5555555555555555)) | (bits & UINT64_C(0x5555555555555555))
								    << 1;
	bits = (bits >> 2 & UINT64_C(0x3333333333333333)) | (bits & UINT64_C(0x3333333333333333))
								    << 2;
	return (bits >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (bits & UINT64_C(0x0f0f0f0f0f0f0f0f))
								    << 4;
}

/* Of two colours each run has the one that the run before it has not: what a packed tile says of a
 * pixel is the parity of the runs up to it. Writes up to seven bytes behind it, as put_cpixel does
 * three. */
static uint8_t *put_two_packed(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	uint64_t inside = UINT64_MAX >> (FRAME_TILE_PX - t->width), index = 0;

	*at++ = 2;
	at = put_palette(e, t, at);
	t->begins[0] ^= 1; /* the first run has the palette's first colour */
	for (unsigned y = 0; y < t->height; y++, at += (t->width + 7) / 8) {
		uint64_t carried = index >> 63 ? UINT64_MAX : 0, bytes;

		index = parities(t->begins[y]) ^ carried;
		bytes = turn_bytes(index & inside);
		memcpy(at, &bytes, sizeof(bytes));
	}
	return at;
}

static uint8_t *put_plain_runs(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	*at++ = ZRLE_RLE;
	for (unsigned run = 0; run < t->run_count; run++) {
		at = put_cpixel(e, t->run_colour[run], at);
		at = put_length(run_length(t, run), at);
	}
	return at;
}

static uint8_t *put_palette_runs(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	*at++ = (uint8_t)(ZRLE_RLE + t->colours);
	at = put_palette(e, t, at);
	for (unsigned run = 0; run < t->run_count; run++) {
		unsigned length = run_length(t, run);

		if (length == 1) {
			*at++ = t->run_index[run];
			continue;
		}
		*at++ = t->run_index[run] | 128;
		at = put_length(length, at);
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

/* The smallest of raw pixels, runs of pixels, runs of a palette's colours and packed indices. */
static uint8_t *put_smallest(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	struct way best = {t->count * e->cpixel_bytes, put_raw};

	if (!find_runs(t, t->run_count * (e->cpixel_bytes + 1) >= best.bytes))
		return put_raw(e, t, at);
	measure_runs(t);
	consider(&best, t->run_count * e->cpixel_bytes + t->length_bytes, put_plain_runs);
	if (t->colours <= PALETTE_MAX)
		consider(&best,
			 t->colours * e->cpixel_bytes + t->run_count + t->length_bytes -
				 t->single_runs,
			 put_palette_runs);
	if (t->colours <= PACKED_MAX)
		consider(&best, t->colours * e->cpixel_bytes + packed_bytes(t), put_packed_runs);
	return best.put(e, t, at);
}

/*
 * One tile in the smallest way, never more than TILE_BYTES_MAX. A run takes at least a byte: where
 * there are that many, nothing is smaller than bits.
 */
static uint8_t *put_tile(const struct rfb_encoder *e, struct tile *t, uint8_t *at)
{
	if (t->run_count == 1) {
		*at++ = ZRLE_SOLID;
		return put_cpixel(e, t->pixels[0], at);
	}
	t->colours = 2;
	if (t->run_count >= packed_bytes(t) && two_colours(t))
		return put_two_packed(e, t, at);
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

/* The tile of @r that begins @x to the right of it. */
static uint8_t *put_tile_at(const struct rfb_encoder *e, const struct frame *f,
			    const struct rfb_rect *r, unsigned x, struct tile *tile, uint8_t *at)
{
	unsigned left = r->w - x;
	struct rfb_rect part = {(uint16_t)(r->x + x), r->y,
				(uint16_t)(left < FRAME_TILE_PX ? left : FRAME_TILE_PX), r->h};

	tile_load(tile, f, &part);
	return put_tile(e, tile, at);
}

static void put_tiles(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		      struct stream *s)
{
	__attribute__((uninitialized)) struct tile tile; /* 36 KiB, filled as far as it is used */

	block_begin(s);
	for (unsigned x = 0; x < r->w; x += FRAME_TILE_PX) {
		if (s->at - s->block - BLOCK_HEAD > BLOCK_MAX - TILE_BYTES_MAX) {
			block_end(s);
			block_begin(s);
		}
		s->at = put_tile_at(e, f, r, x, &tile, s->at);
	}
	block_end(s);
}

void rfb_encode_tiles(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		      struct writer *w)
{
	__attribute__((uninitialized)) struct tile tile;
	uint8_t *at = w->data + w->size;

	assert(r->w <= RFB_ENCODE_WIDTH_MAX && r->h <= RFB_ENCODE_HEIGHT_MAX);
	if (w->failed || w->capacity - w->size < RFB_ENCODE_BYTES_MAX - 16) {
		w->failed = true;
		return;
	}
	for (unsigned x = 0; x < r->w; x += FRAME_TILE_PX)
		at = put_tile_at(e, f, r, x, &tile, at);
	w->size = (size_t)(at - w->data);
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

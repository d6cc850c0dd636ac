/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every encoding in every format, decoded again by a decoder written from the RFC alone (Z4). */
#include "unit.h"

#include <string.h>
#include <zlib.h>

#include "wire/rfb/encode.h"

enum { WIDTH = 1024, HEIGHT = 130 };

static uint32_t pixels[WIDTH * HEIGHT];
static struct frame frame;
static struct rfb_encoder encoder;
static uint8_t sent[RFB_ENCODE_BYTES_MAX + 64];
static struct writer out;
static z_stream inflater;
static uint8_t inflated[RFB_ENCODE_BYTES_MAX];

static int begin(void **state)
{
	memset(pixels, 0, sizeof(pixels));
	frame_init(&frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	rfb_encoder_init(&encoder);
	memset(&inflater, 0, sizeof(inflater));
	assert_int_equal(inflateInit(&inflater), Z_OK);
	return 0;
}

static int end(void **state)
{
	inflateEnd(&inflater);
	return 0;
}

/* What the client makes of it: for each pixel the bytes of its own format, as a number. */
static uint32_t decoded[WIDTH * HEIGHT];

static uint32_t take_pixel(struct reader *r, unsigned count)
{
	uint32_t value = 0;
	struct span s = reader_span(r, count);

	assert_int_equal(s.size, count);
	for (unsigned i = 0; i < count; i++)
		value |= (uint32_t)s.data[i] << (8 * i);
	return value;
}

/* A CPIXEL as the full pixel. */
static uint32_t take_cpixel(struct reader *r)
{
	return take_pixel(r, encoder.cpixel_bytes) << (8 * encoder.cpixel_skip);
}

static void set(unsigned x, unsigned y, uint32_t value)
{
	assert_true(x < WIDTH && y < HEIGHT);
	decoded[y * WIDTH + x] = value;
}

static void fill(struct rfb_rect t, uint32_t value)
{
	for (unsigned y = 0; y < t.h; y++)
		for (unsigned x = 0; x < t.w; x++)
			set(t.x + x, t.y + y, value);
}

static void decode_raw(struct reader *r, struct rfb_rect t, uint32_t (*take)(struct reader *))
{
	for (unsigned y = 0; y < t.h; y++)
		for (unsigned x = 0; x < t.w; x++)
			set(t.x + x, t.y + y, take(r));
}

static uint32_t take_full(struct reader *r)
{
	return take_pixel(r, encoder.pixel_bytes);
}

static void decode_hextile_tile(struct reader *r, struct rfb_rect t, uint32_t *background,
				uint32_t *foreground)
{
	uint8_t flags = reader_u8(r), count;

	if (flags & 1) {
		decode_raw(r, t, take_full);
		return;
	}
	if (flags & 2)
		*background = take_full(r);
	if (flags & 4)
		*foreground = take_full(r);
	fill(t, *background);
	count = flags & 8 ? reader_u8(r) : 0;
	while (count-- > 0) {
		uint32_t colour = flags & 16 ? take_full(r) : *foreground;
		uint8_t xy = reader_u8(r), wh = reader_u8(r);
		struct rfb_rect sub = {(uint16_t)(xy >> 4), xy & 15, (uint16_t)((wh >> 4) + 1),
				       (uint16_t)((wh & 15) + 1)};

		assert_true(sub.x + sub.w <= t.w && sub.y + sub.h <= t.h);
		sub.x = (uint16_t)(sub.x + t.x);
		sub.y = (uint16_t)(sub.y + t.y);
		fill(sub, colour);
	}
}

static uint16_t least(unsigned a, unsigned b)
{
	return (uint16_t)(a < b ? a : b);
}

static void decode_hextile(struct reader *r, struct rfb_rect rect)
{
	uint32_t background = 0xdead, foreground = 0xdead;

	for (unsigned y = 0; y < rect.h; y += 16)
		for (unsigned x = 0; x < rect.w; x += 16)
			decode_hextile_tile(
				r,
				(struct rfb_rect){(uint16_t)(rect.x + x), (uint16_t)(rect.y + y),
						  least(16, rect.w - x), least(16, rect.h - y)},
				&background, &foreground);
}

static unsigned take_length(struct reader *r)
{
	unsigned length = 1;
	uint8_t byte;

	do {
		byte = reader_u8(r);
		length += byte;
	} while (byte == 255);
	return length;
}

static void decode_runs(struct reader *r, struct rfb_rect t, const uint32_t *palette,
			unsigned colours)
{
	unsigned total = (unsigned)t.w * t.h, i = 0;

	while (i < total) {
		unsigned length = 1;
		uint32_t value;

		if (colours == 0) {
			value = take_cpixel(r);
			length = take_length(r);
		} else {
			uint8_t index = reader_u8(r);

			assert_true((index & 127U) < colours);
			value = palette[index & 127];
			if (index & 128)
				length = take_length(r);
		}
		assert_true(length <= total - i);
		for (; length > 0; length--, i++)
			set(t.x + i % t.w, t.y + i / t.w, value);
	}
}

static void decode_packed(struct reader *r, struct rfb_rect t, const uint32_t *palette,
			  unsigned colours)
{
	unsigned bits = colours == 2 ? 1 : colours <= 4 ? 2 : 4;

	for (unsigned y = 0; y < t.h; y++) {
		unsigned held = 0, byte = 0;

		for (unsigned x = 0; x < t.w; x++) {
			if (held == 0) {
				byte = reader_u8(r);
				held = 8;
			}
			held -= bits;
			assert_true((byte >> held & ((1U << bits) - 1)) < colours);
			set(t.x + x, t.y + y, palette[byte >> held & ((1U << bits) - 1)]);
		}
	}
}

static void decode_zrle_tile(struct reader *r, struct rfb_rect t)
{
	uint8_t kind = reader_u8(r);
	uint32_t palette[128];
	unsigned colours = kind & 127;

	if (kind == 0) {
		decode_raw(r, t, take_cpixel);
		return;
	}
	for (unsigned i = 0; i < colours; i++)
		palette[i] = take_cpixel(r);
	if (kind == 1)
		fill(t, palette[0]);
	else if (kind <= 16)
		decode_packed(r, t, palette, colours);
	else if (kind == 128 || kind >= 130)
		decode_runs(r, t, palette, colours);
	else
		fail_msg("unused ZRLE tile type %u", kind);
}

static void decode_zrle(struct reader *r, struct rfb_rect rect)
{
	uint32_t length = reader_be32(r);
	struct span body = reader_span(r, length);
	struct reader tiles;

	assert_int_equal(body.size, length);
	inflater.next_in = (uint8_t *)(uintptr_t)body.data;
	inflater.avail_in = length;
	inflater.next_out = inflated;
	inflater.avail_out = sizeof(inflated);
	assert_int_equal(inflate(&inflater, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(inflater.avail_in, 0);
	reader_init(&tiles, inflated, sizeof(inflated) - inflater.avail_out);
	for (unsigned x = 0; x < rect.w; x += 64)
		decode_zrle_tile(&tiles, (struct rfb_rect){(uint16_t)(rect.x + x), rect.y,
							   least(64, rect.w - x), rect.h});
	assert_false(tiles.failed);
	assert_int_equal(reader_left(&tiles), 0);
}

/* The value that a client of this format should see, computed from the definition. */
static uint32_t expected(uint32_t rgb)
{
	const struct rfb_format *f = &encoder.format;
	uint32_t v = (((rgb >> 16 & 255) * f->red_max + 127) / 255) << f->red_shift |
		     (((rgb >> 8 & 255) * f->green_max + 127) / 255) << f->green_shift |
		     (((rgb & 255) * f->blue_max + 127) / 255) << f->blue_shift;
	uint32_t swapped = 0;

	if (!f->big_endian)
		return v;
	for (unsigned i = 0; i < encoder.pixel_bytes; i++)
		swapped |= (v >> (8 * i) & 255) << (8 * (encoder.pixel_bytes - 1 - i));
	return swapped;
}

static void check_rect(struct rfb_rect rect, enum rfb_encoding encoding)
{
	struct reader r;

	memset(decoded, 0xff, sizeof(decoded));
	writer_init(&out, sent, sizeof(sent));
	rfb_encode_rect(&encoder, &frame, &rect, encoding, &out);
	assert_false(out.failed);
	assert_true(out.size <= RFB_ENCODE_BYTES_MAX);
	reader_init(&r, sent, out.size);
	assert_int_equal(reader_be16(&r), rect.x);
	assert_int_equal(reader_be16(&r), rect.y);
	assert_int_equal(reader_be16(&r), rect.w);
	assert_int_equal(reader_be16(&r), rect.h);
	assert_int_equal(reader_be32(&r), encoding);
	if (encoding == RFB_ZRLE)
		decode_zrle(&r, rect);
	else if (encoding == RFB_HEXTILE)
		decode_hextile(&r, rect);
	else
		decode_raw(&r, rect, take_full);
	assert_false(r.failed);
	assert_int_equal(reader_left(&r), 0);
	for (unsigned y = 0; y < rect.h; y++)
		for (unsigned x = 0; x < rect.w; x++)
			assert_int_equal(decoded[(rect.y + y) * WIDTH + rect.x + x],
					 expected(*frame_at(&frame, rect.x + x, rect.y + y)));
}

static const struct rfb_format formats[] = {
	{32, 24, false, true, 255, 255, 255, 16, 8, 0},
	{32, 24, true, true, 255, 255, 255, 16, 8, 0},
	{32, 24, false, true, 255, 255, 255, 0, 8, 16},
	{32, 24, false, true, 255, 255, 255, 24, 16, 8},
	{32, 24, true, true, 255, 255, 255, 24, 16, 8},
	{32, 30, false, true, 1023, 1023, 1023, 20, 10, 0},
	{16, 16, false, true, 31, 63, 31, 11, 5, 0},
	{16, 16, true, true, 31, 63, 31, 11, 5, 0},
	{16, 15, false, true, 31, 31, 31, 10, 5, 0},
	{8, 8, false, true, 7, 7, 3, 0, 3, 6},
	{8, 8, true, false, 0, 0, 0, 0, 0, 0},
};

static void check_everything(void)
{
	static const struct rfb_rect rects[] = {{0, 0, 1024, 64},  {64, 64, 64, 64},
						{960, 128, 64, 2}, {1023, 129, 1, 1},
						{3, 5, 37, 41},    {128, 0, 130, 17}};
	static const enum rfb_encoding encodings[] = {RFB_RAW, RFB_HEXTILE, RFB_ZRLE};

	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		rfb_encoder_format(&encoder, &formats[f]); /* the zlib stream goes on */
		for (size_t i = 0; i < sizeof(rects) / sizeof(rects[0]) * 3; i++)
			check_rect(rects[i / 3], encodings[i % 3]);
	}
}

static uint32_t seed = 1;

static uint32_t noise(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void test_rfb_encode_noise_is_decoded_to_the_same_pixels(void **state)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = noise() & FRAME_PIXEL_MASK;
	check_everything();
}

static void test_rfb_encode_one_colour_takes_a_few_bytes(void **state)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = 0x336699;
	check_everything();
	check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_ZRLE);
	assert_true(out.size < 12 + 4 + 2 + 5 + 16 * 5);
	check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_HEXTILE);
	assert_true(out.size <= 12 + 256 * 5);
}

static void test_rfb_encode_gradients_and_long_runs_are_decoded_to_the_same_pixels(void **state)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = (i / WIDTH) * 0x010203;
	check_everything();
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = (i % WIDTH) / 4 * 0x010101;
	check_everything();
}

/* Palettes of every size around the limits of each kind of tile, with runs of every length. */
static void test_rfb_encode_palettes_of_every_size_are_decoded_to_the_same_pixels(void **state)
{
	static const unsigned sizes[] = {2, 3, 4, 5, 8, 15, 16, 17, 64, 126, 127, 128, 129, 200};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (unsigned run = 1; run < 600; run = run * 3 + 1) {
			for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
				pixels[i] = (noise() % run == 0 || i == 0)
						    ? noise() % sizes[s] * 0x030507 & 0xffffff
						    : pixels[i - 1];
			check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_ZRLE);
			check_rect((struct rfb_rect){5, 0, 99, 63}, RFB_ZRLE);
			check_rect((struct rfb_rect){0, 0, 333, 64}, RFB_HEXTILE);
		}
	}
}

static void test_rfb_encode_two_colours_are_smaller_than_raw(void **state)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = noise() % 2 ? 0xffffff : 0;
	check_everything();
	rfb_encoder_format(&encoder, &rfb_format_gateway);
	check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_ZRLE);
	assert_true(out.size < 1024 * 64 / 8 + 16 * 16 + 32);
}

/* Where a tile has too many colours for a palette its runs may pay, and the other way round. */
static void test_rfb_encode_runs_and_palettes_are_each_tried_without_the_other(void **state)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = i / 4 * 0x01010d & FRAME_PIXEL_MASK;
	check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_ZRLE);
	assert_true(out.size < 1024 * 64 + 16 + 32); /* a colour and a length for four pixels */
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = (i % 100) * 0x030507 & FRAME_PIXEL_MASK;
	check_rect((struct rfb_rect){0, 0, 1024, 64}, RFB_ZRLE);
	assert_true(out.size < 1024 * 64 + 16 * (1 + 100 * 3) + 32); /* an index for each pixel */
}

static void test_rfb_encode_cursor_carries_shape_and_mask_only(void **state)
{
	static const uint32_t shape[9] = {0xff112233, 0, 0xff445566, 0, 0, 0, 0, 0, 0xff778899};
	const struct rfb_rect at = {1, 2, 3, 3};

	writer_init(&out, sent, sizeof(sent));
	rfb_encode_cursor(&encoder, &at, shape, &out);
	assert_int_equal(out.size, 12 + 36 + 3);
	assert_memory_equal(sent, "\0\1\0\2\0\3\0\3\xff\xff\xff\x11", 12);
	assert_memory_equal(sent + 12, "\x33\x22\x11\0\0\0\0\0\x66\x55\x44\0", 12);
	assert_memory_equal(sent + 48, "\xa0\0\x20", 3);
}

static void test_rfb_encode_sizes_and_colour_map_have_their_lengths(void **state)
{
	writer_init(&out, sent, sizeof(sent));
	rfb_encode_size(&out, 800, 600, false);
	assert_int_equal(out.size, 12);
	rfb_encode_size(&out, 800, 600, true);
	assert_int_equal(out.size, 12 + 12 + 20);
	assert_memory_equal(
		sent + 12,
		"\0\0\0\0\3\x20\2\x58\xff\xff\xfe\xcc\1\0\0\0\0\0\0\0\0\0\0\0\3\x20\2\x58\0\0\0\0",
		32);
	writer_init(&out, sent, sizeof(sent));
	rfb_encode_colour_map(&out);
	assert_int_equal(out.size, RFB_COLOUR_MAP_BYTES);
	assert_memory_equal(sent + RFB_COLOUR_MAP_BYTES - 6, "\xff\xff\xff\xff\xff\xff", 6);
}

static void test_rfb_encode_fails_where_there_is_no_room(void **state)
{
	const struct rfb_rect r = {0, 0, 64, 64};

	writer_init(&out, sent, 1000);
	rfb_encode_rect(&encoder, &frame, &r, RFB_RAW, &out);
	assert_true(out.failed);
	writer_init(&out, sent, 1000);
	rfb_encode_rect(&encoder, &frame, &r, RFB_ZRLE, &out);
	assert_true(out.failed);
	assert_true(out.size <= 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfb_encode_noise_is_decoded_to_the_same_pixels),
		TEST(test_rfb_encode_one_colour_takes_a_few_bytes),
		TEST(test_rfb_encode_gradients_and_long_runs_are_decoded_to_the_same_pixels),
		TEST(test_rfb_encode_palettes_of_every_size_are_decoded_to_the_same_pixels),
		TEST(test_rfb_encode_two_colours_are_smaller_than_raw),
		TEST(test_rfb_encode_runs_and_palettes_are_each_tried_without_the_other),
		TEST(test_rfb_encode_cursor_carries_shape_and_mask_only),
		TEST(test_rfb_encode_sizes_and_colour_map_have_their_lengths),
		TEST(test_rfb_encode_fails_where_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

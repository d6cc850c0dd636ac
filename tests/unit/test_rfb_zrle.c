/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TRLE and ZRLE as desktops may send them (RFC 6143 7.7.5, 7.7.6), and every way to lie in them
 * (Z4, Z5). */
#include "unit.h"

#include <string.h>
#include <zlib.h>

#include "base/err.h"
#include "rfb_fixture.h"
#include "wire/rfb/encode.h"
#include "wire/rfb/inflate.h"

enum { WIDTH = 140, HEIGHT = 130, X = 3, Y = 5 };

static uint32_t pixels[WIDTH * HEIGHT];
static struct frame frame;
static struct rfb_server_parser parser;
static struct rfb_inflate inflater;
static z_stream deflater;

static int begin(void **state)
{
	memset(pixels, 0, sizeof(pixels));
	frame_init(&frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	assert_int_equal(rfb_inflate_init(&inflater), 0);
	rfb_server_init(&parser, &frame, &inflater);
	memset(&deflater, 0, sizeof(deflater));
	assert_int_equal(deflateInit(&deflater, 9), Z_OK);
	return 0;
}

static int end(void **state)
{
	(void)deflateEnd(&deflater); /* Z_DATA_ERROR where a stream was left open, as here */
	return 0;
}

/* The tiles of a rectangle under construction, and the message that carries them. */
static uint8_t tile_bytes[100000], message_bytes[200000];
static struct writer tiles, out;

static void cpixel(uint32_t rgb)
{
	writer_bytes(&tiles, &rgb, 3);
}

static void tiles_begin(void)
{
	writer_init(&tiles, tile_bytes, sizeof(tile_bytes));
}

static void header(unsigned w, unsigned h, int encoding)
{
	writer_init(&out, message_bytes, sizeof(message_bytes));
	writer_be32(&out, 1); /* an update of one rectangle */
	writer_be16(&out, X);
	writer_be16(&out, Y);
	writer_be16(&out, (uint16_t)w);
	writer_be16(&out, (uint16_t)h);
	writer_be32(&out, (uint32_t)encoding);
}

static size_t deflated(uint8_t *to, size_t room, int flush)
{
	deflater.next_in = tiles.data;
	deflater.avail_in = (uInt)tiles.size;
	deflater.next_out = to;
	deflater.avail_out = (uInt)room;
	assert_true(deflate(&deflater, flush) >= Z_OK);
	assert_int_equal(deflater.avail_in, 0);
	return room - deflater.avail_out;
}

/* The message around what is in `tiles`. */
static void message(unsigned w, unsigned h, int encoding)
{
	size_t bytes;

	header(w, h, encoding);
	if (encoding == RFB_TRLE) {
		writer_bytes(&out, tiles.data, tiles.size);
		return;
	}
	bytes = deflated(out.data + out.size + 4, out.capacity - out.size - 4, Z_SYNC_FLUSH);
	writer_be32(&out, (uint32_t)bytes);
	out.size += bytes;
}

/* Feed the message in pieces; the last event but MORE, or an error. */
static int feed(size_t piece)
{
	size_t taken = 0;
	int last = rfb_feed(&parser, (struct span){message_bytes, out.size}, piece, &taken);

	if (last >= 0)
		assert_int_equal(taken, out.size);
	return last;
}

static uint32_t at(unsigned x, unsigned y)
{
	return *frame_at(&frame, X + x, Y + y);
}

/* One tile of w x h of each kind in turn, and what its pixels are. */

static void raw_tile(unsigned w, unsigned h)
{
	writer_u8(&tiles, 0);
	for (unsigned i = 0; i < w * h; i++)
		cpixel(0x010203 + i);
}

static void packed_tile(unsigned w, unsigned h, unsigned colours)
{
	unsigned bits = colours <= 2 ? 1 : colours <= 4 ? 2 : 4;

	writer_u8(&tiles, (uint8_t)colours);
	for (unsigned i = 0; i < colours; i++)
		cpixel(0x0a0b00 + i);
	for (unsigned y = 0; y < h; y++) {
		for (unsigned x = 0; x < w; x += 8 / bits) {
			unsigned byte = 0;

			for (unsigned i = 0; i < 8 / bits && x + i < w; i++)
				byte |= (x + i + y) % colours << (8 - bits * (i + 1));
			writer_u8(&tiles, (uint8_t)byte);
		}
	}
}

static void put_length(unsigned length)
{
	for (length--; length >= 255; length -= 255)
		writer_u8(&tiles, 255);
	writer_u8(&tiles, (uint8_t)length);
}

/* Runs of 1, 2, 3... pixels, the last one cut by the tile's end; of pixels, or of @colours. */
static void run_tile(unsigned w, unsigned h, unsigned colours)
{
	unsigned left = w * h;

	writer_u8(&tiles, (uint8_t)(128 + colours));
	for (unsigned i = 0; i < colours; i++)
		cpixel(0x0c0d00 + i);
	for (unsigned length = 1; left > 0; length++) {
		unsigned n = length < left ? length : left;

		if (colours == 0) {
			cpixel(0x0e0000 + length);
			put_length(n);
		} else if (n == 1) {
			writer_u8(&tiles, (uint8_t)(length % colours));
		} else {
			writer_u8(&tiles, (uint8_t)(128 + length % colours));
			put_length(n);
		}
		left -= n;
	}
}

static void check_runs(unsigned w, unsigned h, unsigned colours)
{
	unsigned i = 0;

	for (unsigned length = 1; i < w * h; length++)
		for (unsigned n = 0; n < length && i < w * h; n++, i++)
			assert_int_equal(at(i % w, i / w), colours == 0
								   ? 0x0e0000 + length
								   : 0x0c0d00 + length % colours);
}

static const int both[] = {RFB_TRLE, RFB_ZRLE};

static void test_rfb_zrle_draws_raw_and_solid_tiles(void **state)
{
	for (size_t i = 0; i < 2 * 40; i++) {
		end(state);
		begin(state);
		tiles_begin();
		raw_tile(13, 11);
		message(13, 11, both[i % 2]);
		assert_int_equal(feed(1 + i), RFB_SERVER_END);
		assert_int_equal(at(0, 0), 0x010203);
		assert_int_equal(at(12, 10), 0x010203 + 142);
		assert_int_equal(at(13, 10), 0);
		tiles_begin();
		writer_u8(&tiles, 1);
		cpixel(0xfedcba);
		message(13, 11, both[i % 2]);
		assert_int_equal(feed(1 + i), RFB_SERVER_END);
		assert_int_equal(at(0, 0), 0xfedcba);
		assert_int_equal(at(12, 10), 0xfedcba);
		assert_int_equal(at(0, 11), 0);
	}
}

static void test_rfb_zrle_draws_packed_tiles_of_every_palette(void **state)
{
	for (unsigned colours = 2; colours <= 16; colours++) {
		for (size_t i = 0; i < 2; i++) {
			tiles_begin();
			packed_tile(15, 9, colours);
			message(15, 9, both[i]);
			assert_int_equal(feed(7), RFB_SERVER_END);
			for (unsigned y = 0; y < 9; y++)
				for (unsigned x = 0; x < 15; x++)
					assert_int_equal(at(x, y), 0x0a0b00 + (x + y) % colours);
		}
	}
}

static void test_rfb_zrle_draws_runs_of_pixels_and_palettes(void **state)
{
	static const unsigned colours[] = {0, 2, 3, 17, 127};

	for (size_t i = 0; i < 2 * sizeof(colours) / sizeof(colours[0]); i++) {
		tiles_begin();
		run_tile(16, 14, colours[i / 2]);
		message(16, 14, both[i % 2]);
		assert_int_equal(feed(5), RFB_SERVER_END);
		check_runs(16, 14, colours[i / 2]);
	}
	tiles_begin(); /* runs of more than 255 pixels */
	run_tile(64, 64, 0);
	message(64, 64, RFB_ZRLE);
	assert_int_equal(feed(9), RFB_SERVER_END);
	check_runs(64, 64, 0);
	tiles_begin();
	writer_u8(&tiles, 128);
	cpixel(0x123456);
	put_length(64 * 64);
	message(64, 64, RFB_ZRLE);
	assert_int_equal(feed(1), RFB_SERVER_END);
	assert_int_equal(at(63, 63), 0x123456);
}

static void test_rfb_trle_uses_a_palette_again(void **state)
{
	tiles_begin();
	packed_tile(16, 8, 2);
	writer_u8(&tiles, 127); /* the same palette, packed */
	for (unsigned i = 0; i < 16; i++)
		writer_u8(&tiles, 0x0f);
	writer_u8(&tiles, 1); /* a tile without a palette between */
	cpixel(7);
	writer_u8(&tiles, 129); /* the same palette, runs */
	writer_u8(&tiles, 128 + 1);
	put_length(8 * 8);
	message(56, 8, RFB_TRLE);
	assert_int_equal(feed(3), RFB_SERVER_END);
	assert_int_equal(at(16, 0), 0x0a0b00);
	assert_int_equal(at(20, 0), 0x0a0b01);
	assert_int_equal(at(40, 7), 7);
	assert_int_equal(at(55, 7), 0x0a0b01);
}

static void test_rfb_zrle_is_one_stream_over_all_rectangles(void **state)
{
	for (size_t piece = 1; piece < 3000; piece = piece * 3 + 1) {
		end(state);
		begin(state);
		for (unsigned round = 0; round < 3; round++) {
			tiles_begin(); /* tiles of 64 x 64, 6 x 64, 64 x 3 and 6 x 3 */
			raw_tile(64, 64);
			run_tile(6, 64, 3);
			packed_tile(64, 3, 5);
			writer_u8(&tiles, 1);
			cpixel(0x777700 + round);
			message(70, 67, RFB_ZRLE);
			assert_int_equal(feed(piece), RFB_SERVER_END);
			assert_int_equal(at(63, 63), 0x010203 + 4095);
			assert_int_equal(at(64, 0), 0x0c0d01);
			assert_int_equal(at(1, 64), 0x0a0b01);
			assert_int_equal(at(69, 66), 0x777700 + round);
		}
	}
}

static void test_rfb_zrle_takes_empty_rectangles(void **state)
{
	tiles_begin();
	for (size_t i = 0; i < 2; i++) {
		message(0, 9, both[i]);
		assert_int_equal(feed(1), RFB_SERVER_END);
	}
}

/* A tile of 16 x 16 that is wrong. */
static const struct bad {
	const char *bytes;
	size_t size;
	const char *fault;
} bad_tiles[] = {
	{"\x11", 60, "tile-subencoding"},
	{"\x7e", 60, "tile-subencoding"},
	{"\x80\1\2\3\xff\x01", 6, "run-overrun"},         /* 257 pixels */
	{"\x80\1\2\3\xff\xff\xff\xff", 8, "run-overrun"}, /* a length without an end */
	{"\x80\1\2\3\xfe\4\5\6\x01", 9, "run-overrun"},   /* 255 and 2 */
	{"\x82\1\2\3\4\5\6\x80\xff\x01", 10, "run-overrun"},
	{"\x82\1\2\3\4\5\6\x82\xff", 10, "palette-index"},
	{"\x82\1\2\3\4\5\6\x02\x80\xfe", 10, "palette-index"},
	{"\x03\1\2\3\4\5\6\7\x08\x09\xff", 60 + 4 * 16, "palette-index"},
	{"\x05\1\2\3\4\5\6\7\x08\x09\1\2\3\4\5\6\x50", 16 + 8 * 16, "palette-index"},
};

static void test_rfb_zrle_refuses_tiles_that_are_wrong(void **state)
{
	for (size_t i = 0; i < 2 * sizeof(bad_tiles) / sizeof(bad_tiles[0]); i++) {
		const struct bad *bad = &bad_tiles[i / 2];

		end(state);
		begin(state);
		tiles_begin();
		writer_bytes(&tiles, bad->bytes, strlen(bad->bytes));
		while (tiles.size < bad->size)
			writer_u8(&tiles, 0xff);
		message(16, 16, both[i % 2]);
		assert_int_equal(feed(1 + i), -ERR_RANGE);
		assert_string_equal(parser.fault, bad->fault);
		for (unsigned k = 0; k < WIDTH * HEIGHT; k++)
			assert_int_equal(pixels[k], 0);
	}
}

static void test_rfb_zrle_refuses_a_palette_that_is_not_there(void **state)
{
	static const struct {
		uint8_t kind;
		int encoding;
		const char *fault;
	} bad[] = {{127, RFB_ZRLE, "tile-subencoding"},
		   {129, RFB_ZRLE, "tile-subencoding"},
		   {127, RFB_TRLE, "palette-reuse"},
		   {129, RFB_TRLE, "palette-reuse"}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		end(state);
		begin(state);
		tiles_begin(); /* one with a palette, in a rectangle of its own: not carried over */
		packed_tile(16, 16, 2);
		message(16, 16, bad[i].encoding);
		assert_int_equal(feed(100), RFB_SERVER_END);
		tiles_begin();
		writer_u8(&tiles, bad[i].kind);
		for (unsigned k = 0; k < 32; k++)
			writer_u8(&tiles, 0);
		message(16, 16, bad[i].encoding);
		assert_int_equal(feed(100), -ERR_RANGE);
		assert_string_equal(parser.fault, bad[i].fault);
	}
	end(state);
	begin(state);
	tiles_begin(); /* too many colours to be packed */
	run_tile(16, 16, 17);
	writer_u8(&tiles, 127);
	for (unsigned k = 0; k < 128; k++)
		writer_u8(&tiles, 0);
	message(32, 16, RFB_TRLE);
	assert_int_equal(feed(100), -ERR_RANGE);
	assert_string_equal(parser.fault, "palette-reuse");
}

static void test_rfb_zrle_refuses_data_that_are_not_exactly_the_tiles(void **state)
{
	tiles_begin();
	raw_tile(16, 15);
	message(16, 16, RFB_ZRLE);
	assert_int_equal(feed(64), -ERR_RANGE);
	assert_string_equal(parser.fault, "zrle-too-short");
	end(state);
	begin(state);
	tiles_begin();
	raw_tile(16, 16);
	writer_u8(&tiles, 0); /* the first byte of a tile that is not there */
	message(16, 16, RFB_ZRLE);
	assert_int_equal(feed(64), -ERR_RANGE);
	assert_string_equal(parser.fault, "zrle-too-long");
	end(state);
	begin(state);
	header(16, 16, RFB_ZRLE);
	writer_be32(&out, 16 * 16 * 4 + RFB_ZRLE_EXTRA + 1);
	assert_int_equal(feed(64), -ERR_TOO_LONG);
	assert_string_equal(parser.fault, "zrle-length");
}

/* A bomb: far more than the tiles comes of few bytes. It ends at the first byte too much. */
static void test_rfb_zrle_refuses_more_than_the_tiles_at_once(void **state)
{
	static uint8_t bomb[70000];

	tiles_begin();
	writer_u8(&tiles, 1);
	cpixel(1);
	for (unsigned i = 0; i < 90000; i++)
		writer_u8(&tiles, 0);
	header(16, 16, RFB_ZRLE);
	writer_be32(&out, (uint32_t)deflated(bomb, sizeof(bomb), Z_SYNC_FLUSH));
	writer_bytes(&out, bomb, 400);
	assert_int_equal(feed(100), -ERR_RANGE);
	assert_string_equal(parser.fault, "zrle-too-long");
	assert_true(inflater.memory_used <= sizeof(inflater.memory));
}

static void test_rfb_zrle_refuses_streams_that_are_broken(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = {
		{"\x78\x02", 2},                     /* header's check */
		{"\x88\x1c", 2},                     /* a window of 64 KiB */
		{"\x78\xbb\0\0\0\1", 6},             /* a dictionary that nobody has */
		{"\x78\x01\x06", 3},                 /* a block type without a meaning */
		{"\x78\x01\x00\x01\x00\x00\x00", 7}, /* lengths that do not agree */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		end(state);
		begin(state);
		header(16, 16, RFB_ZRLE);
		writer_be32(&out, 100);
		writer_bytes(&out, bad[i].bytes, bad[i].size);
		while (out.size < 220)
			writer_u8(&out, 0);
		assert_int_equal(feed(1), -ERR_SYNTAX);
		assert_string_equal(parser.fault, "zlib-stream");
	}
}

static void test_rfb_zrle_refuses_a_stream_that_ends(void **state)
{
	uint8_t body[200];
	size_t bytes;

	tiles_begin();
	writer_u8(&tiles, 1);
	cpixel(0x010101);
	bytes = deflated(body, sizeof(body), Z_FINISH);
	for (size_t piece = 1; piece < 100; piece += 49) {
		end(state);
		begin(state);
		header(16, 16, RFB_ZRLE);
		writer_be32(&out, (uint32_t)bytes);
		writer_bytes(&out, body, bytes);
		assert_int_equal(feed(piece), -ERR_SYNTAX);
	}
}

/* What our own encoder writes, on pictures of few and of many colours. */
static void test_rfb_zrle_reads_what_the_encoder_writes(void **state)
{
	static uint32_t shown[WIDTH * HEIGHT];
	static uint8_t sent[RFB_ENCODE_BYTES_MAX];
	struct rfb_rect strip = {0, 0, WIDTH, 64};
	struct rfb_encoder encoder;
	struct frame f;

	frame_init(&f, shown, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&f, WIDTH, HEIGHT), 0);
	rfb_encoder_init(&encoder);
	for (uint32_t round = 0, seed = 1; round < 200; round++) {
		struct writer w;
		struct reader r;

		for (unsigned i = 0; i < WIDTH * 64; i++) {
			seed = seed * 1664525 + 1013904223;
			if ((seed >> 24) % (1 + round % 7) == 0)
				shown[i] = (seed >> 8 & 0xff) % (1 + round) * 0x010309 & 0xffffff;
			else if (i > 0)
				shown[i] = shown[i - 1];
		}
		writer_init(&w, sent, sizeof(sent));
		rfb_encode_update(&w, 1);
		rfb_encode_rect(&encoder, &f, &strip, RFB_ZRLE, &w);
		reader_init(&r, sent, w.size);
		assert_int_equal(rfb_server_next(&parser, &r), RFB_SERVER_END);
		assert_memory_equal(pixels, shown, WIDTH * 64 * sizeof(*pixels));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfb_zrle_draws_raw_and_solid_tiles),
		TEST(test_rfb_zrle_draws_packed_tiles_of_every_palette),
		TEST(test_rfb_zrle_draws_runs_of_pixels_and_palettes),
		TEST(test_rfb_trle_uses_a_palette_again),
		TEST(test_rfb_zrle_is_one_stream_over_all_rectangles),
		TEST(test_rfb_zrle_takes_empty_rectangles),
		TEST(test_rfb_zrle_refuses_tiles_that_are_wrong),
		TEST(test_rfb_zrle_refuses_a_palette_that_is_not_there),
		TEST(test_rfb_zrle_refuses_data_that_are_not_exactly_the_tiles),
		TEST(test_rfb_zrle_refuses_more_than_the_tiles_at_once),
		TEST(test_rfb_zrle_refuses_streams_that_are_broken),
		TEST(test_rfb_zrle_refuses_a_stream_that_ends),
		TEST(test_rfb_zrle_reads_what_the_encoder_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

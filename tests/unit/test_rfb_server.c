/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What desktops may send, what of it becomes pixels, and every way to lie about sizes (Z4, Z5). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "rfb_fixture.h"

enum { WIDTH = 80, HEIGHT = 70, CAPACITY = 160 * 100 };

static uint32_t pixels[CAPACITY];
static struct frame frame;
static struct rfb_server_parser parser;

static int begin(void **state)
{
	memset(pixels, 0, sizeof(pixels));
	frame_init(&frame, pixels, CAPACITY);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	memset(&frame.dirty, 0, sizeof(frame.dirty));
	rfb_server_init(&parser, &frame, NULL);
	return 0;
}

/* A message under construction. */
static uint8_t bytes[200000];
static struct writer out;

static void message(unsigned rects)
{
	writer_init(&out, bytes, sizeof(bytes));
	writer_u8(&out, RFB_UPDATE);
	writer_u8(&out, 0xca); /* padding with something in it */
	writer_be16(&out, (uint16_t)rects);
}

static void rect(unsigned x, unsigned y, unsigned w, unsigned h, int encoding)
{
	writer_be16(&out, (uint16_t)x);
	writer_be16(&out, (uint16_t)y);
	writer_be16(&out, (uint16_t)w);
	writer_be16(&out, (uint16_t)h);
	writer_be32(&out, (uint32_t)encoding);
}

/* A pixel as it was asked for, with a canary in the byte that means nothing. */
static void pixel(uint32_t rgb)
{
	rgb |= 0xca000000;
	writer_bytes(&out, &rgb, 4);
}

/* Feed the message in pieces. The last event, or an error. */
static int feed(size_t piece)
{
	size_t taken = 0;

	return rfb_feed(&parser, (struct span){bytes, out.size}, piece, &taken);
}

static int feed_whole(void)
{
	return feed(out.size);
}

static uint32_t at(unsigned x, unsigned y)
{
	return *frame_at(&frame, x, y);
}

static void test_rfb_server_draws_raw_pixels_without_their_padding(void **state)
{
	for (size_t piece = 1; piece < 60; piece += 7) {
		begin(state);
		message(1);
		rect(62, 63, 5, 4, RFB_RAW);
		for (unsigned i = 0; i < 20; i++)
			pixel(0x010203 + i);
		assert_int_equal(feed(piece), RFB_SERVER_END);
		assert_int_equal(at(62, 63), 0x010203);
		assert_int_equal(at(66, 66), 0x010203 + 19);
		assert_int_equal(at(67, 66), 0);
		assert_int_equal(frame.dirty.rows[0], 3);
		assert_int_equal(frame.dirty.rows[1], 3);
	}
}

static void test_rfb_server_copies_overlapping_areas_in_every_direction(void **state)
{
	static const struct {
		unsigned x, y;
	} to[] = {{3, 3}, {1, 1}, {3, 1}, {1, 3}, {2, 3}, {3, 2}};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		begin(state);
		for (unsigned y = 0; y < 10; y++)
			for (unsigned x = 0; x < 10; x++)
				*frame_at(&frame, 2 + x, 2 + y) = 1 + y * 10 + x;
		message(1);
		rect(to[i].x, to[i].y, 10, 10, RFB_COPY_RECT);
		writer_be16(&out, 2);
		writer_be16(&out, 2);
		assert_int_equal(feed(1), RFB_SERVER_END);
		for (unsigned y = 0; y < 10; y++)
			for (unsigned x = 0; x < 10; x++)
				assert_int_equal(at(to[i].x + x, to[i].y + y), 1 + y * 10 + x);
	}
}

static void test_rfb_server_refuses_a_copy_from_outside(void **state)
{
	static const unsigned from[][2] = {
		{WIDTH - 9, 0}, {0, HEIGHT - 9}, {65535, 0}, {0, 65535}, {WIDTH, HEIGHT}};

	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		begin(state);
		message(1);
		rect(0, 0, 10, 10, RFB_COPY_RECT);
		writer_be16(&out, (uint16_t)from[i][0]);
		writer_be16(&out, (uint16_t)from[i][1]);
		assert_int_equal(feed_whole(), -ERR_RANGE);
		assert_string_equal(parser.fault, "copy-source-outside");
	}
}

/* Whole screens, one over the other, and then a rectangle of @height rows; what came of it. */
static int copy_screens(void **state, unsigned count, unsigned height)
{
	begin(state);
	message(count + 1);
	for (unsigned i = 0; i < count; i++) {
		rect(0, 0, WIDTH, HEIGHT, RFB_COPY_RECT);
		writer_be32(&out, 0);
	}
	rect(0, 0, WIDTH, height, RFB_COPY_RECT);
	writer_be32(&out, 0);
	return feed_whole();
}

static void test_rfb_server_bounds_what_an_update_draws(void **state)
{
	assert_int_equal(copy_screens(state, RFB_OVERDRAW_MAX, 1), -ERR_TOO_LONG);
	assert_string_equal(parser.fault, "drawn-too-often");
	assert_int_equal(copy_screens(state, RFB_OVERDRAW_MAX, 0), RFB_SERVER_END);
	assert_int_equal(feed_whole(), RFB_SERVER_END); /* the next update has its own */
}

static void test_rfb_server_bounds_what_an_update_draws_by_the_size_that_it_gave(void **state)
{
	message(3);
	rect(0, 0, WIDTH, HEIGHT, RFB_COPY_RECT);
	writer_be32(&out, 0);
	rect(0, 0, 10, 10, RFB_DESKTOP_SIZE);
	rect(0, 0, 10, 10, RFB_COPY_RECT);
	writer_be32(&out, 0);
	assert_int_equal(feed_whole(), RFB_SERVER_END);
}

static void test_rfb_server_refuses_rectangles_outside_the_screen(void **state)
{
	static const unsigned bad[][4] = {{0, 0, WIDTH + 1, 1}, {0, 0, 1, HEIGHT + 1},
					  {WIDTH, 0, 1, 1},     {65535, 0, 1, 1},
					  {0, 65535, 1, 1},     {1, 1, 65535, 65535}};
	static const int encodings[] = {RFB_RAW, RFB_COPY_RECT, RFB_HEXTILE};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) * 3; i++) {
		const unsigned *b = bad[i / 3];

		begin(state);
		message(1);
		rect(b[0], b[1], b[2], b[3], encodings[i % 3]);
		assert_int_equal(feed_whole(), -ERR_RANGE);
		assert_string_equal(parser.fault, "rectangle-outside");
	}
}

static void test_rfb_server_takes_empty_rectangles(void **state)
{
	message(3);
	rect(WIDTH, HEIGHT, 0, 0, RFB_RAW);
	rect(0, 0, 0, 10, RFB_HEXTILE);
	rect(0, 0, 10, 0, RFB_RAW);
	assert_int_equal(feed_whole(), RFB_SERVER_END);
}

static void hextile_message(void)
{
	message(1);
	rect(10, 20, 20, 17, RFB_HEXTILE); /* four tiles: 16x16, 4x16, 16x1, 4x1 */
	writer_u8(&out, 2 | 4 | 8);        /* background, foreground, two sub-rectangles */
	pixel(0x111111);
	pixel(0x222222);
	writer_u8(&out, 2);
	writer_u8(&out, 0x00);
	writer_u8(&out, 0x00);
	writer_u8(&out, 0xff);
	writer_u8(&out, 0x00);
	writer_u8(&out, 8 | 16); /* background kept, one coloured sub-rectangle */
	writer_u8(&out, 1);
	pixel(0x333333);
	writer_u8(&out, 0x0f);
	writer_u8(&out, 0x30);
	writer_u8(&out, 1); /* raw */
	for (unsigned i = 0; i < 16; i++)
		pixel(0x400000 + i);
	writer_u8(&out, 0); /* background only */
}

static void test_rfb_server_draws_hextile_in_pieces_of_any_size(void **state)
{
	for (size_t piece = 1; piece < 140; piece++) {
		begin(state);
		hextile_message();
		assert_int_equal(feed(piece), RFB_SERVER_END);
		assert_int_equal(at(10, 20), 0x222222);
		assert_int_equal(at(25, 35), 0x222222);
		assert_int_equal(at(11, 20), 0x111111);
		assert_int_equal(at(26, 20), 0x111111);
		assert_int_equal(at(26, 35), 0x333333);
		assert_int_equal(at(29, 35), 0x333333);
		assert_int_equal(at(10, 36), 0x400000);
		assert_int_equal(at(25, 36), 0x40000f);
		assert_int_equal(at(29, 36), 0x111111);
		assert_int_equal(at(30, 36), 0);
	}
}

static void test_rfb_server_refuses_hextile_subrectangles_outside_their_tile(void **state)
{
	static const struct {
		uint8_t w, h, xy, wh;
	} bad[] = {{16, 16, 0x10, 0xf0}, {16, 16, 0x01, 0x0f}, {4, 16, 0x40, 0x00},
		   {4, 16, 0x30, 0x10},  {16, 1, 0x01, 0x00},  {16, 16, 0xff, 0x10},
		   {1, 1, 0xff, 0xff}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(state);
		message(1);
		rect(WIDTH - bad[i].w, HEIGHT - bad[i].h, bad[i].w, bad[i].h, RFB_HEXTILE);
		writer_u8(&out, 8);
		writer_u8(&out, 1);
		writer_u8(&out, bad[i].xy);
		writer_u8(&out, bad[i].wh);
		assert_int_equal(feed_whole(), -ERR_RANGE);
		assert_string_equal(parser.fault, "subrectangle-outside");
	}
}

static void test_rfb_server_refuses_unknown_hextile_flags(void **state)
{
	message(1);
	rect(0, 0, 16, 16, RFB_HEXTILE);
	writer_u8(&out, 32); /* ZlibHex has a meaning for it; it was not asked for */
	assert_int_equal(feed_whole(), -ERR_RANGE);
}

static void test_rfb_server_refuses_encodings_not_asked_for(void **state)
{
	static const int bad[] = {2,    4,    6,    7,    8,    9,          15,         16,
				  -240, -258, -307, -312, -313, 0x574d5664, 0x7fffffff, INT32_MIN};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(state);
		message(1);
		rect(0, 0, 1, 1, bad[i]);
		assert_int_equal(feed_whole(), -ERR_UNSUPPORTED);
		assert_int_equal(parser.fault_type, bad[i]);
	}
}

static void test_rfb_server_refuses_messages_not_asked_for(void **state)
{
	for (unsigned type = 4; type < 256; type++) {
		begin(state);
		message(0);
		bytes[0] = (uint8_t)type;
		assert_int_equal(feed_whole(), -ERR_UNSUPPORTED);
		assert_string_equal(parser.fault, "message-type");
	}
}

static void test_rfb_server_resizes_within_limits_only(void **state)
{
	static const unsigned bad[][2] = {{0, 10},   {10, 0},   {0, 0},    {65535, 65535},
					  {4097, 1}, {1, 2305}, {160, 101}};

	message(1);
	rect(0, 0, 160, 100, RFB_DESKTOP_SIZE);
	assert_int_equal(feed(1), RFB_SERVER_END);
	assert_int_equal(frame.width, 160);
	assert_int_equal(frame.height, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(state);
		message(1);
		rect(0, 0, bad[i][0], bad[i][1], RFB_DESKTOP_SIZE);
		assert_int_equal(feed_whole(), -ERR_RANGE);
		assert_string_equal(parser.fault, "desktop-size");
		assert_int_equal(frame.width, WIDTH);
	}
}

static void test_rfb_server_forgets_all_pixels_when_the_size_changes(void **state)
{
	frame_fill(&frame, &(struct rfb_rect){0, 0, WIDTH, HEIGHT}, 0xabcdef);
	message(1);
	rect(0, 0, 160, 50, RFB_DESKTOP_SIZE);
	assert_int_equal(feed_whole(), RFB_SERVER_END);
	for (unsigned i = 0; i < CAPACITY; i++)
		assert_int_equal(pixels[i], 0);
}

static void extended_size(unsigned reason, unsigned screens)
{
	message(1);
	rect(reason, 0, 100, 90, RFB_EXTENDED_DESKTOP_SIZE);
	writer_be32(&out, screens << 24 | 0xcacaca);
	for (unsigned i = 0; i < screens * 16; i++)
		writer_u8(&out, 0xca);
}

static void test_rfb_server_takes_the_size_of_an_extended_desktop_size(void **state)
{
	extended_size(0, 2);
	assert_int_equal(feed(3), RFB_SERVER_END);
	assert_int_equal(frame.width, 100);
	begin(state);
	extended_size(0, RFB_SCREENS_MAX + 1);
	assert_int_equal(feed_whole(), -ERR_TOO_LONG);
	begin(state);
	extended_size(1, 1);
	assert_int_equal(feed_whole(), -ERR_UNSUPPORTED);
	assert_int_equal(frame.width, WIDTH);
}

static void cursor_message(unsigned hot_x, unsigned hot_y, unsigned w, unsigned h, uint8_t mask)
{
	message(1);
	rect(hot_x, hot_y, w, h, RFB_CURSOR);
	for (unsigned i = 0; i < w * h; i++)
		pixel(0x123456);
	for (unsigned i = 0; i < (w + 7) / 8 * h; i++)
		writer_u8(&out, mask);
}

static void test_rfb_server_draws_a_cursor_anew(void **state)
{
	cursor_message(3, 4, 10, 9, 0x80);
	assert_int_equal(feed(11), RFB_SERVER_END);
	assert_int_equal(parser.cursor.w, 10);
	assert_int_equal(parser.cursor.hot_y, 4);
	assert_int_equal(parser.cursor.pixels[0], 0xff123456);
	assert_int_equal(parser.cursor.pixels[1], 0); /* nothing hides where the mask is 0 */
	assert_int_equal(parser.cursor.pixels[8], 0xff123456);
}

static void test_rfb_server_bounds_the_cursor(void **state)
{
	cursor_message(200, 127, 128, 128, 0xff);
	assert_int_equal(feed(5000), RFB_SERVER_END);
	assert_int_equal(parser.cursor.w, 128);
	assert_int_equal(parser.cursor.h, 128);
	assert_int_equal(parser.cursor.hot_x, 0); /* not a pixel of it */
	assert_int_equal(parser.cursor.hot_y, 127);
	for (size_t i = 0; i < 128 * 128; i++)
		assert_int_equal(parser.cursor.pixels[i], 0xff123456);
	begin(state);
	message(1);
	rect(0, 0, 129, 1, RFB_CURSOR);
	assert_int_equal(feed_whole(), -ERR_TOO_LONG);
	begin(state);
	message(1);
	rect(0, 0, 65535, 65535, RFB_CURSOR);
	assert_int_equal(feed_whole(), -ERR_TOO_LONG);
	begin(state);
	cursor_message(0, 0, 0, 0, 0);
	assert_int_equal(feed_whole(), RFB_SERVER_END);
}

static void test_rfb_server_ends_an_update_of_unknown_length_at_the_last_rectangle(void **state)
{
	message(0xffff);
	rect(0, 0, 1, 1, RFB_RAW);
	pixel(7);
	rect(0, 0, 0, 0, RFB_LAST_RECT);
	writer_u8(&out, RFB_BELL);
	assert_int_equal(feed(1), RFB_SERVER_BELL);
	assert_int_equal(at(0, 0), 7);
}

static void test_rfb_server_swallows_colours_bell_and_cut_text(void **state)
{
	writer_init(&out, bytes, sizeof(bytes));
	writer_u8(&out, RFB_COLOUR_MAP);
	writer_u8(&out, 0);
	writer_be16(&out, 0);
	writer_be16(&out, 3);
	for (unsigned i = 0; i < 18; i++)
		writer_u8(&out, 0xca);
	assert_int_equal(feed(1), RFB_SERVER_COLOURS);
	writer_init(&out, bytes, sizeof(bytes));
	writer_u8(&out, RFB_SERVER_CUT_TEXT);
	writer_bytes(&out, "\0\0", 3);
	writer_be32(&out, 1000);
	for (unsigned i = 0; i < 1000; i++)
		writer_u8(&out, 0xca);
	assert_int_equal(feed(10), RFB_SERVER_CUT);
	assert_int_equal(parser.total_bytes, 1000);
}

static void test_rfb_server_ends_on_cut_text_lengths_that_wrap_or_never_end(void **state)
{
	static const uint32_t lengths[] = {0x7fffffff, 0x80000000, 0x80000001, RFB_CUT_TEXT_MAX + 1,
					   -RFB_CUT_TEXT_MAX - 1U};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		begin(state);
		writer_init(&out, bytes, sizeof(bytes));
		writer_be32(&out, (uint32_t)RFB_SERVER_CUT_TEXT << 24);
		writer_be32(&out, lengths[i]);
		assert_int_equal(feed_whole(), -ERR_TOO_LONG);
	}
}

static void test_rfb_frame_marks_the_tiles_that_a_change_touches(void **state)
{
	static const uint32_t tile[] = {1, 2, 0xff000003, 4};
	const struct rfb_rect r = {70, 0, 2, 2};

	assert_true(frame_replace(&frame, &r, tile, r.w));
	assert_int_equal(at(70, 1), 3);
	assert_int_equal(frame.dirty.rows[0], 2);
	memset(&frame.dirty, 0, sizeof(frame.dirty));
	assert_false(frame_replace(&frame, &r, tile, r.w));
	assert_false(frame_any_dirty(&frame));
	assert_true(frame_replace_solid(&frame, &r, 0xff000009));
	assert_false(frame_replace_solid(&frame, &r, 9));
	assert_int_equal(at(71, 1), 9);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfb_server_draws_raw_pixels_without_their_padding),
		TEST(test_rfb_server_copies_overlapping_areas_in_every_direction),
		TEST(test_rfb_server_refuses_a_copy_from_outside),
		TEST(test_rfb_server_bounds_what_an_update_draws),
		TEST(test_rfb_server_bounds_what_an_update_draws_by_the_size_that_it_gave),
		TEST(test_rfb_server_refuses_rectangles_outside_the_screen),
		TEST(test_rfb_server_takes_empty_rectangles),
		TEST(test_rfb_server_draws_hextile_in_pieces_of_any_size),
		TEST(test_rfb_server_refuses_hextile_subrectangles_outside_their_tile),
		TEST(test_rfb_server_refuses_unknown_hextile_flags),
		TEST(test_rfb_server_refuses_encodings_not_asked_for),
		TEST(test_rfb_server_refuses_messages_not_asked_for),
		TEST(test_rfb_server_resizes_within_limits_only),
		TEST(test_rfb_server_forgets_all_pixels_when_the_size_changes),
		TEST(test_rfb_server_takes_the_size_of_an_extended_desktop_size),
		TEST(test_rfb_server_draws_a_cursor_anew),
		TEST(test_rfb_server_bounds_the_cursor),
		TEST(test_rfb_server_ends_an_update_of_unknown_length_at_the_last_rectangle),
		TEST(test_rfb_server_swallows_colours_bell_and_cut_text),
		TEST(test_rfb_server_ends_on_cut_text_lengths_that_wrap_or_never_end),
		TEST(test_rfb_frame_marks_the_tiles_that_a_change_touches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

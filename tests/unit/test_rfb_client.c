/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What viewers may send, and what ends their session; the keys that may pass (Z5). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb/client.h"
#include "wire/rfb/keys.h"

/* Feed @size bytes in pieces of @piece; return the last event other than MORE, or MORE. */
static int feed(struct rfb_client_parser *p, const uint8_t *bytes, size_t size, size_t piece,
		struct rfb_client_message *out)
{
	size_t at = 0, end = 0;
	int last = RFB_CLIENT_MORE;

	while (end < size) {
		int event = RFB_CLIENT_KEY;

		end = end + piece < size ? end + piece : size;
		while (event != RFB_CLIENT_MORE) {
			struct reader r;

			reader_init(&r, bytes + at, end - at);
			event = rfb_client_next(p, &r, out);
			assert_false(r.failed);
			at += r.at;
			if (event < 0)
				return event;
			last = event == RFB_CLIENT_MORE ? last : event;
		}
		assert_true(end - at < RFB_CLIENT_UNIT_MAX);
	}
	assert_int_equal(at, size);
	return last;
}

static int feed_new(const void *bytes, size_t size, struct rfb_client_message *out)
{
	struct rfb_client_parser p;

	rfb_client_init(&p);
	return feed(&p, bytes, size, size, out);
}

static void test_rfb_client_reads_each_message_whole_and_byte_by_byte(void **state)
{
	static const uint8_t bytes[] =
		{
			0,    9,    9,    9, 16, 16, 1, 1, 0,   31,   0,    63,   0,
			31,   11,   5,    0, 7,  7,  7, /* format, canaries in padding */
			2,    9,    0,    3, 0,  0,  0, 5, 0,   0,    0,    16,   0xff,
			0xff, 0xff, 0x11, /* Hextile, ZRLE, Cursor */
			6,    9,    9,    9, 0,  0,  0, 3, 'a', 'b',  'c', /* cut text */
			251,  9,    4,    0, 3,  0,  1, 9, 0,   0,    0,    0,    0,
			0,    0,    0,    4, 0,  3,  0, 0, 0,   0,    0, /* SetDesktopSize */
			3,    1,    0,    1, 0,  2,  0, 3, 0,   4,    5,    0x81, 1,
			2,    3,    4,    4, 1,  9,  9, 0, 0,   0xff, 0x0d,
		};

	for (size_t piece = 1; piece <= sizeof(bytes); piece++) {
		struct rfb_client_message m;
		struct rfb_client_parser p;

		rfb_client_init(&p);
		assert_int_equal(feed(&p, bytes, sizeof(bytes), piece, &m), RFB_CLIENT_KEY);
		assert_int_equal(m.keysym, 0xff0d);
		assert_true(m.down);
	}
}

static void test_rfb_client_reads_the_values_of_each_message(void **state)
{
	static const uint8_t request[] = {3, 0, 0, 1, 0, 2, 0, 3, 0, 4},
			     pointer[] = {5, 0x81, 1, 2, 3, 4};
	struct rfb_client_message m;

	assert_int_equal(feed_new(request, sizeof(request), &m), RFB_CLIENT_REQUEST);
	assert_false(m.incremental);
	assert_int_equal(m.request.x * 1000 + m.request.y * 100 + m.request.w * 10 + m.request.h,
			 1234);
	assert_int_equal(feed_new(pointer, sizeof(pointer), &m), RFB_CLIENT_POINTER);
	assert_int_equal(m.x, 0x0102);
	assert_int_equal(m.y, 0x0304);
	assert_int_equal(m.buttons, 0x81);
}

static void test_rfb_client_chooses_the_first_encoding_that_we_generate(void **state)
{
	static const uint8_t bytes[] = {
		2,    0,    0,    5,    0,    0,    0,    7,
		0,    0,    0,    5,    0,    0,    0,    16, /* Tight, Hextile, ZRLE */
		0xff, 0xff, 0xff, 0x21, 0xff, 0xff, 0xfe, 0xcc};
	struct rfb_client_message m;

	assert_int_equal(feed_new(bytes, sizeof(bytes), &m), RFB_CLIENT_ENCODINGS);
	assert_int_equal(m.encodings.pixels, RFB_HEXTILE);
	assert_true(m.encodings.desktop_size);
	assert_true(m.encodings.extended_desktop_size);
	assert_false(m.encodings.cursor);
}

static void test_rfb_client_takes_raw_where_nothing_known_is_named(void **state)
{
	static const uint8_t bytes[] = {2, 0, 0, 1, 0, 0, 0, 7};
	struct rfb_client_message m;

	assert_int_equal(feed_new(bytes, sizeof(bytes), &m), RFB_CLIENT_ENCODINGS);
	assert_int_equal(m.encodings.pixels, RFB_RAW);
}

static void test_rfb_client_refuses_more_encodings_than_allowed(void **state)
{
	static const uint8_t most[] = {2, 0, 1, 0}, more[] = {2, 0, 1, 1},
			     all[] = {2, 0, 0xff, 0xff};
	struct rfb_client_message m;

	assert_int_equal(feed_new(most, sizeof(most), &m), RFB_CLIENT_MORE);
	assert_int_equal(feed_new(more, sizeof(more), &m), -ERR_TOO_LONG);
	assert_int_equal(feed_new(all, sizeof(all), &m), -ERR_TOO_LONG);
}

static void test_rfb_client_discards_cut_text_by_its_signed_length(void **state)
{
	static const uint8_t plain[] = {6, 0, 0, 0, 0, 0, 0, 2, 'x', 'y'};
	static const uint8_t extended[] = {6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 'x', 'y'};
	struct rfb_client_message m;

	assert_int_equal(feed_new(plain, sizeof(plain), &m), RFB_CLIENT_CUT);
	assert_int_equal(m.discarded_bytes, 2);
	assert_int_equal(feed_new(extended, sizeof(extended), &m), RFB_CLIENT_CUT);
	assert_int_equal(m.discarded_bytes, 2);
}

static void test_rfb_client_ends_on_cut_text_lengths_that_wrap_or_never_end(void **state)
{
	static const uint8_t lengths[][4] = {{0x7f, 0xff, 0xff, 0xff},
					     {0x80, 0, 0, 0},
					     {0x80, 0, 0, 1},
					     {0, 0x10, 0, 1},
					     {0xff, 0xef, 0xff, 0xff}};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t bytes[8] = {6};
		struct rfb_client_message m;

		memcpy(bytes + 4, lengths[i], 4);
		assert_int_equal(feed_new(bytes, sizeof(bytes), &m), -ERR_TOO_LONG);
	}
}

static void test_rfb_client_discards_the_longest_cut_text_without_keeping_it(void **state)
{
	static uint8_t bytes[8 + RFB_CUT_TEXT_MAX] = {6, 0, 0, 0, 0, 0x10, 0, 0};
	struct rfb_client_message m;
	struct rfb_client_parser p;

	rfb_client_init(&p);
	assert_int_equal(feed(&p, bytes, sizeof(bytes), 1000, &m), RFB_CLIENT_CUT);
	assert_int_equal(m.discarded_bytes, RFB_CUT_TEXT_MAX);
}

static void test_rfb_client_ends_on_every_type_that_was_never_offered(void **state)
{
	for (unsigned type = 0; type < 256; type++) {
		uint8_t bytes[64] = {(uint8_t)type};
		struct rfb_client_message m;
		struct rfb_client_parser p;
		struct reader r;
		bool offered = type == 0 || (type >= 2 && type <= 6) || type == 251;

		if (offered)
			continue;
		rfb_client_init(&p);
		reader_init(&r, bytes, sizeof(bytes));
		assert_int_equal(rfb_client_next(&p, &r, &m), -ERR_UNSUPPORTED);
		assert_int_equal(p.fault_type, type);
		assert_string_equal(p.fault, "message-type");
	}
}

static void test_rfb_client_refuses_a_down_flag_that_carries_more(void **state)
{
	static const uint8_t bytes[] = {4, 2, 0, 0, 0, 0, 0, 'a'};
	struct rfb_client_message m;

	assert_int_equal(feed_new(bytes, sizeof(bytes), &m), -ERR_RANGE);
}

static void test_rfb_client_refuses_formats_without_sense(void **state)
{
	static const uint8_t bad[][13] = {
		{24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, /* 24 bits a pixel */
		{0, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0},
		{32, 24, 0, 1, 0, 254, 0, 255, 0, 255, 16, 8, 0}, /* maximum not 2^n-1 */
		{32, 24, 0, 1, 0, 0, 0, 255, 0, 255, 16, 8, 0},
		{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 25, 8, 0}, /* beyond the pixel */
		{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 255, 8,
		 0}, /* a shift that C has no meaning for */
		{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 9, 0}, /* overlap */
		{8, 8, 0, 1, 0, 15, 0, 7, 0, 3, 5, 2, 0},
		{16, 8, 0, 0, 0, 7, 0, 7, 0, 3, 5, 2, 0}, /* colour map with 16 bits */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t bytes[20] = {0};
		struct rfb_client_message m;

		memcpy(bytes + 4, bad[i], sizeof(bad[i]));
		assert_int_equal(feed_new(bytes, sizeof(bytes), &m), -ERR_RANGE);
	}
}

static void test_rfb_client_tells_what_changes_the_encoding(void **state)
{
	static const uint8_t encodings[] = {2, 0, 0, 2, 0, 0, 0, 5}, rest[] = {0, 0, 0, 16},
			     key[] = {4};
	struct rfb_client_message m;
	struct rfb_client_parser p;
	struct reader r;

	rfb_client_init(&p);
	reader_init(&r, key, sizeof(key));
	assert_false(rfb_client_changes_encoding(&p, &r));
	reader_init(&r, encodings, sizeof(encodings));
	assert_true(rfb_client_changes_encoding(&p, &r));
	assert_int_equal(rfb_client_next(&p, &r, &m), RFB_CLIENT_MORE);
	reader_init(&r, rest, sizeof(rest));
	assert_true(rfb_client_changes_encoding(&p, &r));
}

static void test_rfb_client_builders_are_read_back_as_written(void **state)
{
	static const int32_t encodings[] = {RFB_RAW, RFB_CURSOR};
	const struct rfb_rect rect = {1, 2, 3, 4};
	struct rfb_client_message m;
	uint8_t bytes[64];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_set_format(&w, &rfb_format_gateway);
	assert_int_equal(feed_new(bytes, w.size, &m), RFB_CLIENT_FORMAT);
	assert_memory_equal(&m.format, &rfb_format_gateway, sizeof(m.format));
	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_set_encodings(&w, encodings, 2);
	assert_int_equal(feed_new(bytes, w.size, &m), RFB_CLIENT_ENCODINGS);
	assert_true(m.encodings.cursor);
	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_request(&w, &rect, true);
	assert_int_equal(feed_new(bytes, w.size, &m), RFB_CLIENT_REQUEST);
	assert_memory_equal(&m.request, &rect, sizeof(rect));
	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_pointer(&w, 5, 6, 7);
	rfb_client_key(&w, 0xff2a, false);
	assert_int_equal(feed_new(bytes, w.size, &m), RFB_CLIENT_KEY);
	assert_int_equal(m.keysym, 0xff2a);
	assert_false(m.down);
}

static void test_rfb_keys_allow_the_keys_of_a_japanese_keyboard(void **state)
{
	static const uint32_t yes[] = {' ',        'a',        '~',    0xa5,       0xff2a,
				       0xff23,     0xff22,     0xff27, 0xff30,     0xff0d,
				       0xff1b,     0xff51,     0xffbe, 0xffc9,     0xffe1,
				       0xffe9,     0xffff,     0xff8d, 0x01003042, 0x010030a2,
				       0x01006f22, 0x0100ff71, 0xff31, 0xff34,     0xff37,
				       0xff3c,     0xff3d,     0xff3e};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(rfb_key_allowed(yes[i]));
}

static void test_rfb_keys_refuse_what_could_carry_anything_else(void **state)
{
	static const uint32_t no[] = {0,
				      0x1f,
				      0x7f,
				      0x100,
				      0x1008ff2a /* power off */,
				      0x1008fe01 /* switch terminal */,
				      0xfed5 /* terminate server */,
				      0x01000041,
				      0x0101f600,
				      0x0100e000,
				      0x41414141,
				      UINT32_MAX,
				      0xff00,
				      0xfe20 /* as it came: see below */,
				      0xff32,
				      0xff3b,
				      0xffed};
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(rfb_key_allowed(no[i]));
	for (uint32_t key = 0; key < 0x02000000; key++)
		count += rfb_key_allowed(key);
	assert_int_equal(count, 30975); /* the sum of all ranges: none is hidden from the search */
}

static void test_rfb_keys_pass_on_tab_for_what_x_calls_it_under_shift(void **state)
{
	assert_int_equal(rfb_key_passed(0xfe20), 0xff09);
	for (uint32_t key = 0; key < 0x02000000; key++)
		assert_true(key == 0xfe20 || rfb_key_passed(key) == key);
	assert_int_equal(rfb_key_passed(UINT32_MAX), UINT32_MAX);
}

static void test_rfb_keys_tell_modifiers_from_keys_that_they_rename(void **state)
{
	static const uint32_t yes[] = {0xfe03, 0xff7e, 0xffe1, 0xffe5, 0xffec};
	static const uint32_t no[] = {'a', 0xff09, 0xff7f, 0xffe0, 0xffed, 0xffff, 0xfe20};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(rfb_key_modifies(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(rfb_key_modifies(no[i]));
}

static void test_rfb_keys_have_one_other_name_each_way(void **state)
{
	static const uint32_t pairs[][2] = {
		{0xffe9, 0xffe7}, {0xffea, 0xffe8}, {0xff30, 0xffe5}, {'a', 'A'}, {'z', 'Z'}};
	unsigned named = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(rfb_key_other_name(pairs[i][0]), pairs[i][1]);
		assert_int_equal(rfb_key_other_name(pairs[i][1]), pairs[i][0]);
	}
	for (uint32_t key = 0; key < 0x02000000; key++)
		named += rfb_key_other_name(key) != 0;
	assert_int_equal(named, 6 + 2 * 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfb_client_reads_each_message_whole_and_byte_by_byte),
		cmocka_unit_test(test_rfb_client_reads_the_values_of_each_message),
		cmocka_unit_test(test_rfb_client_chooses_the_first_encoding_that_we_generate),
		cmocka_unit_test(test_rfb_client_takes_raw_where_nothing_known_is_named),
		cmocka_unit_test(test_rfb_client_refuses_more_encodings_than_allowed),
		cmocka_unit_test(test_rfb_client_discards_cut_text_by_its_signed_length),
		cmocka_unit_test(test_rfb_client_ends_on_cut_text_lengths_that_wrap_or_never_end),
		cmocka_unit_test(test_rfb_client_discards_the_longest_cut_text_without_keeping_it),
		cmocka_unit_test(test_rfb_client_ends_on_every_type_that_was_never_offered),
		cmocka_unit_test(test_rfb_client_refuses_a_down_flag_that_carries_more),
		cmocka_unit_test(test_rfb_client_refuses_formats_without_sense),
		cmocka_unit_test(test_rfb_client_tells_what_changes_the_encoding),
		cmocka_unit_test(test_rfb_client_builders_are_read_back_as_written),
		cmocka_unit_test(test_rfb_keys_allow_the_keys_of_a_japanese_keyboard),
		cmocka_unit_test(test_rfb_keys_refuse_what_could_carry_anything_else),
		cmocka_unit_test(test_rfb_keys_pass_on_tab_for_what_x_calls_it_under_shift),
		cmocka_unit_test(test_rfb_keys_tell_modifiers_from_keys_that_they_rename),
		cmocka_unit_test(test_rfb_keys_have_one_other_name_each_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

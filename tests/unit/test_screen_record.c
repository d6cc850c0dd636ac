/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two checks on which the screen relay's claim rests: tiles one way, input the other (Z4, Z5).
 */
#include "unit.h"

#include "channel/screen.h"
#include "wire/rfb/keys.h"

enum { HEAD = sizeof(struct screen_record), WIDTH = 200, HEIGHT = 100 };

static bool check(struct screen_record r)
{
	return screen_record_check(&r, WIDTH, HEIGHT);
}

static void test_screen_record_takes_tiles_inside_screen_and_grid(void **state)
{
	assert_true(check((struct screen_record){SCREEN_PIXELS, 0, 0, 64, 64, 0, 0}));
	assert_true(check((struct screen_record){SCREEN_PIXELS, 192, 64, 8, 36, 0, 0}));
	assert_true(check((struct screen_record){SCREEN_SOLID, 70, 70, 3, 3, 0, 0xffffff}));
}

static void test_screen_record_refuses_tiles_outside_screen_or_grid(void **state)
{
	static const uint16_t bad[][4] = {
		{192, 64, 9, 36}, {192, 64, 8, 37}, {60, 0, 8, 1},  {0, 60, 1, 8},
		{0, 0, 65, 1},    {0, 0, 1, 65},    {0, 0, 0, 1},   {0, 0, 1, 0},
		{65535, 0, 1, 1}, {0, 65535, 1, 1}, {200, 0, 1, 1}, {65530, 65530, 65535, 65535}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct screen_record r = {SCREEN_PIXELS, bad[i][0], bad[i][1], bad[i][2],
					  bad[i][3],     0,         0};

		assert_false(check(r));
		r.kind = SCREEN_SOLID;
		assert_false(check(r));
	}
}

static void test_screen_record_counts_whole_records_only(void **state)
{
	for (size_t bytes = 0; bytes < 3 * SCREEN_BATCH * HEAD; bytes++) {
		size_t count = screen_record_count(bytes);

		assert_true(count <= SCREEN_BATCH);
		assert_int_equal(count > 0, bytes > 0 && bytes % 16 == 0 && bytes <= 1024);
		assert_true(count == 0 || count * 16 == bytes);
	}
}

static void test_screen_record_refuses_numbers_where_none_belong(void **state)
{
	assert_false(check((struct screen_record){SCREEN_SOLID, 0, 0, 1, 1, 1, 0}));
	assert_false(check((struct screen_record){SCREEN_PIXELS, 0, 0, 1, 1, 0, 1}));
	assert_false(check((struct screen_record){SCREEN_UPDATE_END, 1, 0, 0, 0, 0, 1}));
	assert_false(check((struct screen_record){SCREEN_GEOMETRY, 0, 0, 10, 10, 0, 1}));
	assert_false(check((struct screen_record){SCREEN_ENDED, 0, 0, 0, 0, 0, SCREEN_END_COUNT_}));
}

static void test_screen_record_refuses_pixels_before_a_size(void **state)
{
	struct screen_record r = {SCREEN_SOLID, 0, 0, 1, 1, 0, 0},
			     end = {SCREEN_UPDATE_END, 0, 0, 0, 0, 0, 1};

	assert_false(screen_record_check(&r, 0, 0));
	assert_false(screen_record_check(&end, 0, 0));
}

static void test_screen_record_bounds_sizes_and_cursors(void **state)
{
	assert_true(check((struct screen_record){SCREEN_GEOMETRY, 0, 0, 4096, 2304, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_GEOMETRY, 0, 0, 4097, 1, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_GEOMETRY, 0, 0, 1, 2305, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_GEOMETRY, 0, 0, 0, 5, 0, 0}));
	assert_true(check((struct screen_record){SCREEN_CURSOR, 127, 127, 128, 128, 0, 0}));
	assert_true(check((struct screen_record){SCREEN_CURSOR, 0, 0, 0, 0, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_CURSOR, 0, 0, 129, 1, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_CURSOR, 0, 0, 1, 129, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_CURSOR, 0, 128, 128, 128, 0, 0}));
	assert_false(check((struct screen_record){SCREEN_CURSOR, 5, 0, 5, 5, 0, 0}));
}

static void test_screen_record_refuses_unknown_kinds(void **state)
{
	for (unsigned kind = 0; kind < 65536; kind++) {
		struct screen_record r = {.kind = (uint16_t)kind};

		if (kind < SCREEN_GEOMETRY || kind > SCREEN_ENDED)
			assert_false(check(r));
	}
}

static bool check_input(struct screen_input i)
{
	return screen_input_check(&i, sizeof(i), rfb_key_allowed, true);
}

static void test_screen_input_takes_allowed_keys_and_pointer(void **state)
{
	assert_true(
		check_input((struct screen_input){.kind = SCREEN_KEY, .flags = 1, .value = 'a'}));
	assert_true(check_input(
		(struct screen_input){.kind = SCREEN_KEY, .flags = 0, .value = 0xff2a}));
	assert_true(check_input(
		(struct screen_input){.kind = SCREEN_POINTER, .x = 4095, .y = 2303, .flags = 255}));
	assert_true(check_input((struct screen_input){.kind = SCREEN_START}));
}

static void test_screen_input_refuses_everything_else(void **state)
{
	static const struct screen_input bad[] = {
		{.kind = 0},
		{.kind = 6},
		{.kind = SCREEN_KEY, .flags = 2, .value = 'a'},
		{.kind = SCREEN_KEY, .flags = 1, .value = 0x1008ff2a},
		{.kind = SCREEN_KEY, .flags = 1, .value = 'a', .x = 1},
		{.kind = SCREEN_KEY, .flags = 1, .value = 'a', .zero = 1},
		{.kind = SCREEN_POINTER, .x = 4096},
		{.kind = SCREEN_POINTER, .y = 2304},
		{.kind = SCREEN_POINTER, .value = 1},
		{.kind = SCREEN_START, .value = 1},
		{.kind = SCREEN_ACK, .flags = 1},
		{.kind = SCREEN_INPUT_ENDED, .value = SCREEN_END_COUNT_},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(check_input(bad[i]));
}

static void test_screen_input_refuses_keys_before_the_screen_is_there(void **state)
{
	static const struct screen_input key = {.kind = SCREEN_KEY, .flags = 1, .value = 'a'};
	static const struct screen_input start = {.kind = SCREEN_START};

	assert_false(screen_input_check(&key, sizeof(key), rfb_key_allowed, false));
	assert_true(screen_input_check(&start, sizeof(start), rfb_key_allowed, false));
	assert_false(screen_input_check(&start, sizeof(start) - 1, rfb_key_allowed, false));
	assert_false(screen_input_check(&start, sizeof(start) + 1, rfb_key_allowed, false));
}

static void test_screen_end_names_are_known_for_every_number(void **state)
{
	assert_string_equal(screen_end_name(SCREEN_END_NONE_), "none");
	assert_string_equal(screen_end_name(SCREEN_END_INTERNAL), "internal-error");
	assert_string_equal(screen_end_name(UINT32_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen_record_takes_tiles_inside_screen_and_grid),
		cmocka_unit_test(test_screen_record_refuses_tiles_outside_screen_or_grid),
		cmocka_unit_test(test_screen_record_counts_whole_records_only),
		cmocka_unit_test(test_screen_record_refuses_numbers_where_none_belong),
		cmocka_unit_test(test_screen_record_refuses_pixels_before_a_size),
		cmocka_unit_test(test_screen_record_bounds_sizes_and_cursors),
		cmocka_unit_test(test_screen_record_refuses_unknown_kinds),
		cmocka_unit_test(test_screen_input_takes_allowed_keys_and_pointer),
		cmocka_unit_test(test_screen_input_refuses_everything_else),
		cmocka_unit_test(test_screen_input_refuses_keys_before_the_screen_is_there),
		cmocka_unit_test(test_screen_end_names_are_known_for_every_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

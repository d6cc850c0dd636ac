/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved configurations are looked at again each day: what was changed since is said. */
#include "config_fixture.h"

#include <string.h>

#define DAY_S 86400U
#define TEXT  "zone a {\n    tier business;\n    port eth0;\n    address 10.0.0.1/24;\n}\n"
#define OTHER "zone a {\n    tier outside;\n    port eth0;\n    address 10.0.0.1/24;\n}\n"

static void save(uint32_t number, const char *text)
{
	struct store_entry entry = {.number = number, .time_s = 1700000000, .origin = "console 0"};

	assert_int_equal(store_stage(f.place.dir, &entry, span_of(text)), 0);
	assert_int_equal(store_publish(f.place.dir, number), 0);
	f.c.newest = number;
	f.c.running_entry = entry;
}

static int setup(void **state)
{
	fixture_open();
	f.c.state_dir = f.place.dir;
	assert_int_equal(bytes_append_text(&f.c.running_text, TEXT), 0);
	config_saved_init(&f.c);
	for (uint32_t number = 1; number <= 3; number++)
		save(number, TEXT);
	return 0;
}

static int teardown(void **state)
{
	fixture_close();
	return 0;
}

static void step_after(uint64_t seconds)
{
	f.time.mono_ns += seconds * 1000000000;
	for (int turn = 0; turn < 5; turn++) /* three files, one a turn, and the end */
		assert_int_equal(loop_step(&f.c.loop, 0), 0);
}

static void test_saved_is_read_one_file_a_turn_of_the_loop(void **state)
{
	config_saved_begin(&f.c);
	for (uint32_t turn = 1; turn <= 3; turn++) {
		assert_int_equal(loop_step(&f.c.loop, 0), 0);
		assert_int_equal(f.c.check.count, turn);
		assert_int_equal(next_event(NULL), EVENT_NONE_);
	}
	assert_int_equal(loop_step(&f.c.loop, 0), 0);
	assert_int_equal(next_event("start"), EVENT_CONFIG_CHECKED);
}

/* What a commit has just saved is known, before any check has read it. */
static void test_saved_is_known_from_its_commit_on_with_its_head(void **state)
{
	struct store_entry other = {.number = 2, .time_s = 1700000000, .origin = "somebody"};

	config_saved_note(&f.c, 2);
	assert_int_equal(store_stage(f.place.dir, &other, span_of(TEXT)), 0);
	assert_int_equal(store_publish(f.place.dir, 2), 0);
	config_saved_begin(&f.c);
	step_after(0);
	assert_int_equal(next_event("changed since it was read"), EVENT_SAVED_DAMAGED);
	config_saved_note(&f.c, 2);
	step_after(DAY_S);
	assert_int_equal(next_event("daily"), EVENT_CONFIG_CHECKED);
}

static void test_saved_is_checked_at_the_start_and_each_day(void **state)
{
	config_saved_begin(&f.c);
	step_after(0);
	assert_int_equal(next_event("start"), EVENT_CONFIG_CHECKED);
	assert_true(f.c.saved_whole);
	step_after(DAY_S - 1);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	for (int day = 0; day < 3; day++) {
		step_after(day == 0 ? 1 : DAY_S);
		assert_int_equal(next_event("daily"), EVENT_CONFIG_CHECKED);
		assert_int_equal(next_event(NULL), EVENT_NONE_);
	}
}

static void test_saved_that_was_changed_with_its_checksum_is_told_each_day(void **state)
{
	config_saved_begin(&f.c);
	step_after(0);
	assert_int_equal(next_event("start"), EVENT_CONFIG_CHECKED);
	save(2, OTHER);
	f.c.newest = f.c.running_entry.number = 3;
	for (int day = 0; day < 2; day++) {
		step_after(DAY_S);
		assert_int_equal(next_event("changed since it was read"), EVENT_SAVED_DAMAGED);
		assert_int_equal(next_event(NULL), EVENT_NONE_);
		assert_false(f.c.saved_whole);
	}
	save(2, TEXT);
	f.c.newest = f.c.running_entry.number = 3;
	step_after(DAY_S);
	assert_int_equal(next_event("daily"), EVENT_CONFIG_CHECKED);
}

static void test_saved_running_one_is_written_again(void **state)
{
	struct store_entry entry;
	struct bytes text;

	config_saved_begin(&f.c);
	save(3, OTHER);
	step_after(0);
	assert_int_equal(next_event("written again"), EVENT_SAVED_DAMAGED);
	bytes_init(&text, CONFIG_TEXT_BYTES);
	assert_int_equal(store_read(f.place.dir, 3, &entry, &text), 0);
	assert_true(span_equal(bytes_span(&text), span_of(TEXT)));
	bytes_fini(&text);
	assert_int_equal(unlinkat(f.place.dir, "config.00000003", 0), 0);
	step_after(DAY_S);
	assert_int_equal(next_event("written again"), EVENT_SAVED_DAMAGED);
	step_after(DAY_S);
	assert_int_equal(next_event("daily"), EVENT_CONFIG_CHECKED);
}

static void test_saved_is_not_touched_while_a_commit_is_under_way(void **state)
{
	config_saved_begin(&f.c);
	f.c.commit.active = true;
	assert_int_equal(unlinkat(f.place.dir, "config.00000001", 0), 0);
	step_after(0);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	f.c.commit.active = false;
	step_after(1);
	assert_int_equal(next_event("do not roll back"), EVENT_SAVED_DAMAGED);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_saved_is_read_one_file_a_turn_of_the_loop),
		WITH_PLACE(test_saved_is_known_from_its_commit_on_with_its_head),
		WITH_PLACE(test_saved_is_checked_at_the_start_and_each_day),
		WITH_PLACE(test_saved_that_was_changed_with_its_checksum_is_told_each_day),
		WITH_PLACE(test_saved_running_one_is_written_again),
		WITH_PLACE(test_saved_is_not_touched_while_a_commit_is_under_way),
	};

	return cmocka_run_group_tests_name("config_saved", tests, NULL, NULL);
}

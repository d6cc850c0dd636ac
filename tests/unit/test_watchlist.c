/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watch list of the supervisor (C7): kept over restarts, one watch a name, a full list. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "place.h"
#include "supervisor/isolation/station_text.h"
#include "supervisor/isolation/watchlist.h"

#define NOW_S 1790000000

static struct place place;
static struct watchlist list;
static struct watch gone;

static int setup(void **state)
{
	place_open(&place);
	assert_int_equal(watchlist_load(&list, place.dir), 0);
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

static void restart(void)
{
	memset(&list, 0xa5, sizeof(list));
	assert_int_equal(watchlist_load(&list, place.dir), 0);
}

/* Return: its number. */
static uint64_t begin(const char *name, bool station, int64_t until_s)
{
	struct watch new = {.since_s = NOW_S, .watched.until_s = until_s};

	(void)snprintf(new.watched.name, sizeof(new.watched.name), "%s", name);
	(void)snprintf(new.watched.why, sizeof(new.watched.why), "port-scan");
	(void)snprintf(new.by, sizeof(new.by), "yamada");
	if (station)
		assert_true(station_read(&new.watched.station, name));
	assert_int_equal(watchlist_add(&list, &new, &gone), 0);
	return new.watched.number;
}

static void test_watchlist_lasts_over_a_restart_and_numbers_go_on(void **state)
{
	assert_int_equal(begin("lgwan", false, NOW_S + 100), 1);
	assert_int_equal(begin("02:00:00:00:00:05", true, NOW_S + 200), 2);
	assert_int_equal(begin("2001:db8::5", true, NOW_S + 300), 3);
	assert_int_equal(watchlist_end(&list, 3, &gone), 0);
	assert_string_equal(gone.watched.name, "2001:db8::5");
	restart();
	assert_int_equal(list.count, 2);
	assert_string_equal(list.list[0].watched.name, "lgwan");
	assert_int_equal(list.list[0].watched.station.size, 0);
	assert_int_equal(list.list[1].watched.station.size, 6);
	assert_int_equal(list.list[1].watched.station.bytes[5], 5);
	assert_string_equal(list.list[1].watched.why, "port-scan");
	assert_string_equal(list.list[1].by, "yamada");
	assert_int_equal(list.list[1].watched.until_s, NOW_S + 200);
	assert_int_equal(list.list[1].since_s, NOW_S);
	assert_int_equal(begin("internet", false, NOW_S + 100), 4);
}

static void test_watchlist_of_a_station_without_name_or_reason_is_kept(void **state)
{
	struct watch new = {.since_s = NOW_S, .watched.until_s = NOW_S + 1, .watched.name = "a"};

	assert_int_equal(watchlist_add(&list, &new, &gone), 0);
	restart();
	assert_int_equal(list.count, 1);
	assert_string_equal(list.list[0].watched.why, "");
	assert_string_equal(list.list[0].by, "");
}

static void test_watchlist_has_one_watch_of_a_name_and_kind(void **state)
{
	begin("10.0.0.5", true, NOW_S + 100);
	begin("10.0.0.5", false, NOW_S + 100); /* a zone of that name */
	assert_int_equal(gone.watched.number, 0);
	begin("10.0.0.5", true, NOW_S + 500);
	assert_int_equal(gone.watched.number, 1);
	assert_int_equal(list.count, 2);
}

static void test_watchlist_ends_at_its_time(void **state)
{
	begin("lgwan", false, NOW_S + 100);
	begin("internet", false, NOW_S + 50);
	assert_int_equal(watchlist_over(&list, NOW_S + 49), 0);
	assert_int_equal(watchlist_over(&list, NOW_S + 50), 2);
	assert_int_equal(watchlist_end(&list, 2, &gone), 0);
	assert_int_equal(watchlist_over(&list, NOW_S + 50), 0);
	assert_int_equal(watchlist_end(&list, 2, &gone), -ERR_NOT_FOUND);
}

static void test_watchlist_that_is_full_loses_the_one_that_ends_first(void **state)
{
	char name[WATCHED_NAME_BYTES];

	for (int i = 0; i < WATCHED_MAX; i++) {
		(void)snprintf(name, sizeof(name), "z%d", i);
		begin(name, false, NOW_S + (i == 7 ? 10 : 1000));
	}
	assert_int_equal(gone.watched.number, 0);
	begin("one-more", false, NOW_S + 5);
	assert_string_equal(gone.watched.name, "z7");
	assert_int_equal(list.count, WATCHED_MAX);
	restart();
	assert_int_equal(list.count, WATCHED_MAX);
	assert_string_equal(list.list[WATCHED_MAX - 1].watched.name, "one-more");
}

static void test_watchlist_that_is_damaged_is_not_taken(void **state)
{
	int fd;

	begin("lgwan", false, NOW_S + 100);
	fd = openat(place.dir, "watched", O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(watchlist_load(&list, place.dir), -ERR_INTEGRITY);
	assert_int_equal(list.count, 0);
}

/* The checksum is right: whoever wrote it did not keep to the form. */
static void test_watchlist_of_another_form_is_not_taken(void **state)
{
	static const char *const bad[] = {
		"",
		"last -1\n",
		"last 1\nnumber -1\nzone lgwan\nwhy x\nsince 1\nuntil 2\nby yamada\n",
		"last 1\nnumber 1\nstation lgwan\nwhy x\nsince 1\nuntil 2\nby yamada\n",
		"last 1\nnumber 1\nzone lgwan\nwhy x\nsince 1\nuntil -2\nby yamada\n",
		"last 1\nnumber 1\nzone lgwan\nwhy x\nsince 1\nuntil 2\n",
	};
	struct watchlist other;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			file_replace(place.dir, "watched", "sekisho-watched", span_of(bad[i])), 0);
		assert_int_equal(watchlist_load(&other, place.dir), -ERR_INTEGRITY);
		assert_int_equal(other.count, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_watchlist_lasts_over_a_restart_and_numbers_go_on),
		TEST(test_watchlist_of_a_station_without_name_or_reason_is_kept),
		TEST(test_watchlist_has_one_watch_of_a_name_and_kind),
		TEST(test_watchlist_ends_at_its_time),
		TEST(test_watchlist_that_is_full_loses_the_one_that_ends_first),
		TEST(test_watchlist_that_is_damaged_is_not_taken),
		TEST(test_watchlist_of_another_form_is_not_taken),
#undef TEST
	};

	return cmocka_run_group_tests_name("watchlist", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long records stay (L1): what was removed early, and what will be, is said once, with figures.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "audit/retention.h"
#include "place.h"

#define DAY_S    86400
#define HOUR_S   3600
#define NS_PER_S 1000000000LL
#define BEGIN_S  1775001600
#define SEGMENT  (16U << 10)
#define SAID_MAX 16

struct said {
	enum event_id id;
	uint64_t reach_days, lasts_days, keep_days, count;
};

struct fixture {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct record_form form;
	struct store store;
	struct retention retention;
	struct said said[SAID_MAX];
	size_t said_count;
};

static void on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct fixture *f = ctx;
	struct said *said = &f->said[f->said_count++];

	assert_true(f->said_count <= SAID_MAX);
	*said = (struct said){.id = id, .lasts_days = UINT64_MAX};
	for (size_t i = 0; i < count; i++) {
		if (args[i].key == FIELD_REACH_DAYS)
			said->reach_days = args[i].number;
		else if (args[i].key == FIELD_LASTS_DAYS)
			said->lasts_days = args[i].number;
		else if (args[i].key == FIELD_KEEP_DAYS)
			said->keep_days = args[i].number;
		else
			said->count = args[i].number;
	}
}

static void open_log(struct fixture *f, uint64_t limit_bytes)
{
	struct store_recovery found;

	assert_int_equal(
		store_open(&f->store, f->place.dir, &f->form, limit_bytes, SEGMENT, &found), 0);
	f->retention = (struct retention){
		.store = &f->store, .event = on_event, .ctx = f, .keep_s = 30 * DAY_S};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	f->clock = clock_simulate(&f->time);
	f->time.wall_ns = BEGIN_S * NS_PER_S;
	f->form = (struct record_form){.clock = &f->clock, .host = "h", .utc_offset_s = 9 * HOUR_S};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	place_close(&f->place);
	free(f);
	return 0;
}

static int64_t now_s(const struct fixture *f)
{
	return f->time.wall_ns / NS_PER_S;
}

/* So many files' worth of records, evenly over so many seconds. */
static void write_files(struct fixture *f, unsigned files, int64_t over_s)
{
	char filler[201];
	struct event_record event;
	uint64_t written = 0;
	int64_t from_ns = f->time.wall_ns;

	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	event_build(&event, EVENT_HEARTBEAT, (const struct event_arg[]){EV_TEXT(DETAIL, filler)},
		    1);
	while (written < (uint64_t)files * SEGMENT) {
		uint64_t before = f->store.total_bytes;

		assert_int_equal(store_append(&f->store, "arbiter", &event), 0);
		written += f->store.total_bytes > before ? f->store.total_bytes - before : 0;
		f->time.wall_ns = from_ns + (int64_t)((double)over_s * (double)NS_PER_S *
						      (double)written / (files * SEGMENT));
	}
}

static const struct said *look(struct fixture *f)
{
	size_t before = f->said_count;

	retention_look(&f->retention, now_s(f));
	return f->said_count > before ? &f->said[before] : NULL;
}

static void test_retention_says_the_figures_each_day(void **state)
{
	struct fixture *f = *state;
	const struct said *said;

	open_log(f, 1000 * SEGMENT);
	write_files(f, 20, 10 * DAY_S); /* 2 a day: 500 days */
	said = look(f);
	assert_non_null(said);
	assert_int_equal(said->id, EVENT_LOG_REACH);
	assert_int_equal(said->reach_days, 10);
	assert_in_range(said->lasts_days, 430, 570);
	assert_int_equal(said->keep_days, 30);
	for (unsigned i = 1; i < RETENTION_SAY_LOOKS; i++)
		assert_null(look(f));
	assert_non_null(look(f));
}

static void test_retention_knows_no_rate_of_a_young_log(void **state)
{
	struct fixture *f = *state;
	const struct said *said;

	open_log(f, 40 * SEGMENT);
	write_files(f, 10, HOUR_S / 2);
	said = look(f);
	assert_int_equal(said->id, EVENT_LOG_REACH);
	assert_int_equal(said->lasts_days, UINT64_MAX);
	assert_null(look(f));
}

static void test_retention_warns_of_todays_rate_once_and_says_when_it_is_over(void **state)
{
	struct fixture *f = *state;
	const struct said *said;

	open_log(f, 100 * SEGMENT);
	write_files(f, 10, 10 * DAY_S); /* 1 a day: 100 days */
	assert_int_equal(look(f)->id, EVENT_LOG_REACH);
	write_files(f, 10, DAY_S); /* 10 a day: 10 days */
	said = look(f);
	assert_non_null(said);
	assert_int_equal(said->id, EVENT_LOG_RETENTION_SHORT);
	assert_in_range(said->lasts_days, 8, 11);
	assert_int_equal(said->keep_days, 30);
	assert_null(look(f));
	write_files(f, 4, 4 * DAY_S);
	said = look(f);
	assert_non_null(said);
	assert_int_equal(said->id, EVENT_LOG_RETENTION_KEPT);
	assert_true(said->lasts_days >= 33);
	assert_null(look(f));
}

/* The report of the next month sees that it goes on. */
static void test_retention_says_each_day_that_the_limit_does_not_last(void **state)
{
	struct fixture *f = *state;

	open_log(f, 100 * SEGMENT);
	write_files(f, 20, 2 * DAY_S);
	assert_int_equal(look(f)->id, EVENT_LOG_RETENTION_SHORT);
	assert_int_equal(f->said_count, 2);
	for (unsigned i = 1; i < RETENTION_SAY_LOOKS; i++)
		assert_null(look(f));
	assert_int_equal(look(f)->id, EVENT_LOG_REACH);
	assert_int_equal(f->said_count, 4);
	assert_int_equal(f->said[3].id, EVENT_LOG_RETENTION_SHORT);
}

static void test_retention_that_is_no_longer_wanted_ends_the_warning(void **state)
{
	struct fixture *f = *state;

	open_log(f, 100 * SEGMENT);
	write_files(f, 20, 2 * DAY_S);
	assert_int_equal(look(f)->id, EVENT_LOG_RETENTION_SHORT);
	f->said_count = 0;
	retention_set(&f->retention, 30 * DAY_S);
	assert_int_equal(f->said_count, 0); /* as before */
	retention_set(&f->retention, 0);
	assert_int_equal(f->said_count, 2);
	assert_int_equal(f->said[0].id, EVENT_LOG_RETENTION_KEPT);
	assert_int_equal(f->said[1].id, EVENT_LOG_REACH);
	assert_null(look(f));
}

static void test_retention_says_what_was_removed_before_its_time(void **state)
{
	struct fixture *f = *state;
	uint64_t first = 1;
	const struct said *said;

	open_log(f, 10 * SEGMENT);
	write_files(f, 30, 3 * DAY_S);
	assert_true(f->store.segments[0].first_sequence > first);
	said = look(f);
	assert_int_equal(said->id, EVENT_LOG_RETENTION_CUT);
	assert_int_equal(said->count, f->store.segments[0].first_sequence - first);
	assert_in_range(said->reach_days, 0, 1);
	assert_int_equal(said->keep_days, 30);
	assert_int_equal(f->said[1].id, EVENT_LOG_RETENTION_SHORT);
	assert_null(look(f)); /* once for each that went */
	first = f->store.segments[0].first_sequence;
	write_files(f, 2, HOUR_S);
	said = look(f);
	assert_int_equal(said->id, EVENT_LOG_RETENTION_CUT);
	assert_int_equal(said->count, f->store.segments[0].first_sequence - first);
}

static void test_retention_is_silent_about_old_records_that_go(void **state)
{
	struct fixture *f = *state;

	open_log(f, 10 * SEGMENT);
	write_files(f, 30, 300 * DAY_S);
	assert_true(f->store.removed > 0);
	assert_int_equal(look(f)->id, EVENT_LOG_REACH);
	assert_int_equal(f->said_count, 1);
}

static void test_retention_knows_the_times_again_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct retention_figures before, after;

	open_log(f, 1000 * SEGMENT);
	write_files(f, 20, 10 * DAY_S);
	before = retention_measure(&f->store, now_s(f));
	assert_true(before.reach_s > 9 * DAY_S && before.lasts_s > 0);
	store_close(&f->store);
	open_log(f, 1000 * SEGMENT);
	after = retention_measure(&f->store, now_s(f));
	assert_int_equal(after.reach_s, before.reach_s);
	assert_int_equal(after.lasts_s, before.lasts_s);
}

static void test_retention_judges_nothing_by_a_clock_that_was_set_back(void **state)
{
	struct fixture *f = *state;
	struct retention_figures found;

	open_log(f, 1000 * SEGMENT);
	write_files(f, 20, 10 * DAY_S);
	found = retention_measure(&f->store, BEGIN_S - DAY_S);
	assert_int_equal(found.reach_s, 0);
	assert_int_equal(found.lasts_s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_retention_says_the_figures_each_day, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_retention_knows_no_rate_of_a_young_log, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_warns_of_todays_rate_once_and_says_when_it_is_over, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_says_each_day_that_the_limit_does_not_last, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_that_is_no_longer_wanted_ends_the_warning, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_says_what_was_removed_before_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retention_is_silent_about_old_records_that_go,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_knows_the_times_again_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_retention_judges_nothing_by_a_clock_that_was_set_back, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L2: what is told of the clock, once each, over simulated hours. */
#include "unit.h"

#include "supervisor/time/watch.h"

#define LOST_AFTER_MS 900000U
#define START_MS      5000U
#define SECOND_MS     1000U
#define NS_PER_MS     1000000LL

static struct time_watch watch;
static struct control_time report;
static uint64_t now_ms;
static uint32_t is_false;

static int setup(void **state)
{
	now_ms = START_MS;
	time_watch_begin(&watch, now_ms);
	report = (struct control_time){.server_count = 3};
	return 0;
}

/* One second later, with or without a measurement that was believed. */
static unsigned second(bool believed)
{
	now_ms += SECOND_MS;
	if (believed) {
		report.synchronised = 1;
		report.updates++;
		report.servers[1].state = CLOCK_SERVER_USED;
	}
	return time_watch_look(&watch, &report, LOST_AFTER_MS, now_ms, &is_false);
}

/* Seconds without a measurement until something is told. */
static unsigned seconds_until_news(unsigned *news)
{
	unsigned count = 0;

	do {
		*news = second(false);
		count++;
	} while (*news == 0 && count < 2 * LOST_AFTER_MS / SECOND_MS);
	return count;
}

static void test_time_watch_tells_the_first_synchronisation_once(void **state)
{
	assert_int_equal(second(false), 0);
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	assert_int_equal(second(true), 0);
	assert_int_equal(second(false), 0);
	assert_ptr_equal(time_watch_used(&report), &report.servers[1]);
}

static void test_time_watch_tells_of_silence_to_the_second_and_of_its_end(void **state)
{
	unsigned news;

	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	assert_int_equal(seconds_until_news(&news), LOST_AFTER_MS / SECOND_MS);
	assert_int_equal(news, TIME_NEWS_LOST);
	(void)seconds_until_news(&news);
	assert_int_equal(news, 0); /* told once */
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	assert_int_equal(second(false), 0);
}

static void test_time_watch_tells_of_a_server_that_was_never_heard(void **state)
{
	unsigned news;

	assert_int_equal(seconds_until_news(&news), LOST_AFTER_MS / SECOND_MS);
	assert_int_equal(news, TIME_NEWS_LOST);
}

static void test_time_watch_tells_of_silence_when_the_process_is_silent(void **state)
{
	unsigned news = 0;

	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	while (news == 0 && now_ms < START_MS + 2 * LOST_AFTER_MS) {
		now_ms += SECOND_MS;
		news = time_watch_look(&watch, NULL, LOST_AFTER_MS, now_ms, &is_false);
	}
	assert_int_equal(news, TIME_NEWS_LOST);
	assert_int_equal(now_ms, START_MS + SECOND_MS + LOST_AFTER_MS);
}

static void test_time_watch_takes_a_new_life_of_the_process_for_no_news(void **state)
{
	for (int i = 0; i < 5; i++)
		(void)second(true);
	report.updates = 0;
	report.synchronised = 0;
	assert_int_equal(second(false), 0);
	assert_int_equal(second(true), 0);
	assert_int_equal(watch.believed_ms, now_ms);
}

static void test_time_watch_tells_of_drift_and_of_its_end_with_a_gap_between(void **state)
{
	static const struct {
		int64_t offset_ms;
		unsigned news;
	} steps[] = {
		{999, 0},
		{1000, 0},
		{1001, TIME_NEWS_DRIFTS},
		{700, 0},
		{-900, 0},
		{501, 0},
		{500, TIME_NEWS_STEADY},
		{-1001, TIME_NEWS_DRIFTS},
		{0, TIME_NEWS_STEADY},
	};

	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		report.offset_ns = steps[i].offset_ms * NS_PER_MS;
		assert_int_equal(second(true), steps[i].news);
	}
}

static void test_time_watch_tells_of_a_server_that_is_followed_but_not_believed(void **state)
{
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	report.servers[1].offset_ns = 3600 * 1000 * NS_PER_MS;
	assert_int_equal(second(false), TIME_NEWS_DRIFTS);
	report.servers[1].state = CLOCK_SERVER_FIT; /* another one is followed again */
	report.servers[0].state = CLOCK_SERVER_USED;
	assert_int_equal(second(false), TIME_NEWS_STEADY);
}

/* The only server jumps by ten years: unsteady at first, used again once its answers agree. */
static void test_time_watch_tells_at_once_of_a_server_that_jumps(void **state)
{
	unsigned news;

	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	report.servers[1].offset_ns = -315360000 * 1000LL * NS_PER_MS;
	report.servers[1].state = CLOCK_SERVER_UNSTEADY;
	assert_int_equal(second(false), TIME_NEWS_DRIFTS);
	report.servers[1].state = CLOCK_SERVER_USED;
	(void)seconds_until_news(&news);
	assert_int_equal(news, TIME_NEWS_LOST); /* none of it was believed */
	report.servers[1].offset_ns = 0;
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED | TIME_NEWS_STEADY);
}

static void test_time_watch_does_not_heed_an_unsteady_server_beside_a_used_one(void **state)
{
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	report.servers[0].state = CLOCK_SERVER_UNSTEADY;
	report.servers[0].offset_ns = 3600 * 1000 * NS_PER_MS;
	assert_int_equal(second(false), 0);
	assert_ptr_equal(time_watch_heeded(&report), &report.servers[1]);
}

static void test_time_watch_tells_of_a_clock_that_runs_too_fast_to_be_corrected(void **state)
{
	assert_int_equal(second(true), TIME_NEWS_SYNCHRONISED);
	report.frequency = -(int64_t)TIME_WATCH_PPM * CLOCK_PPM;
	assert_int_equal(second(true), 0);
	report.frequency--;
	assert_int_equal(second(true), TIME_NEWS_DRIFTS);
}

static void test_time_watch_does_not_tell_of_drift_before_the_clock_was_set(void **state)
{
	report.offset_ns = 86400 * 1000 * NS_PER_MS;
	assert_int_equal(second(false), 0);
}

static void test_time_watch_names_each_false_server_once_until_it_is_true(void **state)
{
	report.servers[0].state = report.servers[2].state = CLOCK_SERVER_FALSE;
	(void)second(true);
	assert_int_equal(is_false, 5);
	(void)second(true);
	assert_int_equal(is_false, 0);
	report.servers[2].state = CLOCK_SERVER_SILENT;
	(void)second(true);
	report.servers[2].state = CLOCK_SERVER_FALSE;
	(void)second(true);
	assert_int_equal(is_false, 0); /* silence is no recovery */
	report.servers[2].state = CLOCK_SERVER_FIT;
	(void)second(true);
	report.servers[2].state = CLOCK_SERVER_FALSE;
	(void)second(true);
	assert_int_equal(is_false, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time_watch_tells_the_first_synchronisation_once, setup),
		cmocka_unit_test_setup(
			test_time_watch_tells_of_silence_to_the_second_and_of_its_end, setup),
		cmocka_unit_test_setup(test_time_watch_tells_of_a_server_that_was_never_heard,
				       setup),
		cmocka_unit_test_setup(test_time_watch_tells_of_silence_when_the_process_is_silent,
				       setup),
		cmocka_unit_test_setup(test_time_watch_takes_a_new_life_of_the_process_for_no_news,
				       setup),
		cmocka_unit_test_setup(
			test_time_watch_tells_of_drift_and_of_its_end_with_a_gap_between, setup),
		cmocka_unit_test_setup(
			test_time_watch_tells_of_a_server_that_is_followed_but_not_believed, setup),
		cmocka_unit_test_setup(test_time_watch_tells_at_once_of_a_server_that_jumps, setup),
		cmocka_unit_test_setup(
			test_time_watch_does_not_heed_an_unsteady_server_beside_a_used_one, setup),
		cmocka_unit_test_setup(
			test_time_watch_tells_of_a_clock_that_runs_too_fast_to_be_corrected, setup),
		cmocka_unit_test_setup(
			test_time_watch_does_not_tell_of_drift_before_the_clock_was_set, setup),
		cmocka_unit_test_setup(
			test_time_watch_names_each_false_server_once_until_it_is_true, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

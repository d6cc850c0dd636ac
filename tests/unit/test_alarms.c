/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms (Z12) in simulated time: what raises them, what ends them, what a restart keeps. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/alarms.h"
#include "base/err.h"
#include "place.h"

#define START_S 1800000000
#define HOUR_S  3600

static struct alarms alarms;
static unsigned unsteady;
static struct place place;

static void on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct event_record event;

	assert_int_equal(id, EVENT_PROCESS_UNSTEADY);
	unsteady++;
	assert_int_equal(event_build(&event, id, args, count), 0);
	alarms_see(&alarms, &event, START_S);
}

static int setup(void **state)
{
	alarms = (struct alarms){.event = on_event};
	unsteady = 0;
	place_open(&place);
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

#define see(time_s, id, ...)                                                                       \
	see_args((time_s), EVENT_##id, (const struct event_arg[]){{0}, ##__VA_ARGS__} + 1,         \
		 sizeof((const struct event_arg[]){{0}, ##__VA_ARGS__}) /                          \
				 sizeof(struct event_arg) -                                        \
			 1)

static void see_args(int64_t time_s, enum event_id id, const struct event_arg *args, size_t count)
{
	struct event_record event;

	assert_int_equal(event_build(&event, id, args, count), 0);
	alarms_see(&alarms, &event, time_s);
}

/* Whether what people, or a supporter (@public), are shown has this text. */
static bool shows_to(bool public, bool japanese, const char *text)
{
	struct bytes out;
	bool found;

	bytes_init(&out, 1 << 20);
	assert_int_equal(alarms_print(&alarms, japanese, public, &out), 0);
	assert_int_equal(bytes_append_u8(&out, 0), 0);
	found = strstr((const char *)out.data, text) != NULL;
	bytes_fini(&out);
	return found;
}

static bool shows(bool japanese, const char *text)
{
	return shows_to(false, japanese, text);
}

static void test_alarms_stand_until_the_event_that_ends_them(void **state)
{
	assert_true(shows(false, "no alarms"));
	see(START_S, SYSLOG_AWAY, EV_TEXT(SERVER, "10.0.0.1:514"), EV_NUMBER(ERROR, 111));
	see(START_S + 60, SYSLOG_AWAY, EV_TEXT(SERVER, "10.0.0.2:514"));
	see(START_S + 90, SYSLOG_AWAY, EV_TEXT(SERVER, "10.0.0.1:514"));
	assert_int_equal(alarms.count, 2);
	assert_true(shows(false, "2027-01-15 08:00:00Z  syslog-away  10.0.0.1:514\n    2 times"));
	assert_true(shows(true, "syslogサーバと経路を確認"));
	alarms_expire(&alarms, START_S + 1000 * 24 * HOUR_S);
	assert_int_equal(alarms.count, 2);
	see(START_S + 99, SYSLOG_BACK, EV_TEXT(SERVER, "10.0.0.1:514"));
	assert_int_equal(alarms.count, 1);
	assert_false(shows(false, "10.0.0.1"));
	see(START_S + 99, GATEWAY_STARTS);
	assert_int_equal(alarms.count, 0);
}

/* One that was not saved is listed until the next start: its alarm would have no end after it. */
static void test_alarms_of_emergencies_are_those_that_stand_after_a_start(void **state)
{
	see(START_S, EMERGENCY_OPENED, EV_NUMBER(EMERGENCY, 1));
	see(START_S, EMERGENCY_OPENED, EV_NUMBER(EMERGENCY, 2));
	assert_int_equal(alarms.count, 2);
	see(START_S + 9, GATEWAY_STARTS);
	see(START_S + 9, EMERGENCY_STANDS, EV_NUMBER(EMERGENCY, 1));
	assert_int_equal(alarms.count, 1);
	see(START_S + 99, EMERGENCY_ACKNOWLEDGED, EV_NUMBER(EMERGENCY, 1));
	assert_int_equal(alarms.count, 0);
}

static void test_alarms_without_an_end_pass_after_their_hours(void **state)
{
	static const uint8_t source[4] = {10, 20, 0, 9};

	see(START_S, SCAN_DETECTED, EV_TEXT(ZONE, "lgwan"), EV_IPV4(SOURCE, source));
	alarms_expire(&alarms, START_S + 24 * HOUR_S);
	assert_int_equal(alarms.count, 1);
	assert_true(shows(false, "scan-detected  10.20.0.9"));
	assert_true(shows_to(true, false, "scan-detected  (removed)"));
	see(START_S + 24 * HOUR_S, SCAN_DETECTED, EV_IPV4(SOURCE, source));
	alarms_expire(&alarms, START_S + 48 * HOUR_S);
	assert_int_equal(alarms.count, 1);
	alarms_expire(&alarms, START_S + 48 * HOUR_S + 1);
	assert_int_equal(alarms.count, 0);
}

/* Nothing critical goes without an alarm, also what the table does not name. */
static void test_alarms_stand_for_everything_critical(void **state)
{
	for (unsigned id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		if (event_severity(id) > 2)
			continue;
		alarms.count = 0;
		see_args(START_S, id, NULL, 0);
		assert_int_equal(alarms.count, 1);
	}
}

static void test_alarms_have_names_and_words_for_both_languages(void **state)
{
	unsigned count = 0;

	for (uint32_t kind = 0; alarm_name(kind) != NULL; kind++, count++) {
		for (uint32_t other = 0; other < kind && kind < 30; other++)
			assert_string_not_equal(alarm_name(kind), alarm_name(other));
		alarms.count = 1;
		alarms.standing[0] = (struct alarm){.kind = kind, .about = "-"};
		assert_true(shows(true, "。"));
		assert_true(shows(false, alarm_name(kind)));
	}
	assert_true(count > EVENT_COUNT_);
}

/* Hours apart, no storm sees them; together they are an alarm. */
static void test_alarms_see_a_process_that_dies_over_hours(void **state)
{
	for (unsigned i = 0; i < 3 * ALARM_DEATHS; i++)
		see(START_S + i * HOUR_S, PROCESS_DIED, EV_TEXT(PROCESS, "arbiter"),
		    EV_NUMBER(SIGNAL, SIGSEGV));
	assert_int_equal(unsteady, 0);
	for (unsigned i = 1; i < ALARM_DEATHS; i++)
		see(START_S + 90 * HOUR_S + i * 1800, PROCESS_DIED, EV_TEXT(PROCESS, "arbiter"),
		    EV_NUMBER(SIGNAL, SIGSEGV));
	assert_int_equal(unsteady, 0);
	see(START_S + 90 * HOUR_S + ALARM_DEATHS * 1800, PROCESS_DIED, EV_TEXT(PROCESS, "arbiter"),
	    EV_NUMBER(SIGNAL, SIGSEGV));
	assert_int_equal(unsteady, 1);
	assert_true(shows(false, "process-unsteady  arbiter"));
}

/* A session that is ended on purpose is no fault; one that crashes is. */
static void test_alarms_count_crashes_of_sessions_only(void **state)
{
	for (unsigned i = 0; i < 2 * ALARM_DEATHS; i++)
		see(START_S + i, PROCESS_DIED, EV_TEXT(PROCESS, "mail-receiver"),
		    EV_NUMBER(SIGNAL, SIGKILL), EV_NUMBER(SESSION, i + 1));
	assert_int_equal(unsteady, 0);
	for (unsigned i = 0; i < ALARM_DEATHS; i++)
		see(START_S + i, PROCESS_DIED, EV_TEXT(PROCESS, "mail-receiver"),
		    EV_NUMBER(SIGNAL, SIGSYS), EV_NUMBER(SESSION, i + 1));
	assert_int_equal(unsteady, 1);
}

static void test_alarms_and_deaths_are_kept_over_a_restart(void **state)
{
	see(START_S, ZONE_ISOLATED, EV_TEXT(ZONE, "internet"));
	see(START_S, WATCHDOG_FAILED);
	for (unsigned i = 1; i < ALARM_DEATHS; i++)
		see(START_S + i, PROCESS_DIED, EV_TEXT(PROCESS, "audit"), EV_NUMBER(SIGNAL, 9));
	assert_int_equal(alarms_keep(&alarms, place.dir), 0);
	alarms = (struct alarms){.event = on_event};
	assert_int_equal(alarms_load(&alarms, place.dir), 0);
	assert_int_equal(alarms.count, 2);
	assert_true(shows(false, "zone-isolated  internet\n    1 times"));
	see(START_S + 99, PROCESS_DIED, EV_TEXT(PROCESS, "audit"), EV_NUMBER(SIGNAL, 9));
	assert_int_equal(unsteady, 1);
}

static void test_alarms_of_a_damaged_file_are_not_taken(void **state)
{
	int fd;

	assert_int_equal(alarms_load(&alarms, place.dir), 0); /* there is none */
	see(START_S, LOG_BROKEN);
	assert_int_equal(alarms_keep(&alarms, place.dir), 0);
	fd = openat(place.dir, "alarms", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	alarms = (struct alarms){.event = on_event};
	assert_int_equal(alarms_load(&alarms, place.dir), -ERR_INTEGRITY);
	assert_int_equal(alarms.count, 0);
}

/* Of an alarm about two things an event may end all that are about the first. */
static void test_alarms_of_floods_end_by_address_and_with_the_zone(void **state)
{
	static const uint8_t one[6] = {2, 0, 0, 0, 0, 1}, other[6] = {2, 0, 0, 0, 0, 2};

	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "lgwan"), EV_MAC(MAC, one));
	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "lgwan"), EV_MAC(MAC, other));
	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "lgwan-2"), EV_MAC(MAC, one));
	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "internet"), EV_MAC(MAC, one));
	assert_int_equal(alarms.count, 4);
	see(START_S + 1, FLOOD_ENDED, EV_TEXT(ZONE, "internet"), EV_MAC(MAC, other));
	assert_int_equal(alarms.count, 4);
	see(START_S + 1, FLOOD_ENDED, EV_TEXT(ZONE, "internet"), EV_MAC(MAC, one));
	assert_int_equal(alarms.count, 3);
	see(START_S + 2, ZONE_REMOVED, EV_TEXT(ZONE, "lgwan"));
	assert_int_equal(alarms.count, 1);
	assert_true(shows(false, "flood-detected  lgwan-2/02:00:00:00:00:01"));
	see(START_S + 3, GATEWAY_STARTS);
	assert_int_equal(alarms.count, 0);
}

/* A netfilter that was started again does not know what the one before it had seen. */
static void test_alarms_of_floods_end_where_a_new_watch_begins(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "lgwan"), EV_MAC(MAC, mac));
	see(START_S, ZONE_FLOODED, EV_TEXT(ZONE, "lgwan"));
	see(START_S, FLOOD_DETECTED, EV_TEXT(ZONE, "internet"), EV_MAC(MAC, mac));
	see(START_S, ZONE_FLOODED, EV_TEXT(ZONE, "internet"));
	see(START_S + 1, FLOOD_WATCH_BEGUN, EV_TEXT(ZONE, "lgwan"));
	assert_int_equal(alarms.count, 2);
	assert_true(shows(false, "flood-detected  internet/02:00:00:00:00:01"));
	assert_true(shows(false, "zone-flooded  internet"));
}

static void see_pair(int64_t time_s, enum event_id id, const char *from, const char *to)
{
	const struct event_arg args[] = {EV_TEXT(FROM_ZONE, from), EV_TEXT(TO_ZONE, to)};

	see_args(time_s, id, args, 2);
}

/* Of a pair of zones: what is said of either of them with a third is of no concern to it. */
static void test_alarms_of_two_fields_stand_for_each_pair(void **state)
{
	see_pair(START_S, EVENT_PATH_DIFFERS, "internet", "mynumber");
	see_pair(START_S, EVENT_PATH_DIFFERS, "internet", "lgwan");
	see_pair(START_S, EVENT_PATH_DIFFERS, "lgwan", "mynumber");
	see_pair(START_S + 1, EVENT_PATH_DIFFERS, "internet", "mynumber");
	assert_int_equal(alarms.count, 3);
	assert_true(shows_to(true, false, "path-differs  internet/mynumber\n    2 times"));
	see_pair(START_S + 2, EVENT_PATH_READ, "internet", "lgwan");
	assert_int_equal(alarms.count, 2);
	assert_false(shows(false, "internet/lgwan"));
	assert_int_equal(alarms_keep(&alarms, place.dir), 0);
	alarms = (struct alarms){.event = on_event};
	assert_int_equal(alarms_load(&alarms, place.dir), 0);
	alarms_expire(&alarms, START_S + 1000 * HOUR_S);
	assert_int_equal(alarms.count, 2);
	see_pair(START_S + 3, EVENT_PATH_READ, "internet", "mynumber");
	assert_false(shows(false, "internet/mynumber"));
	assert_true(shows(false, "path-differs  lgwan/mynumber\n    1 times"));
	see(START_S + 4, ZONE_REMOVED, EV_TEXT(ZONE, "mynumber"));
	assert_int_equal(alarms.count, 0);
}

/* A flood of sources pushes out others of its kind, not what only an event ends. */
static void test_alarms_that_need_an_event_outlast_a_flood(void **state)
{
	see(START_S, ZONE_ISOLATED, EV_TEXT(ZONE, "internet"));
	for (unsigned i = 0; i < 4 * ALARMS_MAX; i++) {
		const uint8_t source[4] = {10, 20, (uint8_t)(i >> 8), (uint8_t)i};

		see(START_S + 1 + i, SCAN_DETECTED, EV_IPV4(SOURCE, source));
	}
	assert_int_equal(alarms.count, ALARMS_MAX);
	assert_true(shows(false, "zone-isolated  internet"));
}

static void test_alarms_show_nothing_that_a_terminal_obeys(void **state)
{
	see(START_S, SCANNER_DOWN, EV_TEXT(NAME, "a\x1b[2J\nb \xe2\x80\xae"));
	assert_true(shows(false, "scanner-down  a?[2J?b????\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_alarms_stand_until_the_event_that_ends_them),
		TEST(test_alarms_of_emergencies_are_those_that_stand_after_a_start),
		TEST(test_alarms_without_an_end_pass_after_their_hours),
		TEST(test_alarms_stand_for_everything_critical),
		TEST(test_alarms_have_names_and_words_for_both_languages),
		TEST(test_alarms_see_a_process_that_dies_over_hours),
		TEST(test_alarms_count_crashes_of_sessions_only),
		TEST(test_alarms_and_deaths_are_kept_over_a_restart),
		TEST(test_alarms_of_a_damaged_file_are_not_taken),
		TEST(test_alarms_of_two_fields_stand_for_each_pair),
		TEST(test_alarms_of_floods_end_by_address_and_with_the_zone),
		TEST(test_alarms_of_floods_end_where_a_new_watch_begins),
		TEST(test_alarms_that_need_an_event_outlast_a_flood),
		TEST(test_alarms_show_nothing_that_a_terminal_obeys),
#undef TEST
	};

	return cmocka_run_group_tests_name("alarms", tests, NULL, NULL);
}

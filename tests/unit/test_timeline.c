/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The course of an incident (C7): which records of the log tell it, from when on, in what words. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "audit/timeline.h"
#include "base/err.h"

static struct timeline timeline;
static struct bytes out;

static void begin(const char *argument)
{
	bytes_clear(&out);
	assert_int_equal(timeline_init(&timeline, argument, &out), 0);
}

static int setup(void **state)
{
	bytes_init(&out, 65536);
	begin("en");
	return 0;
}

static int teardown(void **state)
{
	bytes_fini(&out);
	return 0;
}

/* A record as audit writes it. */
static void take(unsigned number, const char *time, double mono_s, const char *event,
		 const char *fields)
{
	char line[512];
	int size = snprintf(line, sizeof(line),
			    "<134>1 2026-11-22T%s.000+09:00 gw sekisho test %s "
			    "[sekisho@32473 seq=\"%u\" mono=\"%.6f\"%s hash=\"00\"]",
			    time, event, number, mono_s, fields);

	assert_true(size > 0 && (size_t)size < sizeof(line));
	assert_int_equal(timeline_take(&timeline, (struct span){(uint8_t *)line, (size_t)size}), 0);
}

/* How many lines were written. */
static unsigned told(void)
{
	unsigned lines = 0;

	for (size_t i = 0; i < out.size; i++)
		lines += out.data[i] == '\n';
	return lines;
}

static bool says(const char *text)
{
	return memmem(out.data, out.size, text, strlen(text)) != NULL;
}

static void test_timeline_tells_who_did_what_with_the_number_of_the_record(void **state)
{
	take(7, "18:00:00", 100, "zone-isolated", " zone=\"lgwan\" user=\"yamada\"");
	assert_int_equal(told(), 1);
	assert_true(
		says("7 | 2026-11-22T18:00:00.000+09:00 | zone-isolated | A zone was isolated"));
	assert_true(says("zone=\"lgwan\" user=\"yamada\""));
	begin("ja");
	take(7, "18:00:00", 100, "zone-isolated", " zone=\"lgwan\"");
	assert_true(says("ゾーンを隔離した"));
}

static void test_timeline_leaves_out_what_tells_nothing_of_an_incident(void **state)
{
	take(1, "18:00:00", 100, "heartbeat", "");
	take(2, "18:00:01", 101, "flow-permitted", " src=\"10.10.0.5\"");
	take(3, "18:00:02", 102, "no-such-event", "");
	assert_int_equal(timeline_take(&timeline, span_of("no record")), 0);
	assert_int_equal(told(), 0);
}

static void test_timeline_has_alarms_and_what_ends_them_and_critical_events(void **state)
{
	take(1, "18:00:00", 100, "scan-detected", " src=\"10.10.0.5\"");
	take(2, "18:00:01", 101, "syslog-back", " server=\"10.20.0.8\"");
	take(3, "18:00:02", 102, "mail-not-conforming", "");
	assert_int_equal(told(), 3);
}

/* Each commit and each day the kernel is read back, for each zone and each pair. */
static void test_timeline_tells_what_was_read_back_only_where_it_had_differed(void **state)
{
	take(1, "18:00:00", 100, "zone-read", " zone=\"lgwan\"");
	take(2, "18:00:00", 100, "path-read", " from=\"lgwan\" to=\"internet\"");
	assert_int_equal(told(), 0);
	take(3, "18:00:01", 101, "zone-differs", " zone=\"lgwan\"");
	take(4, "18:00:01", 101, "path-differs", " from=\"lgwan\" to=\"internet\"");
	take(5, "18:00:02", 102, "zone-differs", " zone=\"lgwan\"");
	assert_int_equal(told(), 3);
	take(6, "18:00:03", 103, "zone-read", " zone=\"internet\"");
	take(7, "18:00:03", 103, "path-read", " from=\"internet\" to=\"lgwan\"");
	assert_int_equal(told(), 3);
	take(8, "18:00:04", 104, "zone-read", " zone=\"lgwan\"");
	take(9, "18:00:04", 104, "path-read", " from=\"lgwan\" to=\"internet\"");
	assert_true(says("8 | ") && says("9 | "));
	take(10, "18:00:05", 105, "zone-read", " zone=\"lgwan\"");
	assert_int_equal(told(), 5);
	take(11, "18:00:06", 106, "zone-differs", " zone=\"lgwan\"");
	take(12, "18:00:07", 1, "gateway-starts", "");
	take(13, "18:00:08", 2, "zone-read", " zone=\"lgwan\"");
	assert_int_equal(told(), 7);
}

static void test_timeline_names_ends_only_soon_after_an_isolation(void **state)
{
	take(1, "18:00:00", 100, "flow-ended", "");
	assert_int_equal(told(), 0);
	take(2, "18:00:05", 105, "zone-isolated", " zone=\"lgwan\"");
	take(3, "18:00:15", 115, "screen-ended", "");
	assert_int_equal(told(), 2);
	take(4, "18:00:16", 115.000001, "mail-session", "");
	assert_int_equal(told(), 2);
	/* after a restart the monotonic clock is before the isolation */
	take(5, "18:01:00", 3, "mail-session", "");
	assert_int_equal(told(), 2);
}

static void test_timeline_begins_at_the_time_asked_for(void **state)
{
	begin("en since 2026-11-22T18:30");
	take(1, "18:29:59", 100, "login", " user=\"a\"");
	take(2, "18:30:00", 101, "login", " user=\"b\"");
	assert_int_equal(told(), 1);
	assert_true(says("user=\"b\""));
	/* what is not shown has still cut what is */
	begin("en since 2026-11-22T18:30");
	take(3, "18:29:59", 200, "station-isolated", "");
	take(4, "18:30:00", 201, "flow-ended", "");
	assert_int_equal(told(), 1);
}

static void test_timeline_refuses_what_is_no_time(void **state)
{
	static const char *const wrong[] = {
		"",
		"fr",
		"en ",
		"en since",
		"en since ",
		"en since yesterday",
		"en since 2026-11-2",
		"en since 2026-11-22 18:00",
		"en since 2026-11-22T18:00:00.000",
		"en since 2026-11-22T18:",
		"en until 2026-11-22",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(timeline_init(&timeline, wrong[i], &out), -ERR_SYNTAX);
	begin("ja since 2026-11-22T18");
	begin("ja since 2026-11-22T18:00:00");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_timeline_tells_who_did_what_with_the_number_of_the_record),
		TEST(test_timeline_leaves_out_what_tells_nothing_of_an_incident),
		TEST(test_timeline_has_alarms_and_what_ends_them_and_critical_events),
		TEST(test_timeline_tells_what_was_read_back_only_where_it_had_differed),
		TEST(test_timeline_names_ends_only_soon_after_an_isolation),
		TEST(test_timeline_begins_at_the_time_asked_for),
		TEST(test_timeline_refuses_what_is_no_time),
#undef TEST
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy's times (Z8, Z10, C2): windows, holidays, last days, and the edges between them. All
 * local times are of Asia/Tokyo unless a text says otherwise. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/calendar.h"
#include "policy_fixture.h"

#define TOKYO_S (9 * 3600)
#define DAY_S   86400

static const char head[] = "zone a { tier business; port eth0; address 10.1.0.1/24; }\n"
			   "zone b { tier business; port eth1; address 10.2.0.1/24; }\n"
			   "service web { tcp 443; }\n";

/* A policy with one permit, whose further statements and what they name are given. */
static void compile(struct policy_fixture *f, const char *statements, const char *objects)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s%s\ncrossing a b { permit 1 { destination 10.2.0.8; service web; %s } }", head,
		 objects, statements);
	policy_fixture_init(f, text);
}

/* Seconds since 1970 of a local time "2026-11-23 08:30:00" of Tokyo. */
static int64_t tokyo(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return (int64_t)timegm(&tm) - TOKYO_S;
}

static void expect_open(const struct policy_fixture *f, const char *when, bool open)
{
	if (calendar_open(&f->snapshot, &f->snapshot.schedules[0], tokyo(when)) != open)
		fail_msg("%s: expected %s", when, open ? "open" : "shut");
}

static void test_calendar_window_holds_from_its_first_minute_to_before_its_last(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;", "schedule s { window mon-fri 08:30-17:15; }");
	expect_open(&f, "2026-11-24 08:29:59", false); /* a Tuesday */
	expect_open(&f, "2026-11-24 08:30:00", true);
	expect_open(&f, "2026-11-24 17:14:59", true);
	expect_open(&f, "2026-11-24 17:15:00", false);
	expect_open(&f, "2026-11-28 10:00:00", false); /* Saturday */
	expect_open(&f, "1969-12-31 10:00:00", true);  /* a Wednesday before 1970 */
	policy_fixture_fini(&f);
}

static void test_calendar_next_open_is_the_first_minute_of_the_next_window(void **state)
{
	static const struct {
		const char *now, *next;
	} cases[] = {
		{"2026-11-24 17:14:59", "2026-11-24 17:14:59"}, /* it is open */
		{"2026-11-24 17:15:00", "2026-11-25 08:30:00"},
		{"2026-11-27 23:59:30", "2026-11-30 08:30:00"}, /* over a weekend */
		{"2026-11-24 08:29:59", "2026-11-24 08:30:00"},
	};
	struct policy_fixture f;

	compile(&f, "", "schedule s { window mon-fri 08:30-17:15; }");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(calendar_next_open(&f.snapshot, &f.snapshot.schedules[0],
						    tokyo(cases[i].now)),
				 tokyo(cases[i].next));
	policy_fixture_fini(&f);
	compile(&f, "", "schedule never { holidays only; window daily 08:30-17:15; }");
	assert_true(calendar_next_open(&f.snapshot, &f.snapshot.schedules[0],
				       tokyo("2026-11-24 12:00:00")) == INT64_MAX);
	policy_fixture_fini(&f);
}

static void test_calendar_window_past_midnight_belongs_to_the_day_it_begins_on(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;",
		"schedule s { window fri 22:00-05:00; window sun 23:00-01:00; }");
	expect_open(&f, "2026-11-27 21:59:59", false); /* Friday */
	expect_open(&f, "2026-11-27 22:00:00", true);
	expect_open(&f, "2026-11-28 00:00:00", true); /* Saturday's first second */
	expect_open(&f, "2026-11-28 04:59:59", true);
	expect_open(&f, "2026-11-28 05:00:00", false);
	expect_open(&f, "2026-11-28 22:30:00", false);
	expect_open(&f, "2026-11-27 02:00:00", false); /* Thursday's night has none */
	expect_open(&f, "2026-11-30 00:30:00", true);  /* Sunday's, on Monday */
	policy_fixture_fini(&f);
}

static void test_calendar_holiday_skips_what_begins_on_it(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;",
		"holiday 2026-11-23;\n"
		"schedule s { holidays skip; window daily 22:00-05:00; window daily 09:00-10:00; "
		"}");
	expect_open(&f, "2026-11-22 22:30:00", true);
	expect_open(&f, "2026-11-23 04:59:59", true); /* began the day before */
	expect_open(&f, "2026-11-23 09:30:00", false);
	expect_open(&f, "2026-11-23 22:30:00", false);
	expect_open(&f, "2026-11-24 04:00:00", false); /* would have begun on the holiday */
	expect_open(&f, "2026-11-24 09:30:00", true);
	policy_fixture_fini(&f);
}

static void test_calendar_holidays_only_hold_on_them_alone(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;",
		"holiday 2026-11-23 2027-01-01;\n"
		"schedule s { holidays only; window mon-thu 20:00-02:00; }");
	expect_open(&f, "2026-11-23 20:00:00", true); /* Monday */
	expect_open(&f, "2026-11-24 01:59:59", true);
	expect_open(&f, "2026-11-24 20:00:00", false);
	expect_open(&f, "2027-01-01 20:00:00", false); /* a holiday, but a Friday */
	policy_fixture_fini(&f);
}

static void test_calendar_holiday_means_nothing_to_a_schedule_that_keeps_them(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;", "holiday 2026-11-23; schedule s { window mon 09:00-10:00; }");
	expect_open(&f, "2026-11-23 09:00:00", true);
	policy_fixture_fini(&f);
}

static void test_calendar_utc_has_other_hours(void **state)
{
	struct policy_fixture f;
	char text[1024];

	snprintf(text, sizeof(text),
		 "system { time-zone UTC; }\n%sschedule s { window mon 00:00-01:00; }\n"
		 "crossing a b { permit 1 { destination 10.2.0.8; service web; schedule s; } }",
		 head);
	policy_fixture_init(&f, text);
	expect_open(&f, "2026-11-23 08:59:59", false);
	expect_open(&f, "2026-11-23 09:00:00", true); /* midnight in UTC */
	policy_fixture_fini(&f);
}

static void expect_span(const struct policy_fixture *f, const char *now, const char *first,
			const char *end)
{
	struct calendar_span span = calendar_span_at(&f->snapshot, tokyo(now));

	assert_int_equal(span.first_s, tokyo(first));
	assert_int_equal(span.end_s, tokyo(end));
	assert_true(calendar_span_holds(&span, tokyo(now)));
	assert_false(calendar_span_holds(&span, span.end_s));
	assert_false(calendar_span_holds(&span, span.first_s - 1));
}

static void test_calendar_span_lies_between_two_edges(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;",
		"holiday 2026-11-23; "
		"schedule s { holidays skip; window mon-fri 08:30-17:15; }");
	expect_span(&f, "2026-11-24 10:00:00", "2026-11-24 08:30:00", "2026-11-24 17:15:00");
	expect_span(&f, "2026-11-24 08:30:00", "2026-11-24 08:30:00", "2026-11-24 17:15:00");
	/* over a weekend and the holiday that follows it */
	expect_span(&f, "2026-11-22 00:00:00", "2026-11-20 17:15:00", "2026-11-24 08:30:00");
	expect_span(&f, "2026-11-24 08:29:59", "2026-11-20 17:15:00", "2026-11-24 08:30:00");
	policy_fixture_fini(&f);
}

static void test_calendar_windows_that_meet_are_no_edge(void **state)
{
	struct policy_fixture f;

	compile(&f, "schedule s;",
		"schedule s { window mon-thu 18:00-08:00; "
		"window tue 08:00-12:00; }");
	expect_span(&f, "2026-11-24 00:00:00", "2026-11-23 18:00:00", "2026-11-24 12:00:00");
	policy_fixture_fini(&f);
}

static void test_calendar_last_day_is_included(void **state)
{
	struct policy_fixture f;

	compile(&f, "expires 2026-11-30;", "");
	assert_int_equal(f.snapshot.permits[0].expires_s, tokyo("2026-12-01 00:00:00"));
	assert_int_equal(calendar_span_at(&f.snapshot, tokyo("2026-11-30 23:59:59")).end_s,
			 tokyo("2026-12-01 00:00:00"));
	assert_int_equal(calendar_span_at(&f.snapshot, tokyo("2026-12-01 00:00:00")).first_s,
			 tokyo("2026-12-01 00:00:00"));
	policy_fixture_fini(&f);
}

static void test_calendar_without_edges_ends_at_the_horizon(void **state)
{
	struct policy_fixture f;
	int64_t now_s = tokyo("2026-11-24 10:00:00");
	struct calendar_span span;

	compile(&f, "schedule s;", "schedule s { window daily 00:00-24:00; }");
	span = calendar_span_at(&f.snapshot, now_s);
	assert_int_equal(span.end_s - now_s, CALENDAR_HORIZON_S);
	assert_int_equal(now_s - span.first_s, CALENDAR_HORIZON_S);
	assert_true(calendar_matters(&f.snapshot));
	policy_fixture_fini(&f);
	compile(&f, "", "schedule unused { window mon 09:00-10:00; }");
	assert_false(calendar_matters(&f.snapshot));
	assert_int_equal(calendar_span_at(&f.snapshot, now_s).end_s - now_s, CALENDAR_HORIZON_S);
	policy_fixture_fini(&f);
}

/* The edge that a walk from minute to minute finds; a second judge of calendar_span_at. */
static int64_t walk_to_edge(const struct policy_fixture *f, int64_t now_s, int64_t step_s)
{
	const struct snapshot_schedule *s = &f->snapshot.schedules[0];
	int64_t minute_s = now_s - now_s % 60;
	bool open = calendar_open(&f->snapshot, s, now_s);

	while (calendar_open(&f->snapshot, s, minute_s + step_s) == open)
		minute_s += step_s;
	return step_s > 0 ? minute_s + step_s : minute_s;
}

static void test_calendar_spans_are_what_a_walk_finds(void **state)
{
	static const char *const days[] = {"mon", "wed", "thu-sat", "mon-fri", "sun", "daily"};
	static const char *const modes[] = {"keep", "skip"};

	srand(7);
	for (int i = 0; i < 60; i++) {
		struct policy_fixture f;
		char objects[256];
		int64_t now_s = tokyo("2026-11-22 00:00:00") + rand() % (10 * DAY_S);

		snprintf(objects, sizeof(objects),
			 "holiday 2026-11-23 2026-11-26; schedule s { holidays %s; "
			 "window %s %02d:%02d-%02d:%02d; window %s %02d:00-%02d:30; }",
			 modes[rand() % 2], days[rand() % 6], rand() % 24, rand() % 30, rand() % 24,
			 30 + rand() % 30, days[rand() % 5], rand() % 24, rand() % 24);
		compile(&f, "schedule s;", objects);
		struct calendar_span span = calendar_span_at(&f.snapshot, now_s);

		assert_int_equal(span.end_s, walk_to_edge(&f, now_s, 60));
		assert_int_equal(span.first_s, walk_to_edge(&f, now_s, -60));
		policy_fixture_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_calendar_window_holds_from_its_first_minute_to_before_its_last),
		cmocka_unit_test(
			test_calendar_window_past_midnight_belongs_to_the_day_it_begins_on),
		cmocka_unit_test(test_calendar_next_open_is_the_first_minute_of_the_next_window),
		cmocka_unit_test(test_calendar_holiday_skips_what_begins_on_it),
		cmocka_unit_test(test_calendar_holidays_only_hold_on_them_alone),
		cmocka_unit_test(test_calendar_holiday_means_nothing_to_a_schedule_that_keeps_them),
		cmocka_unit_test(test_calendar_utc_has_other_hours),
		cmocka_unit_test(test_calendar_span_lies_between_two_edges),
		cmocka_unit_test(test_calendar_windows_that_meet_are_no_edge),
		cmocka_unit_test(test_calendar_last_day_is_included),
		cmocka_unit_test(test_calendar_without_edges_ends_at_the_horizon),
		cmocka_unit_test(test_calendar_spans_are_what_a_walk_finds),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is refused before a process is started, and how often that is told (Z14). */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/supervisor.h"

#define MS_NS UINT64_C(1000000)

static struct supervisor sup;
static struct snapshot_screen screens[6];
static struct listener listener;
static struct clock_simulated now;
static unsigned records;
static uint64_t last_count;

static struct clock test_clock;

/* In place of the supervisor's own: its log is these counts. */
void supervisor_emit(struct supervisor *s, enum event_id id, const struct event_arg *args,
		     size_t arg_count)
{
	assert_int_equal(id, EVENT_SESSION_REFUSED);
	records++;
	for (size_t i = 0; i < arg_count; i++) {
		if (args[i].key == FIELD_COUNT)
			last_count = args[i].number;
	}
}

static int setup(void **state)
{
	memset(&sup, 0, sizeof(sup));
	now = (struct clock_simulated){.mono_ns = 1000 * MS_NS, .wall_ns = 1};
	records = 0;
	test_clock = clock_simulate(&now);
	loop_init(&sup.loop, &test_clock, sup.polls, sup.loop_fds, LOOP_MAX);
	sup.running.snapshot.screens = screens;
	for (size_t i = 0; i < 6; i++)
		screens[i] =
			(struct snapshot_screen){.sessions_max = 100, .sessions_per_source = 50};
	listener = (struct listener){.used = true, .sup = &sup, .near_role = ROLE_SCREEN_VIEWER};
	return 0;
}

static struct session peer_of(unsigned screen, unsigned source, bool browser)
{
	struct session peer = {.near_role = ROLE_SCREEN_VIEWER,
			       .index = screen,
			       .peer_family = 4,
			       .peer_addr = {192, 0, 2, (uint8_t)source},
			       .browser = browser};

	(void)snprintf(peer.from, sizeof(peer.from), "lgwan");
	(void)snprintf(peer.to, sizeof(peer.to), screen == 2 ? "elsewhere" : "internet");
	(void)snprintf(peer.entry, sizeof(peer.entry), "screen-%u", screen);
	return peer;
}

/* Return: why not. */
static const char *enter(unsigned screen, unsigned source, bool browser)
{
	struct session peer = peer_of(screen, source, browser);
	const char *why = session_over_limit(&sup, &peer);

	for (size_t i = 0; i < SESSIONS_MAX && !why; i++) {
		if (sup.sessions[i].used)
			continue;
		sup.sessions[i] = peer;
		sup.sessions[i].used = true;
		return NULL;
	}
	return why ? why : "the table is full";
}

static void test_limits_lookers_of_all_screens_are_one_crowd(void **state)
{
	unsigned entered = 0;

	for (unsigned screen = 0; screen < 6; screen++)
		for (unsigned source = 1; source <= 200; source++)
			entered += enter(screen, source, true) == NULL;
	assert_int_equal(entered, 64);
	assert_string_equal(enter(5, 201, true), "sessions in total");
	assert_null(enter(5, 201, false)); /* those with a viewer are not touched */
}

static void test_limits_lookers_of_one_source_wherever(void **state)
{
	for (unsigned i = 0; i < 12; i++)
		assert_null(enter(i % 6, 1, true));
	assert_string_equal(enter(0, 1, true), "sessions of one source");
	assert_null(enter(0, 2, true));
	assert_null(enter(0, 1, false));
	sup.sessions[0].admission.state = ADMISSION_GRANTED; /* it looks no longer */
	assert_null(enter(0, 1, true));
}

static void test_limits_refused_browsers_take_nothing_from_sessions(void **state)
{
	screens[0].sessions_max = 4;
	for (size_t i = 0; i < 12; i++) {
		assert_null(enter(0, 1, true));
		sup.sessions[i].admission.state = ADMISSION_REFUSED; /* it ends within seconds */
	}
	assert_null(enter(0, 2, false));
	assert_string_equal(enter(0, 1, true), "sessions of one source");
}

static void test_limits_sessions_of_screens_are_apart(void **state)
{
	screens[0].sessions_max = 2;
	assert_null(enter(0, 1, false));
	assert_null(enter(0, 2, false));
	assert_string_equal(enter(0, 3, false), "sessions in total");
	assert_null(enter(1, 3, false));
}

/* Screens 0 and 1 lead from one zone to one zone, screen 2 elsewhere. */
static void test_limits_pair_of_zones_is_that_of_all_its_screens(void **state)
{
	for (size_t i = 0; i < 3; i++)
		screens[i].sessions_per_pair = 3;
	assert_null(enter(0, 1, false));
	assert_null(enter(1, 2, false));
	assert_null(enter(1, 3, true)); /* looks at a page: no session yet */
	assert_null(enter(0, 4, false));
	assert_string_equal(enter(1, 5, false), "sessions of one pair of zones");
	assert_null(enter(2, 5, false));
	screens[1].sessions_per_pair = 0;
	assert_null(enter(1, 5, false));
	sup.sessions[0].used = false;
	assert_string_equal(enter(0, 6, false), "sessions of one pair of zones");
	sup.sessions[1].shadow.watched = 7; /* takes nothing from those who work */
	assert_null(enter(0, 6, false));
}

static unsigned passed(unsigned screen, unsigned source, bool browser, unsigned tries)
{
	struct session peer = peer_of(screen, source, browser);
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++)
		count += session_over_rate(&sup, &peer, RATE_CONNECTS) == NULL;
	return count;
}

static void test_limits_screens_have_a_rate_of_a_source(void **state)
{
	assert_int_equal(passed(0, 1, true, 60) + passed(1, 1, false, 500), 120);
	assert_int_equal(passed(2, 2, true, 500), 120);
	now.mono_ns += 10000 * MS_NS;
	assert_int_equal(passed(0, 1, false, 500), 20);
}

static void refuse(unsigned times)
{
	struct session peer = peer_of(0, 1, true);

	for (unsigned i = 0; i < times; i++)
		session_refuse(&listener, &peer, open("/dev/null", O_RDWR | O_CLOEXEC), "a reason");
}

/* What the loop does when the listener's timer is due. */
static void pass(uint64_t ms)
{
	struct loop_timer *timer = &listener.refusals.timer;

	now.mono_ns += ms * MS_NS;
	loop_disarm(&sup.loop, timer);
	timer->fire(&sup.loop, timer);
}

static void test_limits_refusals_are_counted(void **state)
{
	refuse(1);
	assert_int_equal(records, 1);
	assert_int_equal(last_count, 1);
	refuse(500);
	assert_int_equal(records, 1);
	pass(10000);
	assert_int_equal(records, 2);
	assert_int_equal(last_count, 500);
	pass(10000); /* nobody was refused */
	assert_int_equal(records, 2);
	refuse(3);
	assert_int_equal(records, 3);
	session_refusals_end(&listener);
	assert_int_equal(records, 4);
	assert_int_equal(last_count, 2);
	assert_false(loop_armed(&listener.refusals.timer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_limits_lookers_of_all_screens_are_one_crowd, setup),
		cmocka_unit_test_setup(test_limits_lookers_of_one_source_wherever, setup),
		cmocka_unit_test_setup(test_limits_refused_browsers_take_nothing_from_sessions,
				       setup),
		cmocka_unit_test_setup(test_limits_sessions_of_screens_are_apart, setup),
		cmocka_unit_test_setup(test_limits_pair_of_zones_is_that_of_all_its_screens, setup),
		cmocka_unit_test_setup(test_limits_screens_have_a_rate_of_a_source, setup),
		cmocka_unit_test_setup(test_limits_refusals_are_counted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

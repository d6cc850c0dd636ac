/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms about packets that are dropped unjudged (Z12, Z14), in simulated time. */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netfilter/floods.h"
#include "policy_fixture.h"

#define START_MS 1000000U

static const char config[] = "zone a { tier sensitive; port eth0; address 10.1.0.1/24;\n"
			     "  station 02:00:00:00:00:05 { address 10.1.0.5; }\n"
			     "  guard { zone-flood-rate 100/s; isolate-station; } }\n"
			     "zone b { tier business; port eth1; address 10.2.0.1/24; }\n";

static const uint8_t listed[6] = {2, 0, 0, 0, 0, 5}, stranger[6] = {2, 0, 0, 0, 0, 9};
static struct policy_fixture fixture;
static struct event_client events;
static struct floods floods;
static struct floods_look at;
static struct station_shut shut;
static unsigned asked;
static char asked_kind[16];
static int reader;

static void ask(void *ctx, uint32_t zone, const uint8_t mac[6], const char *kind)
{
	assert_int_equal(zone, 0);
	assert_memory_equal(mac, listed, 6);
	(void)snprintf(asked_kind, sizeof(asked_kind), "%s", kind);
	asked++;
}

static int setup(void **state)
{
	int pair[2];

	policy_fixture_init(&fixture, config);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	event_client_init(&events, pair[0]);
	reader = pair[1];
	memset(&floods, 0, sizeof(floods));
	asked = 0;
	at = (struct floods_look){.snapshot = &fixture.snapshot,
				  .events = &events,
				  .shut = &shut,
				  .isolate = ask,
				  .now_ms = START_MS};
	return 0;
}

static int teardown(void **state)
{
	close(events.fd);
	close(reader);
	policy_fixture_fini(&fixture);
	return 0;
}

/* The next record; EVENT_NONE_: there is none. */
static enum event_id next_event(void)
{
	struct event_record record;

	return recv(reader, &record, sizeof(record), MSG_DONTWAIT) > 0 ? record.id : EVENT_NONE_;
}

static void note(const uint8_t mac[6], uint64_t expires_ms)
{
	floods_note(&floods, &at, RULESET_FLOOD_STATION, mac, expires_ms);
}

static void test_floods_alarm_once_again_while_it_lasts_and_ends_when_quiet(void **state)
{
	for (unsigned second = 0; second < 601; second++, at.now_ms += 1000) {
		note(stranger, RULESET_FLOOD_MS);
		floods_end_look(&floods, &at, 0);
		assert_int_equal(next_event(),
				 second % 600 == 0 ? EVENT_FLOOD_DETECTED : EVENT_NONE_);
	}
	for (uint64_t left_ms = RULESET_FLOOD_MS - 1000; left_ms > 0;
	     left_ms -= 1000, at.now_ms += 1000) {
		note(stranger, left_ms);
		floods_end_look(&floods, &at, 0);
		assert_int_equal(next_event(), EVENT_NONE_);
	}
	floods_end_look(&floods, &at, 0);
	assert_int_equal(next_event(), EVENT_FLOOD_ENDED);
	at.now_ms += 1000;
	floods_end_look(&floods, &at, 0);
	assert_int_equal(next_event(), EVENT_NONE_);
	note(stranger, RULESET_FLOOD_MS);
	assert_int_equal(next_event(), EVENT_FLOOD_DETECTED);
}

/* Whoever watches for the first time knows of no alarm: those from before are over, which is said
 * before any of this life. */
static void test_floods_of_before_are_over_when_the_watch_begins(void **state)
{
	assert_true(floods_begin_look(&floods, &at));
	note(stranger, RULESET_FLOOD_MS);
	assert_int_equal(next_event(), EVENT_FLOOD_WATCH_BEGUN);
	assert_int_equal(next_event(), EVENT_FLOOD_DETECTED);
	assert_true(floods_begin_look(&floods, &at));
	assert_int_equal(next_event(), EVENT_NONE_);
}

/* An alarm of this life must not be ended by what is said late. */
static void test_floods_are_not_looked_for_until_that_is_said(void **state)
{
	struct event_client unheard;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	close(pair[1]);
	event_client_init(&unheard, pair[0]);
	at.events = &unheard;
	assert_false(floods_begin_look(&floods, &at));
	close(pair[0]);
	at.events = &events;
	assert_true(floods_begin_look(&floods, &at));
	assert_int_equal(next_event(), EVENT_FLOOD_WATCH_BEGUN);
}

static void test_floods_ask_for_listed_stations_of_zones_that_isolate(void **state)
{
	note(stranger, RULESET_FLOOD_MS);
	assert_int_equal(asked, 0);
	note(listed, RULESET_FLOOD_MS);
	assert_int_equal(asked, 1);
	assert_string_equal(asked_kind, "flood-station");
	at.now_ms += 1000;
	note(listed, RULESET_FLOOD_MS);
	assert_int_equal(asked, 1); /* it was asked for a moment ago */
	at.now_ms += FLOODS_ASK_MS;
	note(listed, RULESET_FLOOD_MS);
	assert_int_equal(asked, 2);
	at.zone = 1;
	memset(&floods, 0, sizeof(floods));
	note(listed, RULESET_FLOOD_MS);
	assert_int_equal(asked, 2);
}

/* What a station sent before it was shut out is forgotten; what it sends when restored is not. */
static void test_floods_ask_again_for_who_floods_once_restored(void **state)
{
	note(listed, RULESET_FLOOD_MS);
	shut = (struct station_shut){.size = 6};
	memcpy(shut.bytes, listed, 6);
	at.shut_count = 1;
	at.now_ms += 1000;
	note(listed, RULESET_FLOOD_MS - 500);
	at.shut_count = 0;
	at.now_ms += 1000;
	note(listed, RULESET_FLOOD_MS - 1500);
	assert_int_equal(asked, 1);
	at.now_ms += 1000;
	note(listed, RULESET_FLOOD_MS);
	assert_int_equal(asked, 2);
}

/* Whoever takes another hardware address for each frame fills the places, and no more. */
static void test_floods_stand_for_so_many_and_no_more(void **state)
{
	uint8_t mac[6] = {2, 0, 0, 0, 1, 0};
	unsigned told = 0;

	for (unsigned i = 0; i < 200; i++) {
		mac[5] = (uint8_t)i;
		note(mac, RULESET_FLOOD_MS);
	}
	while (next_event() == EVENT_FLOOD_DETECTED)
		told++;
	assert_int_equal(told, FLOODS_MAX);
}

static void look(uint64_t packets, enum event_id expected)
{
	floods_end_look(&floods, &at, packets);
	assert_int_equal(next_event(), expected);
	at.now_ms += 1000;
}

/* Up to its rate, and down below half of it for a minute: no flapping in between. */
static void test_floods_of_a_zone_have_a_hysteresis(void **state)
{
	look(0, EVENT_NONE_);
	look(99, EVENT_NONE_);
	look(0, EVENT_NONE_);
	look(100, EVENT_ZONE_FLOODED);
	for (unsigned second = 0; second < 120; second++)
		look(60, EVENT_NONE_);
	for (unsigned second = 1; second < FLOODS_QUIET_MS / 1000; second++)
		look(40, EVENT_NONE_);
	look(40, EVENT_ZONE_FLOOD_ENDED);
	look(40, EVENT_NONE_);
}

/* A look that was held up has more to count. */
static void test_floods_of_a_zone_are_counted_over_the_time_that_went_by(void **state)
{
	look(0, EVENT_NONE_);
	look(0, EVENT_NONE_);
	at.now_ms += 9000;
	look(900, EVENT_NONE_);
	at.now_ms += 9000;
	look(1100, EVENT_ZONE_FLOODED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_floods_of_before_are_over_when_the_watch_begins),
		TEST(test_floods_are_not_looked_for_until_that_is_said),
		TEST(test_floods_alarm_once_again_while_it_lasts_and_ends_when_quiet),
		TEST(test_floods_ask_for_listed_stations_of_zones_that_isolate),
		TEST(test_floods_ask_again_for_who_floods_once_restored),
		TEST(test_floods_stand_for_so_many_and_no_more),
		TEST(test_floods_of_a_zone_have_a_hysteresis),
		TEST(test_floods_of_a_zone_are_counted_over_the_time_that_went_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is watched after an isolation, and what is told of him (C7), in simulated time. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arbiter/watched.h"
#include "base/err.h"

#define NOW_S 1790000000

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 5}, other_mac[6] = {2, 0, 0, 0, 0, 6};
static struct watched_list list;
static struct snapshot_zone zones[2];
static struct snapshot policy;
static struct ip_headers headers;
static struct event_client events;
static struct event_record told; /* the last */
static int reader;

static int setup(void **state)
{
	int pair[2];

	memset(&list, 0, sizeof(list));
	zones[0] = (struct snapshot_zone){.name = "lgwan", .tier = TIER_BUSINESS};
	zones[1] = (struct snapshot_zone){.name = "internet", .tier = TIER_OUTSIDE};
	policy = (struct snapshot){.zones = zones, .zone_count = 2};
	headers = (struct ip_headers){.family = 4,
				      .protocol = IP_PROTOCOL_TCP,
				      .flags = IP_HAS_PORTS,
				      .destination_port = 445,
				      .source = {10, 20, 0, 5},
				      .destination = {10, 10, 0, 8}};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	event_client_init(&events, pair[0]);
	reader = pair[1];
	return 0;
}

static int teardown(void **state)
{
	close(events.fd);
	close(reader);
	return 0;
}

static struct watched row(uint64_t number, const char *name, uint8_t size, const void *bytes)
{
	struct watched row = {.number = number, .until_s = NOW_S + 100, .station.size = size};

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.why, sizeof(row.why), "port-scan");
	if (size > 0)
		memcpy(row.station.bytes, bytes, size);
	return row;
}

static void take(const struct watched *rows, size_t count)
{
	assert_int_equal(watched_take(&list,
				      (struct span){(const uint8_t *)rows, count * sizeof(*rows)}),
			 0);
}

static struct watched_question question(uint32_t zone, const uint8_t *sender)
{
	return (struct watched_question){.snapshot = &policy,
					 .zone = zone,
					 .headers = &headers,
					 .mac = sender,
					 .now_s = NOW_S};
}

static bool is_watched(struct watched_question q)
{
	return watched_find(&list, &q) < list.count;
}

/* Events since the last call. */
static unsigned count_events(void)
{
	unsigned count = 0;
	uint8_t message[4096];
	ssize_t got;

	while ((got = recv(reader, message, sizeof(message), MSG_DONTWAIT)) > 0) {
		assert_true((size_t)got >= sizeof(told));
		memcpy(&told, message + got - sizeof(told), sizeof(told));
		count++;
	}
	return count;
}

static uint64_t number_of(enum event_key key)
{
	for (uint32_t i = 0; i < told.field_count; i++) {
		if (told.fields[i].key == key)
			return told.fields[i].number;
	}
	return UINT64_MAX;
}

static void test_watched_finds_stations_by_either_address_and_zones_by_name(void **state)
{
	const struct watched rows[] = {row(1, "10.20.0.5", 4, (uint8_t[]){10, 20, 0, 5}),
				       row(2, "mac", 6, mac), row(3, "internet", 0, NULL)};

	take(&rows[0], 1);
	assert_true(is_watched(question(0, NULL)));
	headers.source[3] = 6;
	assert_false(is_watched(question(0, NULL)));
	take(&rows[1], 1);
	assert_true(is_watched(question(0, mac)));
	assert_false(is_watched(question(0, other_mac)));
	assert_false(is_watched(question(0, NULL)));
	take(&rows[2], 1);
	assert_true(is_watched(question(1, other_mac)));
	assert_false(is_watched(question(0, other_mac)));
}

static void test_watched_prefers_a_station_to_its_zone(void **state)
{
	const struct watched rows[] = {row(1, "lgwan", 0, NULL), row(2, "mac", 6, mac)};
	struct watched_question q = question(0, mac);

	take(rows, 2);
	assert_int_equal(watched_find(&list, &q), 1);
	q.mac = other_mac;
	assert_int_equal(watched_find(&list, &q), 0);
}

static void test_watched_is_nobody_behind_his_time_or_under_his_address_alone(void **state)
{
	const struct watched rows[] = {row(1, "10.20.0.5", 4, (uint8_t[]){10, 20, 0, 5})};
	struct watched_question q = question(0, NULL);

	take(rows, 1);
	q.now_s = NOW_S + 99;
	assert_true(is_watched(q));
	q.now_s = NOW_S + 100;
	assert_false(is_watched(q));
	q = question(0, NULL);
	q.of_another = true; /* a source that was not the sender's: nobody is blamed for it */
	assert_false(is_watched(q));
}

static void test_watched_flows_are_recorded_at_either_end(void **state)
{
	const struct watched rows[] = {row(1, "10.10.0.8", 4, (uint8_t[]){10, 10, 0, 8})};
	struct watched_question q = question(0, NULL);

	take(rows, 1);
	assert_false(is_watched(q));
	assert_true(watched_touches(&list, &q));
	headers.destination[3] = 9;
	assert_false(watched_touches(&list, &q));
}

static void test_watched_flood_is_one_record_a_minute_with_its_exact_count(void **state)
{
	const struct watched rows[] = {row(1, "mac", 6, mac)};
	const struct watched_question q = question(0, mac);

	take(rows, 1);
	for (unsigned i = 0; i < 1000; i++)
		watched_note(&list, &events, &q, WATCHED_DENIED, 1000 + i);
	assert_int_equal(count_events(), 1);
	assert_int_equal(told.id, EVENT_WATCHED_ACTIVE);
	assert_int_equal(number_of(FIELD_COUNT), 1);
	watched_tick(&list, &events, 1000 + WATCHED_AGAIN_MS - 1);
	assert_int_equal(count_events(), 0);
	watched_tick(&list, &events, 1000 + WATCHED_AGAIN_MS);
	assert_int_equal(count_events(), 1);
	assert_int_equal(number_of(FIELD_COUNT), 999);
	watched_tick(&list, &events, 1000 + 3 * WATCHED_AGAIN_MS);
	assert_int_equal(count_events(), 0);
}

static void test_watched_that_does_it_again_is_a_relapse(void **state)
{
	const struct watched rows[] = {row(1, "mac", 6, mac)};
	const struct watched_question q = question(0, mac);

	take(rows, 1);
	watched_note(&list, &events, &q, DETECT_HOSTS, 1000);
	assert_int_equal(count_events(), 1);
	assert_int_equal(told.id, EVENT_WATCHED_ACTIVE);
	watched_note(&list, &events, &q, DETECT_PORTS, 1000);
	assert_int_equal(count_events(), 1);
	assert_int_equal(told.id, EVENT_WATCHED_RELAPSE);
}

static void test_watched_outside_zone_is_not_told_of_for_what_is_always_refused(void **state)
{
	const struct watched rows[] = {row(1, "internet", 0, NULL), row(2, "lgwan", 0, NULL)};
	const struct watched_question outside = question(1, NULL), inside = question(0, NULL);

	take(rows, 2);
	watched_note(&list, &events, &outside, WATCHED_DENIED, 1000);
	assert_int_equal(count_events(), 0);
	watched_note(&list, &events, &outside, DETECT_PORTS, 1000);
	watched_note(&list, &events, &inside, WATCHED_DENIED, 1000);
	assert_int_equal(count_events(), 2);
}

static void test_watched_counts_stay_with_their_watch_when_the_list_changes(void **state)
{
	const struct watched rows[] = {row(1, "lgwan", 0, NULL), row(2, "mac", 6, mac)};
	const struct watched_question q = question(0, mac);

	take(rows, 2);
	watched_note(&list, &events, &q, WATCHED_DENIED, 1000);
	watched_note(&list, &events, &q, WATCHED_DENIED, 1000);
	take(&rows[1], 1);
	assert_int_equal(count_events(), 1);
	watched_tick(&list, &events, 1000 + WATCHED_AGAIN_MS);
	assert_int_equal(count_events(), 1);
	assert_int_equal(number_of(FIELD_WATCH), 2);
	take(NULL, 0);
	assert_false(is_watched(q));
}

static void test_watched_takes_no_list_that_is_none(void **state)
{
	struct watched rows[] = {row(1, "lgwan", 0, NULL), row(1, "mac", 6, mac)};
	const uint8_t *bytes = (const uint8_t *)rows;

	assert_int_equal(watched_take(&list, (struct span){bytes, sizeof(rows)}), -ERR_SYNTAX);
	rows[1].number = 2;
	assert_int_equal(watched_take(&list, (struct span){bytes, sizeof(rows) - 1}), -ERR_SYNTAX);
	rows[1].station.size = 5;
	assert_int_equal(watched_take(&list, (struct span){bytes, sizeof(rows)}), -ERR_SYNTAX);
	rows[1].station.size = 6;
	memset(rows[1].name, 'x', sizeof(rows[1].name));
	assert_int_equal(watched_take(&list, (struct span){bytes, sizeof(rows)}), -ERR_SYNTAX);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_watched_finds_stations_by_either_address_and_zones_by_name),
		TEST(test_watched_prefers_a_station_to_its_zone),
		TEST(test_watched_is_nobody_behind_his_time_or_under_his_address_alone),
		TEST(test_watched_flows_are_recorded_at_either_end),
		TEST(test_watched_flood_is_one_record_a_minute_with_its_exact_count),
		TEST(test_watched_that_does_it_again_is_a_relapse),
		TEST(test_watched_outside_zone_is_not_told_of_for_what_is_always_refused),
		TEST(test_watched_counts_stay_with_their_watch_when_the_list_changes),
		TEST(test_watched_takes_no_list_that_is_none),
#undef TEST
	};

	return cmocka_run_group_tests_name("watched", tests, NULL, NULL);
}

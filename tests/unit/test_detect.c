/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scans and refusals of one source in simulated time, also behind changing IPv6 addresses (Z12). */
#include "unit.h"

#include <string.h>

#include "arbiter/detect.h"

static struct detect detect;
static struct snapshot_zone zone;
static struct snapshot policy;
static struct detect_alarm alarm;

static int setup(void **state)
{
	memset(&detect, 0, sizeof(detect));
	zone.guard = (struct snapshot_guard){.scan_ports = 100,
					     .scan_hosts = 50,
					     .window_s = 10,
					     .denied_rate = 20,
					     .denied_period_s = 1};
	zone.station_policy = STATION_OFF;
	policy = (struct snapshot){.zones = &zone, .zone_count = 1};
	return 0;
}

static bool try4(uint8_t source, uint8_t host, uint16_t port, bool denied, uint64_t now_ms)
{
	struct ip_headers h = {.family = 4,
			       .protocol = IP_PROTOCOL_TCP,
			       .flags = IP_HAS_PORTS,
			       .destination_port = port,
			       .source = {10, 1, 0, source},
			       .destination = {10, 2, 0, host}};

	return detect_note(&detect, &policy, 0, &h, NULL, denied, now_ms, &alarm);
}

static bool try6_by(const uint8_t *mac, uint16_t interface, uint16_t port)
{
	struct ip_headers h = {.family = 6,
			       .protocol = IP_PROTOCOL_TCP,
			       .flags = IP_HAS_PORTS,
			       .destination_port = port,
			       .source = {0xfd, 1},
			       .destination = {0xfd, 2}};

	h.source[14] = (uint8_t)(interface >> 8);
	h.source[15] = (uint8_t)interface;
	return detect_note(&detect, &policy, 0, &h, mac, false, 1000, &alarm);
}

static bool try6(uint16_t interface, uint16_t port)
{
	return try6_by(NULL, interface, port);
}

static void test_detect_port_scan_at_its_limit_and_once(void **state)
{
	for (uint16_t port = 1; port < 100; port++)
		assert_false(try4(5, 1, port, false, 1000));
	for (int i = 0; i < 200; i++)
		assert_false(try4(5, 1, 7, false, 1000)); /* nothing new */
	assert_true(try4(5, 1, 100, false, 1000));
	assert_int_equal(alarm.kind, DETECT_PORTS);
	assert_int_equal(alarm.count, 100);
	for (uint16_t port = 101; port < 1000; port++)
		assert_false(try4(5, 1, port, false, 2000));
	for (uint16_t port = 1; port < 100; port++)
		assert_false(try4(5, 1, port, false, 1000 + DETECT_AGAIN_MS));
	assert_true(try4(5, 1, 100, false, 1000 + DETECT_AGAIN_MS));
}

static void test_detect_slow_tries_are_no_scan(void **state)
{
	for (uint16_t port = 1; port < 1000; port++)
		assert_false(try4(5, 1, port, false, 1000 + port * 150ULL));
}

static void test_detect_host_scan_and_ports_of_many_hosts(void **state)
{
	for (uint8_t host = 1; host < 50; host++)
		assert_false(try4(5, host, 80, false, 1000));
	assert_true(try4(5, 50, 80, false, 1000));
	assert_int_equal(alarm.kind, DETECT_HOSTS);
}

static void test_detect_two_hosts_by_turns_are_port_scans(void **state)
{
	bool raised = false;

	for (uint16_t port = 1; port <= 100; port++) {
		raised |= try4(5, 1, port, false, 1000);
		raised |= try4(5, 2, port, false, 1000);
	}
	assert_true(raised);
}

static void test_detect_refusals_a_second(void **state)
{
	for (int i = 0; i < 19; i++)
		assert_false(try4(5, 1, 80, true, 1000));
	for (int i = 0; i < 19; i++)
		assert_false(try4(5, 1, 80, true, 2000));
	assert_true(try4(5, 1, 80, true, 2500));
	assert_int_equal(alarm.kind, DETECT_DENIED);
}

static void test_detect_ipv6_rotation_is_one_source(void **state)
{
	for (uint16_t i = 1; i < 100; i++)
		assert_false(try6(i, i));
	assert_true(try6(100, 100));
	assert_false(alarm.of_station); /* anybody's of that /64 */
}

/* Hosts of one wire share a /64: the last of them is not the one that has scanned. */
static void test_detect_neighbour_in_one_network_is_not_blamed(void **state)
{
	static const uint8_t scanner[6] = {2, 0, 0, 0, 0, 1}, neighbour[6] = {2, 0, 0, 0, 0, 2};

	zone.station_policy = STATION_ENFORCE;
	for (uint16_t port = 1; port < 100; port++)
		assert_false(try6_by(scanner, port, port)); /* each time with another address */
	assert_false(try6_by(neighbour, 7, 443));
	assert_true(try6_by(scanner, 7, 100));
	assert_true(alarm.of_station);
}

/* Without a list that is enforced a hardware address is nothing but a claim. */
static void test_detect_hardware_addresses_count_only_where_they_are_compared(void **state)
{
	uint8_t mac[6] = {2};

	zone.station_policy = STATION_REPORT;
	for (uint8_t port = 1; port < 100; port++) {
		mac[5] = port;
		assert_false(try6_by(mac, port, port));
	}
	assert_true(try6_by(mac, 100, 100));
	assert_false(alarm.of_station);
}

/* Thousands of sources that try once push out no scanner. */
static void test_detect_crowd_does_not_hide_a_scanner(void **state)
{
	bool raised = false;

	for (uint16_t port = 1; port <= 120; port++) {
		raised |= try4(5, 1, port, false, 1000);
		for (uint16_t i = 0; i < 250; i++) {
			if (i != 5)
				(void)try4((uint8_t)i, 1, 80, false, 1000);
		}
	}
	assert_true(raised);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_detect_port_scan_at_its_limit_and_once, setup),
		cmocka_unit_test_setup(test_detect_slow_tries_are_no_scan, setup),
		cmocka_unit_test_setup(test_detect_host_scan_and_ports_of_many_hosts, setup),
		cmocka_unit_test_setup(test_detect_two_hosts_by_turns_are_port_scans, setup),
		cmocka_unit_test_setup(test_detect_refusals_a_second, setup),
		cmocka_unit_test_setup(test_detect_ipv6_rotation_is_one_source, setup),
		cmocka_unit_test_setup(test_detect_neighbour_in_one_network_is_not_blamed, setup),
		cmocka_unit_test_setup(
			test_detect_hardware_addresses_count_only_where_they_are_compared, setup),
		cmocka_unit_test_setup(test_detect_crowd_does_not_hide_a_scanner, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

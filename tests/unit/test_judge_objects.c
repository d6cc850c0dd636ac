/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judgement of what permits refer to by name: groups, stations, services of every kind,
 * conformance, calendars; and of transparent crossings (Z2, Z6, Z7, Z8, Z10). */
#include "unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "arbiter/judge.h"
#include "policy/atoms.h"
#include "policy_fixture.h"

/* Monday, 2 March 2026, 10:00 in Japan. */
#define MONDAY_TEN_S 1772413200
#define HOUR_S       3600

static const char policy_text[] =
	"holiday 2026-03-03;\n"
	"zone a { tier sensitive; port eth0.1; address 10.1.0.1/24; address fd00:1::1/64;\n"
	"  station 02:00:00:00:00:01 { address 10.1.0.5 fd00:1::5; }\n"
	"  station 02:00:00:00:00:02 { address 10.1.0.6; } station 02:00:00:00:00:03; }\n"
	"zone b { tier business; port eth0.2; address 10.2.0.1/24; address fd00:2::1/64;\n"
	"  station-policy report; station 02:00:00:00:00:09 { address 10.2.0.9; } }\n"
	"zone l { tier business; port eth1; network 10.9.0.0/24; network fd00:9::/121; }\n"
	"zone r { tier outside; port eth2; network 10.9.0.128/25; network fd00:9::8;\n"
	"  route 10.8.0.0/16 via 10.9.0.129; }\n"
	"address-group servers { address 10.2.0.8 10.2.0.16/28 fd00:2::/126; }\n"
	"station-group counter { zone a; station 02:00:00:00:00:01 02:00:00:00:00:02; }\n"
	"service secure { tcp 443 8443; conform tls { server-name *.example.lg.jp; } }\n"
	"service names { udp 53; tcp 53; conform dns; }\n"
	"service plain { tcp 1-65535; }\n"
	"service all-icmp { icmp any; icmp6 any; }\n"
	"service gre { protocol 47; }\n"
	"schedule night { holidays skip; window daily 22:00-05:00; }\n"
	"crossing a b { offload;\n"
	"  permit 10 { source counter; destination servers; service secure names; }\n"
	"  permit 20 { source counter; destination servers; service plain; schedule night; }\n"
	"  permit 30 { destination 10.2.0.7; service gre all-icmp; expires 2026-03-02; }\n"
	"  permit 40 { from b; source servers; destination counter; service plain; } }\n"
	"crossing l r { transparent; permit 5 { from l; source 10.9.0.7 fd00:9::7;\n"
	"  destination 10.9.0.200 10.8.3.4 fd00:9::8; service secure; } }\n";

static struct fixture {
	struct policy_fixture policy;
	struct judge_policy judge;
} fixture;

static int setup(void **state)
{
	policy_fixture_init(&fixture.policy, policy_text);
	return judge_init(&fixture.judge, &fixture.policy.snapshot);
}

static int teardown(void **state)
{
	judge_fini(&fixture.judge);
	policy_fixture_fini(&fixture.policy);
	return 0;
}

static uint32_t zone_named(const char *name)
{
	const struct snapshot *s = &fixture.policy.snapshot;

	for (uint32_t i = 0; i < s->zone_count; i++) {
		if (strcmp(s->zones[i].name, name) == 0)
			return i;
	}
	fail_msg("no zone %s", name);
	return SNAPSHOT_NONE;
}

struct asked {
	const char *zone, *source, *destination;
	uint8_t protocol;
	uint16_t port; /* ICMP: type */
	const uint8_t *mac;
	int64_t now_s;
};

static struct asked flow(const char *zone, const char *source, const char *destination,
			 uint8_t protocol, uint16_t port)
{
	return (struct asked){zone, source, destination, protocol, port, NULL, MONDAY_TEN_S};
}

static struct judge_verdict ask(struct asked a)
{
	struct ip_headers h = {.family = strchr(a.source, ':') != NULL ? 6 : 4,
			       .protocol = a.protocol,
			       .hop_limit = 64,
			       .tcp_flags = a.protocol == 6 ? 2 : 0};
	int family = h.family == 4 ? AF_INET : AF_INET6;
	struct judge_question q = {
		.from = zone_named(a.zone), .headers = &h, .mac = a.mac, .now_s = a.now_s};

	assert_int_equal(inet_pton(family, a.source, h.source), 1);
	assert_int_equal(inet_pton(family, a.destination, h.destination), 1);
	if (policy_has_ports(a.protocol))
		h.flags = IP_HAS_PORTS;
	else if (policy_is_icmp(a.protocol))
		h.flags = IP_HAS_ICMP;
	h.destination_port = a.port;
	h.icmp_type = (uint8_t)a.port;
	return judge_flow(&fixture.judge, &q);
}

static void expect_permit(struct asked a, uint32_t number)
{
	struct judge_verdict v = ask(a);

	if (v.reason != JUDGE_PERMITTED)
		fail_msg("%s -> %s: %s", a.source, a.destination, judge_reason_name(v.reason));
	assert_int_equal(fixture.policy.snapshot.permits[v.permit].number, number);
}

static void expect_reason(struct asked a, enum judge_reason reason)
{
	struct judge_verdict v = ask(a);

	assert_string_equal(judge_reason_name(v.reason), judge_reason_name(reason));
}

static void test_judge_group_stands_for_each_of_its_members(void **state)
{
	expect_permit(flow("a", "10.1.0.5", "10.2.0.8", 6, 443), 10);
	expect_permit(flow("a", "10.1.0.6", "10.2.0.31", 6, 443), 10);
	expect_permit(flow("a", "fd00:1::5", "fd00:2::3", 6, 8443), 10);
	expect_permit(flow("b", "10.2.0.17", "10.1.0.6", 6, 7), 40);
	expect_reason(flow("a", "10.1.0.7", "10.2.0.8", 6, 443), JUDGE_NO_PERMIT);
	expect_reason(flow("a", "10.1.0.5", "10.2.0.32", 6, 443), JUDGE_NO_PERMIT);
	expect_reason(flow("a", "fd00:1::5", "fd00:2::4", 6, 443), JUDGE_NO_PERMIT);
}

static void test_judge_station_group_needs_the_station_itself(void **state)
{
	static const uint8_t first[6] = {2, 0, 0, 0, 0, 1}, other[6] = {2, 0, 0, 0, 0, 2};
	static const uint8_t unbound[6] = {2, 0, 0, 0, 0, 3};
	struct asked a = flow("a", "10.1.0.5", "10.2.0.8", 6, 443);

	a.mac = first;
	expect_permit(a, 10);
	a.mac = other;
	expect_reason(a, JUDGE_STATION_ADDRESS);
	a.mac = unbound; /* may use any address of the zone that is nobody's */
	expect_reason(a, JUDGE_STATION_ADDRESS);
	a.source = "10.1.0.7";
	expect_reason(a, JUDGE_NO_PERMIT);
}

static void test_judge_reported_strangers_are_admitted(void **state)
{
	static const uint8_t stranger[6] = {2, 0, 0, 0, 0, 0x77};
	struct asked a = flow("b", "10.2.0.17", "10.1.0.6", 6, 7);

	a.mac = stranger;
	expect_permit(a, 40);
	a.zone = "a";
	a.source = "10.1.0.6";
	a.destination = "10.2.0.8";
	a.port = 443;
	expect_reason(a, JUDGE_STATION_UNKNOWN);
}

static void test_judge_names_the_conformance_that_is_asked(void **state)
{
	const struct snapshot *s = &fixture.policy.snapshot;
	struct judge_verdict v = ask(flow("a", "10.1.0.5", "10.2.0.8", 6, 443));

	assert_int_equal(s->conforms[v.conform].kind, CONFORM_TLS);
	assert_int_equal(s->conforms[v.conform].names.count, 1);
	assert_int_equal(s->conforms[v.conform].ech_allowed, 0);
	v = ask(flow("a", "10.1.0.5", "10.2.0.8", 17, 53));
	assert_int_equal(s->conforms[v.conform].kind, CONFORM_DNS);
	v = ask(flow("b", "10.2.0.8", "10.1.0.5", 6, 443));
	assert_int_equal(v.reason, JUDGE_PERMITTED);
	assert_int_equal(v.conform, SNAPSHOT_NONE);
	v = ask(flow("a", "10.1.0.5", "10.2.0.8", 17, 54));
	assert_int_equal(v.reason, JUDGE_NO_PERMIT);
	assert_int_equal(v.conform, SNAPSHOT_NONE);
}

static void test_judge_other_protocols_and_icmp_requests_alone(void **state)
{
	struct asked a = flow("a", "10.1.0.9", "10.2.0.7", 47, 0);

	expect_permit(a, 30);
	a.protocol = 50;
	expect_reason(a, JUDGE_NO_PERMIT);
	a.protocol = 1;
	for (a.port = 0; a.port < 256; a.port++) {
		if (a.port == 8 || a.port == 13 || a.port == 15 || a.port == 17)
			expect_permit(a, 30);
		else
			expect_reason(a, JUDGE_NOT_A_REQUEST);
	}
	a.port = 8;
	a.now_s = MONDAY_TEN_S + 14 * HOUR_S - 1; /* the last second of its last day */
	expect_permit(a, 30);
	a.now_s++;
	expect_reason(a, JUDGE_EXPIRED);
}

static void test_judge_schedule_past_midnight_with_a_holiday(void **state)
{
	struct asked a = flow("a", "10.1.0.5", "10.2.0.8", 6, 22);

	expect_reason(a, JUDGE_SCHEDULE);
	a.now_s = MONDAY_TEN_S + 12 * HOUR_S; /* 22:00 */
	expect_permit(a, 20);
	a.now_s = MONDAY_TEN_S + 18 * HOUR_S; /* 04:00 of the holiday: began on Monday */
	expect_permit(a, 20);
	a.now_s = MONDAY_TEN_S + 36 * HOUR_S; /* 22:00 of the holiday */
	expect_reason(a, JUDGE_SCHEDULE);
}

static void test_judge_transparent_crossing_leads_to_its_other_side_only(void **state)
{
	expect_permit(flow("l", "10.9.0.7", "10.9.0.200", 6, 443), 5);
	expect_permit(flow("l", "10.9.0.7", "10.8.3.4", 6, 443), 5); /* behind a router there */
	expect_reason(flow("l", "10.9.0.7", "10.9.0.100", 6, 443), JUDGE_SAME_ZONE);
	expect_reason(flow("r", "10.9.0.7", "10.9.0.200", 6, 443), JUDGE_SPOOFED);
	expect_reason(flow("l", "10.8.3.4", "10.9.0.200", 6, 443), JUDGE_SPOOFED);
	expect_reason(flow("l", "10.9.0.7", "10.9.0.201", 6, 443), JUDGE_NO_PERMIT);
	expect_permit(flow("l", "fd00:9::7", "fd00:9::8", 6, 8443), 5);
	expect_reason(flow("l", "10.9.0.7", "10.9.0.200", 6, 444), JUDGE_NO_PERMIT);
	expect_reason(flow("l", "10.9.0.200", "10.9.0.7", 6, 443), JUDGE_SPOOFED);
	expect_reason(flow("r", "10.9.0.200", "10.9.0.7", 6, 443), JUDGE_NO_PERMIT);
	expect_reason(flow("l", "10.9.0.7", "10.2.0.8", 6, 443), JUDGE_NO_CROSSING);
	expect_reason(flow("l", "10.9.0.7", "10.9.1.1", 6, 443), JUDGE_NO_CROSSING);
	expect_reason(flow("l", "10.9.0.7", "224.0.0.1", 6, 443), JUDGE_ADDRESS);
	expect_reason(flow("a", "10.1.0.5", "10.9.0.7", 6, 443), JUDGE_NO_CROSSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge_group_stands_for_each_of_its_members),
		cmocka_unit_test(test_judge_station_group_needs_the_station_itself),
		cmocka_unit_test(test_judge_reported_strangers_are_admitted),
		cmocka_unit_test(test_judge_names_the_conformance_that_is_asked),
		cmocka_unit_test(test_judge_other_protocols_and_icmp_requests_alone),
		cmocka_unit_test(test_judge_schedule_past_midnight_with_a_holiday),
		cmocka_unit_test(test_judge_transparent_crossing_leads_to_its_other_side_only),
	};

	return cmocka_run_group_tests_name("judge_objects", tests, setup, teardown);
}

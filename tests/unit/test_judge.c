/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judgement: each question it asks, and that the compiled lookup answers as a plain walk over
 * the permits does. */
#include "unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "arbiter/judge.h"
#include "policy/atoms.h"
#include "policy_fixture.h"

/* Monday, 2 March 2026, 10:00 in Japan. */
#define MONDAY_TEN_S 1772413200

static const char policy_text[] =
	"system { organization \"t\"; host-name t; time-zone Asia/Tokyo; }\n"
	"zone mynumber { tier sensitive; port eth0; address 10.10.0.1/24; address fd00:10::1/64;\n"
	"  station 02:00:00:10:00:05 { address 10.10.0.5; } station 02:00:00:10:00:06; }\n"
	"zone lgwan { tier business; port eth1; address 10.20.0.1/24; address fd00:20::1/64; }\n"
	"zone internet { tier outside; port eth2; address 203.0.113.1/28; route 0.0.0.0/0 via "
	"203.0.113.14; }\n"
	"service web { tcp 443; tcp 8000-8010; }\n"
	"service ping { icmp 8; }\n"
	"service esp { protocol 50; }\n"
	"schedule office { window mon-fri 08:30-17:15; }\n"
	"crossing mynumber lgwan {\n"
	"  permit 10 { source 10.10.0.5; destination 10.20.0.8; service web; schedule office; }\n"
	"  permit 20 { source 10.10.0.0/24; destination 10.20.0.8; service ping; service esp; }\n"
	"  permit 30 { source 10.10.0.0/24; destination 10.20.0.9; service web; expires "
	"2026-03-31; }\n"
	"  permit 40 { from lgwan; source 10.20.0.8; destination 10.10.0.7; service web; }\n"
	"  permit 50 { source fd00:10::/64; destination fd00:20::8; service web; }\n"
	"}\n";

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

/* A new flow's first packet. */
static struct ip_headers flow(const char *source, const char *destination, uint8_t protocol,
			      uint16_t port)
{
	struct ip_headers h = {.family = strchr(source, ':') != NULL ? 6 : 4,
			       .protocol = protocol,
			       .hop_limit = 64};
	int family = h.family == 4 ? AF_INET : AF_INET6;

	assert_int_equal(inet_pton(family, source, h.source), 1);
	assert_int_equal(inet_pton(family, destination, h.destination), 1);
	if (policy_has_ports(protocol)) {
		h.flags = IP_HAS_PORTS;
		h.source_port = 40000;
		h.destination_port = port;
	} else if (policy_is_icmp(protocol)) {
		h.flags = IP_HAS_ICMP;
		h.icmp_type = (uint8_t)port;
	}
	if (protocol == IP_PROTOCOL_TCP)
		h.tcp_flags = 2;
	return h;
}

/* The zones of the text by their place in it; the snapshot has an order of its own. */
enum { MYNUMBER, LGWAN, INTERNET };

static uint32_t zone_index(uint32_t place)
{
	static const char *const names[] = {"mynumber", "lgwan", "internet"};
	const struct snapshot *s = &fixture.policy.snapshot;
	uint32_t i = 0;

	while (i < s->zone_count && strcmp(s->zones[i].name, names[place]) != 0)
		i++;
	return i;
}

static struct judge_verdict ask(uint32_t from, const struct ip_headers *h, int64_t now_s)
{
	const struct judge_question q = {.from = zone_index(from), .headers = h, .now_s = now_s};

	return judge_flow(&fixture.judge, &q);
}

static uint32_t number_of(const struct judge_verdict *v)
{
	return v->permit == SNAPSHOT_NONE ? 0 : fixture.policy.snapshot.permits[v->permit].number;
}

static void test_judge_answers_by_permit_and_reason(void **state)
{
	static const struct {
		uint32_t from;
		const char *source, *destination;
		uint8_t protocol;
		uint16_t port;
		enum judge_reason reason;
		uint32_t permit;
	} cases[] = {
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 6, 443, JUDGE_PERMITTED, 10},
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 6, 8000, JUDGE_PERMITTED, 10},
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 6, 8010, JUDGE_PERMITTED, 10},
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 6, 8011, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 6, 7999, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.5", "10.20.0.8", 17, 443, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.6", "10.20.0.8", 6, 443, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.6", "10.20.0.8", 1, 8, JUDGE_PERMITTED, 20},
		{MYNUMBER, "10.10.0.6", "10.20.0.8", 1, 13, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.6", "10.20.0.8", 50, 0, JUDGE_PERMITTED, 20},
		{MYNUMBER, "10.10.0.6", "10.20.0.8", 89, 0, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.6", "10.20.0.9", 6, 443, JUDGE_PERMITTED, 30},
		{MYNUMBER, "fd00:10::77", "fd00:20::8", 6, 443, JUDGE_PERMITTED, 50},
		{MYNUMBER, "fd00:10::77", "fd00:20::9", 6, 443, JUDGE_NO_PERMIT, 0},
		{LGWAN, "10.20.0.8", "10.10.0.7", 6, 443, JUDGE_PERMITTED, 40},
		{LGWAN, "10.20.0.8", "10.10.0.5", 6, 443, JUDGE_NO_PERMIT, 0},
		{MYNUMBER, "10.10.0.5", "8.8.8.8", 6, 443, JUDGE_NO_CROSSING, 0},
		{MYNUMBER, "10.10.0.5", "203.0.113.5", 6, 443, JUDGE_NO_CROSSING, 0},
		{MYNUMBER, "10.10.0.5", "10.10.0.6", 6, 443, JUDGE_SAME_ZONE, 0},
		{MYNUMBER, "10.10.0.5", "10.10.0.1", 6, 443, JUDGE_GATEWAY, 0},
		{MYNUMBER, "10.10.0.5", "10.20.0.1", 6, 443, JUDGE_GATEWAY, 0},
		{MYNUMBER, "10.20.0.5", "10.20.0.8", 6, 443, JUDGE_SPOOFED, 0},
		{LGWAN, "10.10.0.5", "10.20.0.8", 6, 443, JUDGE_SPOOFED, 0},
		{INTERNET, "10.10.0.5", "10.20.0.8", 6, 443, JUDGE_SPOOFED, 0},
		{INTERNET, "8.8.8.8", "10.20.0.8", 6, 443, JUDGE_NO_CROSSING, 0},
		{INTERNET, "127.0.0.1", "10.20.0.8", 6, 443, JUDGE_ADDRESS, 0},
		{INTERNET, "169.254.1.1", "10.20.0.8", 6, 443, JUDGE_ADDRESS, 0},
		{MYNUMBER, "10.10.0.5", "224.0.0.1", 6, 443, JUDGE_ADDRESS, 0},
		{MYNUMBER, "10.10.0.5", "255.255.255.255", 17, 67, JUDGE_ADDRESS, 0},
		{MYNUMBER, "fe80::1", "fd00:20::8", 6, 443, JUDGE_ADDRESS, 0},
		{MYNUMBER, "fd00:10::5", "ff02::1", 17, 547, JUDGE_ADDRESS, 0},
		{MYNUMBER, "::1", "fd00:20::8", 6, 443, JUDGE_ADDRESS, 0},
		{MYNUMBER, "fec0::7", "fd00:20::8", 6, 443, JUDGE_ADDRESS, 0},
		{MYNUMBER, "::5", "fd00:20::8", 6, 443, JUDGE_ADDRESS, 0},
		/* the gateway's own address, broadcast addresses; what no default route leads to */
		{MYNUMBER, "10.10.0.1", "10.20.0.8", 1, 8, JUDGE_SPOOFED, 0},
		{MYNUMBER, "10.10.0.255", "10.20.0.8", 1, 8, JUDGE_SPOOFED, 0},
		{MYNUMBER, "10.10.0.5", "10.20.0.255", 1, 8, JUDGE_ADDRESS, 0},
		{MYNUMBER, "10.10.0.5", "10.10.0.255", 1, 8, JUDGE_ADDRESS, 0},
		{MYNUMBER, "fd00:10::1", "fd00:20::8", 6, 443, JUDGE_SPOOFED, 0},
		{INTERNET, "192.168.0.1", "10.20.0.8", 6, 443, JUDGE_SPOOFED, 0},
		{INTERNET, "100.64.0.1", "10.20.0.8", 6, 443, JUDGE_SPOOFED, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_headers h = flow(cases[i].source, cases[i].destination, cases[i].protocol,
					   cases[i].port);
		struct judge_verdict v = ask(cases[i].from, &h, MONDAY_TEN_S);

		if (v.reason != cases[i].reason || number_of(&v) != cases[i].permit)
			fail_msg("case %zu: %s, permit %u", i, judge_reason_name(v.reason),
				 number_of(&v));
	}
}

static void test_judge_refuses_forms_before_it_looks_at_permits(void **state)
{
	static const struct {
		unsigned flags;
		enum judge_reason reason;
	} cases[] = {
		{IP_IS_FRAGMENT, JUDGE_FRAGMENT},
		{IP_IS_FRAGMENT | IP_HAS_EXTENSIONS, JUDGE_FRAGMENT},
		{IP_HAS_OPTIONS | IP_HAS_SOURCE_ROUTE, JUDGE_SOURCE_ROUTE},
		{IP_HAS_OPTIONS, JUDGE_OPTIONS},
		{IP_HAS_EXTENSIONS, JUDGE_OPTIONS},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_headers h = flow("10.10.0.5", "10.20.0.8", 6, 443);

		h.flags |= (uint8_t)cases[i].flags;
		assert_int_equal(ask(MYNUMBER, &h, MONDAY_TEN_S).reason, cases[i].reason);
	}
}

/* Whatever is behind it, and in a running flow, too. */
static void test_judge_refuses_the_authentication_header_in_both_families(void **state)
{
	struct ip_headers v4 = flow("10.10.0.5", "10.20.0.8", 51, 0);
	struct ip_headers v6 = flow("fd00:10::5", "fd00:20::8", 51, 0);
	struct judge_question q = {
		.from = zone_index(MYNUMBER), .now_s = MONDAY_TEN_S, .established = true};

	q.headers = &v4;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_OPTIONS);
	q.headers = &v6;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_OPTIONS);
}

static void test_judge_new_tcp_flow_begins_with_syn(void **state)
{
	struct ip_headers h = flow("10.10.0.5", "10.20.0.8", 6, 443);
	struct judge_question q = {
		.from = zone_index(MYNUMBER), .headers = &h, .now_s = MONDAY_TEN_S};

	for (unsigned flags = 0; flags < 64; flags++) {
		bool begins = (flags & (1 | 2 | 4 | 16)) == 2;

		h.tcp_flags = (uint8_t)flags;
		q.established = false;
		assert_int_equal(judge_flow(&fixture.judge, &q).reason,
				 begins ? JUDGE_PERMITTED : JUDGE_TCP_FLAGS);
		q.established = true;
		assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_PERMITTED);
	}
}

static void test_judge_schedule_holds_to_the_minute(void **state)
{
	struct ip_headers h = flow("10.10.0.5", "10.20.0.8", 6, 443);
	const int64_t open_s = MONDAY_TEN_S - 90 * 60, close_s = MONDAY_TEN_S + (7 * 60 + 15) * 60;

	assert_int_equal(ask(MYNUMBER, &h, open_s - 1).reason, JUDGE_SCHEDULE);
	assert_int_equal(ask(MYNUMBER, &h, open_s).reason, JUDGE_PERMITTED);
	assert_int_equal(ask(MYNUMBER, &h, close_s - 1).reason, JUDGE_PERMITTED);
	assert_int_equal(ask(MYNUMBER, &h, close_s).reason, JUDGE_SCHEDULE);
	assert_int_equal(ask(MYNUMBER, &h, MONDAY_TEN_S + 5 * 86400).reason,
			 JUDGE_SCHEDULE); /* Saturday */
	assert_int_equal(ask(MYNUMBER, &h, MONDAY_TEN_S + 7 * 86400).reason, JUDGE_PERMITTED);
	assert_int_equal(ask(MYNUMBER, &h, -MONDAY_TEN_S).reason == JUDGE_PERMITTED ||
				 ask(MYNUMBER, &h, -MONDAY_TEN_S).reason == JUDGE_SCHEDULE,
			 1); /* a clock that is far off is decided too */
}

static void test_judge_expired_permit_names_itself(void **state)
{
	struct ip_headers h = flow("10.10.0.6", "10.20.0.9", 6, 443);
	struct judge_verdict v = ask(MYNUMBER, &h, MONDAY_TEN_S + 60 * 86400);

	assert_int_equal(v.reason, JUDGE_EXPIRED);
	assert_int_equal(number_of(&v), 30);
}

static void test_judge_binds_stations_to_addresses(void **state)
{
	static const uint8_t bound[6] = {2, 0, 0, 0x10, 0, 5}, any[6] = {2, 0, 0, 0x10, 0, 6};
	static const uint8_t stranger[6] = {2, 0, 0, 0x66, 0, 6};
	struct ip_headers own = flow("10.10.0.5", "10.20.0.8", 6, 443);
	struct ip_headers other = flow("10.10.0.6", "10.20.0.8", 1, 8);
	struct judge_question q = {.from = zone_index(MYNUMBER), .now_s = MONDAY_TEN_S};

	q.headers = &own;
	q.mac = bound;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_PERMITTED);
	q.mac = stranger;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_STATION_UNKNOWN);
	q.headers = &other;
	q.mac = bound;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_STATION_ADDRESS);
	q.mac = any;
	assert_int_equal(judge_flow(&fixture.judge, &q).reason, JUDGE_PERMITTED);
}

/* A small generator, so that a failure can be repeated. */
static uint32_t next_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33) % below;
}

static void write_random_permit(struct bytes *text, uint64_t *seed, unsigned number)
{
	bool back = next_random(seed, 4) == 0;
	unsigned near_bits = 24 + next_random(seed, 9), far_bits = 24 + next_random(seed, 9);
	unsigned near_mask = ~(0xffU >> (near_bits - 24)), far_mask = ~(0xffU >> (far_bits - 24));
	unsigned near = (next_random(seed, 4) * 64 + 3) & near_mask;
	unsigned far = (next_random(seed, 4) * 64 + 5) & far_mask;

	(void)bytes_printf(
		text,
		"  permit %u { %ssource 10.%u.0.%u/%u; destination 10.%u.0.%u/%u; service s%u; }\n",
		number, back ? "from b; " : "", back ? 2U : 1U, near, near_bits, back ? 1U : 2U,
		far, far_bits, number);
}

static void write_random_permits(struct bytes *text, uint64_t *seed, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		unsigned low = 1 + next_random(seed, 64), high = low + next_random(seed, 64);

		(void)bytes_printf(text, "service s%u { %s %u-%u; }\n", i,
				   next_random(seed, 2) ? "tcp" : "udp", low, high);
	}
	(void)bytes_append_text(text, "crossing a b {\n");
	for (unsigned i = 1; i <= count; i++)
		write_random_permit(text, seed, i);
	(void)bytes_append_text(text, "}\n");
}

static bool covers(const struct snapshot *s, struct snapshot_range range, const uint8_t *address)
{
	for (uint32_t i = 0; i < range.count; i++) {
		address_number first, last, number = address_to_number(4, address);

		prefix_bounds(&s->prefixes[range.first + i], &first, &last);
		if (number >= first && number <= last)
			return true;
	}
	return false;
}

/* The definition: the first permit by number whose every part matches. */
static uint32_t walk_permits(const struct snapshot *s, uint32_t from, const struct ip_headers *h)
{
	for (uint32_t i = 0; i < s->permit_count; i++) {
		const struct snapshot_permit *p = &s->permits[i];

		if (p->from != from || !covers(s, p->sources, h->source) ||
		    !covers(s, p->destinations, h->destination))
			continue;
		for (uint32_t j = 0; j < p->services.count; j++) {
			const struct snapshot_service *v = &s->services[p->services.first + j];

			if (v->protocol == h->protocol && h->destination_port >= v->low &&
			    h->destination_port <= v->high)
				return p->number;
		}
	}
	return 0;
}

static void compare_with_walk(uint64_t *seed, const struct snapshot *s)
{
	struct judge_policy policy;

	assert_int_equal(judge_init(&policy, s), 0);
	for (int i = 0; i < 400; i++) {
		uint32_t from = next_random(seed, 2);
		struct ip_headers h = flow("10.1.0.0", "10.2.0.0", next_random(seed, 2) ? 6 : 17,
					   (uint16_t)next_random(seed, 140));
		struct judge_question q = {.from = from, .headers = &h, .now_s = MONDAY_TEN_S};

		h.source[1] = from == 0 ? 1 : 2;
		h.destination[1] = from == 0 ? 2 : 1;
		h.source[3] = (uint8_t)(2 + next_random(seed, 250));
		h.destination[3] = (uint8_t)(2 + next_random(seed, 250));
		struct judge_verdict v = judge_flow(&policy, &q);
		uint32_t expected = walk_permits(s, from, &h);
		uint32_t got = v.permit == SNAPSHOT_NONE ? 0 : s->permits[v.permit].number;

		if (got != expected || (v.reason == JUDGE_PERMITTED) != (expected != 0))
			fail_msg("permit %u instead of %u (%s)", got, expected,
				 judge_reason_name(v.reason));
	}
	judge_fini(&policy);
}

static void test_judge_lookup_agrees_with_a_walk_over_generated_policies(void **state)
{
	static const char head[] = "system { organization \"t\"; host-name t; }\n"
				   "zone a { tier sensitive; port eth0; address 10.1.0.1/24; }\n"
				   "zone b { tier business; port eth1; address 10.2.0.1/24; }\n";
	uint64_t seed = 20261122;

	for (int round = 0; round < 60; round++) {
		struct policy_fixture f;
		struct bytes text;

		bytes_init(&text, 1 << 22);
		(void)bytes_append_text(&text, head);
		/* Few, and more than one word of the lookup's sets holds. */
		write_random_permits(&text, &seed,
				     round % 6 != 0 ? 1 + next_random(&seed, 40)
						    : 64 + next_random(&seed, 600));
		(void)bytes_append_u8(&text, 0);
		assert_false(text.failed);
		policy_fixture_init(&f, (const char *)text.data);
		compare_with_walk(&seed, &f.snapshot);
		policy_fixture_fini(&f);
		bytes_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge_answers_by_permit_and_reason),
		cmocka_unit_test(test_judge_refuses_forms_before_it_looks_at_permits),
		cmocka_unit_test(test_judge_refuses_the_authentication_header_in_both_families),
		cmocka_unit_test(test_judge_new_tcp_flow_begins_with_syn),
		cmocka_unit_test(test_judge_schedule_holds_to_the_minute),
		cmocka_unit_test(test_judge_expired_permit_names_itself),
		cmocka_unit_test(test_judge_binds_stations_to_addresses),
		cmocka_unit_test(test_judge_lookup_agrees_with_a_walk_over_generated_policies),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

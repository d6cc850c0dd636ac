/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes flattened into ranges: the longest prefix decides, at every single address (Z9). */
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/ranges.h"
#include "policy_fixture.h"

static const char zones_text[] =
	"system { organization \"t\"; host-name t; }\n"
	"zone a { tier sensitive; port eth0; address 10.1.0.1/24; address fd00:1::1/64; }\n"
	"zone b { tier business; port eth1; address 10.2.0.1/24; route 10.2.128.0/17 via "
	"10.2.0.9;\n"
	"         route 10.3.0.0/16 via 10.2.0.9; }\n"
	"zone c { tier outside; port eth2; address 192.0.2.1/28; route 0.0.0.0/0 via 192.0.2.14;\n"
	"         route 10.3.7.0/24 via 192.0.2.14; }\n"
	"service web { tcp 443; }\n"
	"crossing a b { permit 10 { source 10.1.0.5; destination 10.2.0.8; service web; } }\n"
	"crossing b c { permit 10 { source 10.2.0.0/24; destination 203.0.113.7; service web; } "
	"}\n";

static uint32_t zone_at(const struct range_map *map, const char *text)
{
	uint8_t address[16] = {0};
	uint8_t family = strchr(text, ':') != NULL ? 6 : 4;

	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, text, address), 1);
	return range_map_find(map, address_to_number(family, address));
}

static void test_ranges_owner_is_the_longest_prefix(void **state)
{
	static const struct {
		const char *address;
		uint32_t zone;
	} cases[] = {
		{"10.1.0.0", 0},
		{"10.1.0.254", 0},
		{"10.2.0.8", 1},
		{"10.2.128.0", 1},
		{"10.2.255.255", 1},
		{"10.3.6.255", 1},
		{"10.3.7.0", 2},
		{"10.3.7.255", 2},
		{"10.3.8.0", 1},
		{"8.8.8.8", 2},
		{"192.0.2.14", 2},
		/* the gateway's own, and broadcast */
		{"10.1.0.1", SNAPSHOT_NONE},
		{"10.1.0.255", SNAPSHOT_NONE},
		{"192.0.2.1", SNAPSHOT_NONE},
		{"192.0.2.15", SNAPSHOT_NONE},
		/* martians */
		{"0.0.0.0", SNAPSHOT_NONE},
		{"0.255.255.255", SNAPSHOT_NONE},
		{"1.0.0.0", 2},
		{"127.0.0.1", SNAPSHOT_NONE},
		{"128.0.0.0", 2},
		{"169.254.0.0", SNAPSHOT_NONE},
		{"169.255.0.0", 2},
		{"223.255.255.255", 2},
		{"224.0.0.0", SNAPSHOT_NONE},
		{"255.255.255.255", SNAPSHOT_NONE},
		/* bogons: not by zone c's default route */
		{"9.255.255.255", 2},
		{"10.0.0.0", SNAPSHOT_NONE},
		{"10.1.1.0", SNAPSHOT_NONE},
		{"10.2.1.0", SNAPSHOT_NONE},
		{"11.0.0.0", 2},
		{"100.63.255.255", 2},
		{"100.64.0.0", SNAPSHOT_NONE},
		{"100.128.0.0", 2},
		{"172.15.255.255", 2},
		{"172.16.0.0", SNAPSHOT_NONE},
		{"172.31.255.255", SNAPSHOT_NONE},
		{"192.0.0.255", SNAPSHOT_NONE},
		{"192.168.0.0", SNAPSHOT_NONE},
		{"198.17.255.255", 2},
		{"198.19.255.255", SNAPSHOT_NONE},
	};
	struct policy_fixture f;
	struct range_map map;

	policy_fixture_init(&f, zones_text);
	assert_int_equal(range_map_owners(&map, &f.snapshot, 4), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(zone_at(&map, cases[i].address), cases[i].zone);
	for (size_t i = 1; i < map.count; i++)
		assert_true(map.rows[i - 1].last < map.rows[i].first);
	range_map_fini(&map);
	policy_fixture_fini(&f);
}

/* What an administrator names himself, and what is behind a default route of one's own network, is
 * no bogon; a martian stays one. */
static void test_ranges_bogons_are_only_behind_a_default_route_outside(void **state)
{
	static const char named[] =
		"system { organization \"t\"; host-name t; }\n"
		"zone a { tier business; port eth0; address 10.1.0.1/24; route ::/0 via fd00:1::9; "
		"address fd00:1::1/64; }\n"
		"zone c { tier outside; port eth2; address 192.0.2.1/28; route 0.0.0.0/0 via "
		"192.0.2.14;\n"
		"         route 10.0.0.0/8 via 192.0.2.14; route 172.16.9.0/24 via 192.0.2.14;\n"
		"         route 169.254.7.0/24 via 192.0.2.14; }\n";
	struct policy_fixture f;
	struct range_map map;

	policy_fixture_init(&f, named);
	assert_int_equal(range_map_owners(&map, &f.snapshot, 4), 0);
	assert_int_equal(zone_at(&map, "10.77.0.1"), 1);
	assert_int_equal(zone_at(&map, "10.1.0.77"), 0);
	assert_int_equal(zone_at(&map, "172.16.9.1"), 1);
	assert_int_equal(zone_at(&map, "172.16.8.1"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "169.254.7.1"), SNAPSHOT_NONE);
	range_map_fini(&map);
	assert_int_equal(range_map_owners(&map, &f.snapshot, 6), 0);
	assert_int_equal(zone_at(&map, "fd00:2::1"), 0);
	assert_int_equal(zone_at(&map, "2002::1"), 0);
	assert_int_equal(zone_at(&map, "2001:db8::1"), 0);
	assert_int_equal(zone_at(&map, "fd00:1::1"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "fec0::7"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "fe80::7"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "::5"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "ff02::5"), SNAPSHOT_NONE);
	range_map_fini(&map);
	policy_fixture_fini(&f);
}

static void test_ranges_families_are_apart(void **state)
{
	struct policy_fixture f;
	struct range_map map;

	policy_fixture_init(&f, zones_text);
	assert_int_equal(range_map_owners(&map, &f.snapshot, 6), 0);
	assert_int_equal(zone_at(&map, "fd00:1::77"), 0);
	assert_int_equal(zone_at(&map, "fd00:2::1"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&map, "::"), SNAPSHOT_NONE);
	range_map_fini(&map);
	policy_fixture_fini(&f);
}

static void test_ranges_ways_lead_only_where_permits_name(void **state)
{
	struct policy_fixture f;
	struct range_map from_a, from_b, from_c;

	policy_fixture_init(&f, zones_text);
	assert_int_equal(range_map_ways(&from_a, &f.snapshot, 4, 0), 0);
	assert_int_equal(range_map_ways(&from_b, &f.snapshot, 4, 1), 0);
	assert_int_equal(range_map_ways(&from_c, &f.snapshot, 4, 2), 0);
	assert_int_equal(zone_at(&from_a, "10.2.0.8"), 1);
	assert_int_equal(zone_at(&from_a, "10.2.0.9"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&from_a, "10.1.0.77"), 0);
	assert_int_equal(zone_at(&from_a, "203.0.113.7"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&from_b, "10.1.0.5"), 0); /* the way back */
	assert_int_equal(zone_at(&from_b, "10.1.0.6"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&from_b, "203.0.113.7"), 2);
	assert_int_equal(zone_at(&from_b, "203.0.113.8"), SNAPSHOT_NONE);
	assert_int_equal(zone_at(&from_c, "10.2.0.200"), 1);
	assert_int_equal(zone_at(&from_c, "8.8.8.8"), 2); /* its default route */
	assert_int_equal(zone_at(&from_c, "10.1.0.5"),
			 SNAPSHOT_NONE); /* not by its default route */
	range_map_fini(&from_a);
	range_map_fini(&from_b);
	range_map_fini(&from_c);
	policy_fixture_fini(&f);
}

static void test_ranges_empty_map_finds_nothing(void **state)
{
	struct range_map map = {0};

	assert_int_equal(range_map_find(&map, 0), SNAPSHOT_NONE);
	assert_int_equal(range_map_find(&map, ~(address_number)0), SNAPSHOT_NONE);
}

static void test_ranges_bounds_of_every_prefix_length(void **state)
{
	struct snapshot_prefix p = {.family = 6, .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xff}};
	address_number first, last;

	for (unsigned bits = 0; bits <= 128; bits++) {
		p.bits = (uint8_t)bits;
		prefix_bounds(&p, &first, &last);
		assert_true(first <= address_to_number(6, p.addr) &&
			    address_to_number(6, p.addr) <= last);
		if (bits > 0)
			assert_true(last - first == (((address_number)1 << (128 - bits)) - 1));
		else
			assert_true(first == 0 && last == ~(address_number)0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_owner_is_the_longest_prefix),
		cmocka_unit_test(test_ranges_bogons_are_only_behind_a_default_route_outside),
		cmocka_unit_test(test_ranges_families_are_apart),
		cmocka_unit_test(test_ranges_ways_lead_only_where_permits_name),
		cmocka_unit_test(test_ranges_empty_map_finds_nothing),
		cmocka_unit_test(test_ranges_bounds_of_every_prefix_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

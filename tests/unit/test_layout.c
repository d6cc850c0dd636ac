/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a policy to what the kernel should hold for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/zones/layout.h"

#define PREFIXES_MAX 16

/* A snapshot in plain arrays: two zones or three, filled by the tests. */
struct fixture {
	struct snapshot snapshot;
	struct snapshot_zone zones[3];
	struct snapshot_prefix prefixes[PREFIXES_MAX];
	struct snapshot_route routes[4];
	struct snapshot_crossing crossings[1];
	struct snapshot_permit permits[2];
};

static struct fixture fx;

static struct snapshot_prefix prefix(const char *text, uint8_t bits)
{
	struct snapshot_prefix p = {.family = strchr(text, ':') ? 6 : 4, .bits = bits};

	assert_int_equal(inet_pton(p.family == 6 ? AF_INET6 : AF_INET, text, p.addr), 1);
	return p;
}

static struct snapshot_range add_prefix(const char *text, uint8_t bits)
{
	fx.prefixes[fx.snapshot.prefix_count] = prefix(text, bits);
	return (struct snapshot_range){.first = fx.snapshot.prefix_count++, .count = 1};
}

static void add_zone(const char *name, const char *port, const char *address, uint8_t bits)
{
	struct snapshot_zone *zone = &fx.zones[fx.snapshot.zone_count++];

	(void)snprintf(zone->name, sizeof(zone->name), "%s", name);
	(void)snprintf(zone->port, sizeof(zone->port), "%s", port);
	zone->addresses = add_prefix(address, bits);
	zone->peer = SNAPSHOT_NONE;
}

static int setup(void **state)
{
	memset(&fx, 0, sizeof(fx));
	fx.snapshot.zones = fx.zones;
	fx.snapshot.prefixes = fx.prefixes;
	fx.snapshot.routes = fx.routes;
	fx.snapshot.crossings = fx.crossings;
	fx.snapshot.permits = fx.permits;
	add_zone("lgwan", "eth1", "10.20.0.1", 24);
	add_zone("mynumber", "eth0", "10.10.0.1", 24);
	return 0;
}

static void add_crossing(struct snapshot_range sources, struct snapshot_range destinations)
{
	fx.crossings[0] = (struct snapshot_crossing){.low = 0, .high = 1};
	fx.snapshot.crossing_count = 1;
	fx.permits[fx.snapshot.permit_count++] = (struct snapshot_permit){
		.from = 1, .to = 0, .sources = sources, .destinations = destinations};
}

/* The routes of one zone with this target and destination. */
static size_t count_routes(const struct layout_zone *zone, enum layout_target target,
			   const char *text, uint8_t bits)
{
	struct snapshot_prefix wanted = prefix(text, bits);
	size_t count = 0;

	for (size_t i = 0; i < zone->routes.count; i++) {
		const struct layout_route *row = &zone->routes.rows[i];

		count += row->target == target &&
			 memcmp(&row->destination, &wanted, sizeof(wanted)) == 0;
	}
	return count;
}

static size_t count_target(const struct layout_zone *zone, enum layout_target target)
{
	size_t count = 0;

	for (size_t i = 0; i < zone->routes.count; i++)
		count += zone->routes.rows[i].target == target;
	return count;
}

static void test_layout_of_nothing_is_empty(void **state)
{
	struct layout layout;

	assert_int_equal(layout_init(&layout, NULL), 0);
	assert_int_equal(layout.zone_count, 0);
	assert_int_equal(layout.crossing_count, 0);
	layout_fini(&layout);
}

static void test_layout_without_crossing_routes_other_zones_to_the_void(void **state)
{
	struct layout layout;

	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	assert_int_equal(layout.crossing_count, 0);
	assert_int_equal(count_target(&layout.zones[0], TARGET_CROSSING), 0);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_VOID, "10.10.0.0", 24), 1);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_VOID, "0.0.0.0", 0), 1);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_VOID, "::", 0), 1);
	assert_int_equal(count_routes(&layout.zones[1], TARGET_VOID, "10.20.0.0", 24), 1);
	layout_fini(&layout);
}

static void test_layout_permit_gives_each_side_only_what_it_names(void **state)
{
	struct layout layout;

	add_crossing(add_prefix("10.10.0.5", 32), add_prefix("10.20.0.8", 32));
	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	assert_int_equal(layout.crossing_count, 1);
	assert_int_equal(count_routes(&layout.zones[1], TARGET_CROSSING, "10.20.0.8", 32), 1);
	assert_int_equal(count_target(&layout.zones[1], TARGET_CROSSING), 1);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_CROSSING, "10.10.0.5", 32), 1);
	assert_int_equal(count_target(&layout.zones[0], TARGET_CROSSING), 1);
	layout_fini(&layout);
}

static void test_layout_permit_without_sources_routes_back_the_networks(void **state)
{
	struct layout layout;

	fx.routes[0] = (struct snapshot_route){prefix("172.16.0.0", 12), prefix("10.10.0.9", 32)};
	fx.snapshot.route_count = 1;
	fx.zones[1].routes = (struct snapshot_range){0, 1};
	add_crossing((struct snapshot_range){0, 0}, add_prefix("10.20.0.8", 32));
	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_CROSSING, "10.10.0.0", 24), 1);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_CROSSING, "172.16.0.0", 12), 1);
	assert_int_equal(count_target(&layout.zones[0], TARGET_CROSSING), 2);
	assert_int_equal(count_routes(&layout.zones[1], TARGET_PORT, "172.16.0.0", 12), 1);
	layout_fini(&layout);
}

static void test_layout_transparent_zone_stands_between_the_sides(void **state)
{
	struct snapshot_range host = add_prefix("10.1.0.1", 32);
	struct layout layout;

	for (uint32_t i = 0; i < 2; i++) {
		fx.zones[i].addresses.count = 0;
		fx.zones[i].peer = 1 - i;
	}
	fx.zones[0].networks = host;
	fx.zones[1].networks = add_prefix("10.1.0.0", 24);
	fx.routes[0] = (struct snapshot_route){prefix("0.0.0.0", 0), prefix("10.1.0.1", 32)};
	fx.snapshot.route_count = 1;
	fx.zones[0].routes = (struct snapshot_range){0, 1};
	add_crossing(add_prefix("10.1.0.5", 32), host);
	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_LINK, "10.1.0.1", 32), 1);
	assert_int_equal(layout.zones[0].routes.rows[0].target,
			 TARGET_LINK); /* before the router */
	assert_int_equal(layout.zones[0].routes.rows[1].target, TARGET_PORT);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_CROSSING, "10.1.0.5", 32), 1);
	assert_int_equal(count_routes(&layout.zones[0], TARGET_VOID, "10.1.0.0", 24), 1);
	assert_int_equal(count_routes(&layout.zones[1], TARGET_LINK, "10.1.0.0", 24), 1);
	assert_int_equal(count_routes(&layout.zones[1], TARGET_CROSSING, "10.1.0.1", 32), 1);
	assert_int_equal(layout.zones[0].proxied.count, 255);
	assert_int_equal(layout.zones[1].proxied.count, 1);
	assert_int_equal(layout.zones[1].proxied.rows[0].addr[3], 1);
	layout_fini(&layout);
}

static void test_layout_names_a_route_once_for_many_permits(void **state)
{
	struct snapshot_range source = add_prefix("10.10.0.5", 32),
			      destination = add_prefix("10.20.0.8", 32);
	struct layout layout;

	add_crossing(source, destination);
	add_crossing(source, destination);
	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	assert_int_equal(count_target(&layout.zones[0], TARGET_CROSSING), 1);
	assert_int_equal(count_target(&layout.zones[1], TARGET_CROSSING), 1);
	layout_fini(&layout);
}

static void test_layout_clears_host_bits_of_any_length(void **state)
{
	static const struct {
		const char *text;
		uint8_t bits;
		const char *network;
	} cases[] = {
		{"10.20.255.255", 0, "0.0.0.0"},        {"10.20.255.255", 9, "10.0.0.0"},
		{"10.20.255.255", 31, "10.20.255.254"}, {"10.20.255.255", 32, "10.20.255.255"},
		{"fd00::ffff", 127, "fd00::fffe"},      {"fd00:ffff::1", 17, "fd00:8000::"},
	};
	struct layout layout;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(NULL);
		add_crossing(add_prefix("10.10.0.5", 32), add_prefix(cases[i].text, cases[i].bits));
		assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
		assert_int_equal(count_routes(&layout.zones[1], TARGET_CROSSING, cases[i].network,
					      cases[i].bits),
				 1);
		layout_fini(&layout);
	}
}

static void test_layout_lists_are_sorted_for_one_walk(void **state)
{
	struct layout layout;

	add_crossing(add_prefix("10.10.0.5", 32), add_prefix("10.20.0.8", 32));
	assert_int_equal(layout_init(&layout, &fx.snapshot), 0);
	for (size_t z = 0; z < layout.zone_count; z++) {
		const struct layout_routes *routes = &layout.zones[z].routes;

		for (size_t i = 1; i < routes->count; i++)
			assert_true(layout_compare_routes(&routes->rows[i - 1], &routes->rows[i]) <
				    0);
	}
	layout_fini(&layout);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_layout_of_nothing_is_empty),
		TEST(test_layout_without_crossing_routes_other_zones_to_the_void),
		TEST(test_layout_permit_gives_each_side_only_what_it_names),
		TEST(test_layout_permit_without_sources_routes_back_the_networks),
		TEST(test_layout_transparent_zone_stands_between_the_sides),
		TEST(test_layout_names_a_route_once_for_many_permits),
		TEST(test_layout_clears_host_bits_of_any_length),
		TEST(test_layout_lists_are_sorted_for_one_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

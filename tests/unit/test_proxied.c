/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses the gateway answers for between the sides of a transparent crossing, and in whose
 * name it asks (Z2, Z6). */
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "policy/proxied.h"
#include "policy/ranges.h"
#include "policy_fixture.h"

static const char zones_text[] =
	"system { organization \"t\"; host-name t; }\n"
	"zone a { tier business; port eth0; address 10.2.0.1/24; }\n"
	"zone b { tier business; port eth1; network 10.1.0.0/24 10.7.0.0/30 fd00:1::/120; }\n"
	"zone c { tier business; port eth2; network 10.1.0.1 10.1.0.250/31 10.7.0.3 fd00:1::1;\n"
	"         route 0.0.0.0/0 via 10.1.0.1; }\n"
	"service web { tcp 443; }\n"
	"crossing b c { transparent; permit 1 { destination 10.1.0.1; service web; } }\n";

enum { A, B, C };

static struct policy_fixture fixture;

static int setup(void **state)
{
	policy_fixture_init(&fixture, zones_text);
	return 0;
}

static int teardown(void **state)
{
	policy_fixture_fini(&fixture);
	return 0;
}

/* What proxied_each tells, and whether an address is among it. */
struct told {
	struct snapshot_prefix address; /* looked for */
	size_t count, found, stop_at;
};

static int take(void *ctx, const struct snapshot_prefix *address)
{
	struct told *told = ctx;

	told->count++;
	told->found += memcmp(address, &told->address, sizeof(*address)) == 0;
	return told->count == told->stop_at ? -ERR_NO_SPACE : 0;
}

static struct snapshot_prefix host(const char *text)
{
	struct snapshot_prefix p = {.family = strchr(text, ':') != NULL ? 6 : 4};

	p.bits = p.family == 4 ? 32 : 128;
	assert_int_equal(inet_pton(p.family == 4 ? AF_INET : AF_INET6, text, p.addr), 1);
	return p;
}

static struct told ask(uint32_t zone, const char *address)
{
	struct told told = {.address = host(address)};

	assert_int_equal(proxied_each(&fixture.snapshot, zone, take, &told), 0);
	return told;
}

static void test_proxied_are_the_other_side_s_addresses_and_no_others(void **state)
{
	static const struct {
		const char *address;
		uint32_t zone; /* whose port the gateway answers at; A: nowhere */
	} cases[] = {
		{"10.1.0.1", B},    {"10.1.0.250", B}, {"10.1.0.251", B},   {"10.7.0.3", B},
		{"fd00:1::1", B},   {"10.1.0.0", C},   {"10.1.0.2", C},     {"10.1.0.249", C},
		{"10.1.0.252", C},  {"10.7.0.2", C},   {"fd00:1::ff", C},   {"10.1.1.0", A},
		{"fd00:1::100", A}, {"10.7.0.4", A},   {"198.51.100.7", A}, {"10.2.0.1", A},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t zone = B; zone <= C; zone++)
			assert_int_equal(ask(zone, cases[i].address).found, zone == cases[i].zone);
	}
	assert_int_equal(ask(A, "10.1.0.1").count, 0);
	assert_int_equal(ask(B, "10.1.0.1").count, 1 + 2 + 1 + 1);
	assert_int_equal(ask(C, "10.1.0.2").count, 256 - 3 + 3 + 256 - 1);
}

static void test_proxied_walk_ends_with_who_is_told(void **state)
{
	struct told told = {.stop_at = 3};

	assert_int_equal(proxied_each(&fixture.snapshot, C, take, &told), -ERR_NO_SPACE);
	assert_int_equal(told.count, 3);
}

/* Who asks for a network, and how many networks were told of. */
struct asking {
	const struct snapshot_prefix *network; /* looked for */
	struct snapshot_prefix asker;
	size_t found, count;
};

static void take_asker(void *ctx, const struct snapshot_prefix *network,
		       const struct snapshot_prefix *asker)
{
	struct asking *asking = ctx;

	asking->count++;
	if (memcmp(network, asking->network, sizeof(*network)) != 0)
		return;
	asking->found++;
	asking->asker = *asker;
}

static void test_proxied_asker_is_a_host_of_the_same_network(void **state)
{
	static const struct {
		const char *network;
		uint8_t bits;
		uint32_t zone;
		const char *asks;
	} cases[] = {
		{"10.1.0.0", 24, B, "10.1.0.1"}, {"10.7.0.0", 30, B, "10.7.0.3"},
		{"10.1.0.1", 32, C, "10.1.0.2"}, {"10.1.0.250", 31, C, "10.1.0.248"},
		{"10.7.0.3", 32, C, "10.7.0.2"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot_prefix network = host(cases[i].network);
		struct snapshot_prefix wanted = host(cases[i].asks);
		struct asking asking = {.network = &network};

		network.bits = cases[i].bits;
		assert_int_equal(proxied_each_asker(&fixture.snapshot, cases[i].zone, take_asker,
						    &asking),
				 0);
		assert_int_equal(asking.found, 1);
		assert_int_equal(asking.count, cases[i].zone == B ? 2 : 3);
		if (memcmp(&asking.asker, &wanted, sizeof(wanted)) != 0)
			fail_msg("%s: asks as ...%u", cases[i].network, asking.asker.addr[3]);
	}
}

static void test_proxied_asker_without_an_other_side_is_nobody(void **state)
{
	struct snapshot_prefix network = host("10.2.0.0");
	struct asking asking = {.network = &network};

	assert_int_equal(proxied_each_asker(&fixture.snapshot, A, take_asker, &asking), 0);
	assert_int_equal(asking.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxied_are_the_other_side_s_addresses_and_no_others),
		cmocka_unit_test(test_proxied_walk_ends_with_who_is_told),
		cmocka_unit_test(test_proxied_asker_is_a_host_of_the_same_network),
		cmocka_unit_test(test_proxied_asker_without_an_other_side_is_nobody),
	};

	return cmocka_run_group_tests_name("proxied", tests, setup, teardown);
}

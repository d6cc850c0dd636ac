/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of `test flow`: what they become, and that nothing else is taken. */
#include "unit.h"

#include <string.h>

#include "arbiter/trial.h"
#include "base/err.h"
#include "policy/policy.h"

static const char config[] =
	"zone a { tier business; port e0; address 10.0.0.1/24; address fd00::1/64; }\n"
	"zone b { tier business; port e1; address 10.1.0.1/24; }\n";

static struct bytes block;
static struct snapshot policy;

static int setup(void **state)
{
	struct problems problems;

	problems_init(&problems);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	assert_int_equal(policy_compile_text(span_of(config), &block, &problems), 0);
	assert_int_equal(snapshot_view(&policy, block.data, block.size), 0);
	return 0;
}

static int teardown(void **state)
{
	bytes_fini(&block);
	return 0;
}

static struct ip_headers accept(const char *text)
{
	struct ip_headers h;
	uint32_t zone;
	const char *why = trial_read(&h, &zone, &policy, text);

	if (why != NULL)
		fail_msg("%s: %s", text, why);
	assert_int_equal(zone, text[strspn(text, " ")] == 'a' ? 0 : 1);
	return h;
}

static void test_trial_words_become_headers(void **state)
{
	struct ip_headers h = accept("  a 10.0.0.5  10.1.0.5 tcp 443 ");

	assert_int_equal(h.protocol, IP_PROTOCOL_TCP);
	assert_int_equal(h.flags, IP_HAS_PORTS);
	assert_int_equal(h.destination_port, 443);
	assert_int_equal(h.tcp_flags, 2);
	assert_int_equal(h.destination[1], 1);
	h = accept("b 10.1.0.5 10.0.0.5 icmp");
	assert_int_equal(h.protocol, IP_PROTOCOL_ICMP);
	assert_int_equal(h.icmp_type, 8);
	h = accept("a fd00::5 fd00:1::5 icmp");
	assert_int_equal(h.family, 6);
	assert_int_equal(h.protocol, IP_PROTOCOL_ICMPV6);
	assert_int_equal(h.icmp_type, 128);
	h = accept("a 10.0.0.5 10.1.0.5 47");
	assert_int_equal(h.protocol, 47);
	assert_int_equal(h.flags, 0);
}

static void test_trial_refuses_everything_else(void **state)
{
	static const char *const refused[] = {
		"",
		"a",
		"a 10.0.0.5 10.1.0.5",
		"a 10.0.0.5 10.1.0.5 tcp",
		"a 10.0.0.5 10.1.0.5 tcp 0",
		"a 10.0.0.5 10.1.0.5 tcp 65536",
		"a 10.0.0.5 10.1.0.5 tcp 1 2",
		"a 10.0.0.5 10.1.0.5 icmp 8",
		"a 10.0.0.5 10.1.0.5 256",
		"a 10.0.0.5 10.1.0.5 sctp",
		"c 10.0.0.5 10.1.0.5 icmp",
		"a 10.0.0 10.1.0.5 icmp",
		"a 10.0.0.5 fd00::1 icmp",
		"a 10.0.0.5 127.0.0.1 icmp",
		"a 10.0.0.5 10.1.0.5 tcp -1",
	};
	struct ip_headers h;
	uint32_t zone;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (trial_read(&h, &zone, &policy, refused[i]) == NULL)
			fail_msg("taken: %s", refused[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trial_words_become_headers),
		cmocka_unit_test(test_trial_refuses_everything_else),
	};

	return cmocka_run_group_tests_name("trial", tests, setup, teardown);
}

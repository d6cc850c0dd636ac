/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Denials become few events whose counts add up to every packet (Z12). */
#include "unit.h"

#include <unistd.h>

#include "arbiter/denials.h"
#include "base/channel.h"
#include "policy_fixture.h"

static const char policy_text[] = "system { organization \"t\"; host-name t; }\n"
				  "zone a { tier sensitive; port eth0; address 10.1.0.1/24; }\n"
				  "zone b { tier business; port eth1; address 10.2.0.1/24; }\n";

/* Denials whose events arrive at the other end of a channel. */
struct fixture {
	struct policy_fixture policy;
	struct denials denials;
	struct event_client events;
	int channel[2];
	uint64_t now_ms;
	uint64_t told; /* sum of all counts */
	unsigned event_count;
};

static struct fixture fixture;

static int setup(void **state)
{
	policy_fixture_init(&fixture.policy, policy_text);
	assert_int_equal(channel_pair(fixture.channel), 0);
	event_client_init(&fixture.events, fixture.channel[0]);
	fixture.now_ms = 1000000;
	fixture.told = 0;
	fixture.event_count = 0;
	denials_init(&fixture.denials, fixture.now_ms);
	return 0;
}

static int teardown(void **state)
{
	close(fixture.channel[0]);
	close(fixture.channel[1]);
	policy_fixture_fini(&fixture.policy);
	return 0;
}

static int take_event(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct event_record *record = message->body;

	fixture.event_count++;
	for (uint32_t i = 0; i < record->field_count; i++) {
		if (record->fields[i].key == FIELD_COUNT)
			fixture.told += record->fields[i].number;
	}
	return 0;
}

#define RULE(id) {id, 0, 0, CHANNEL_EXACTLY(event_record), take_event, #id}

static void read_events(void)
{
	static const struct channel_rule rules[] = {RULE(EVENT_FLOW_DENIED),
						    RULE(EVENT_FLOWS_DENIED)};
	struct channel ch;

	channel_init(&ch, fixture.channel[1], rules, 2, NULL);
	assert_true(channel_serve(&ch, 100000, NULL) >= 0);
}

static void deny(uint8_t host, uint16_t port)
{
	struct ip_headers h = {.family = 4,
			       .protocol = 6,
			       .flags = IP_HAS_PORTS,
			       .destination_port = port,
			       .source = {10, 1, 0, host},
			       .destination = {10, 2, 0, 8}};
	const struct judge_verdict v = {JUDGE_NO_PERMIT, 1, SNAPSHOT_NONE, SNAPSHOT_NONE};

	denials_note(&fixture.denials, &fixture.events, &fixture.policy.snapshot, 0, &v, &h,
		     fixture.now_ms);
}

static void pass_time(unsigned ms)
{
	for (unsigned end = ms / 100; end > 0; end--) {
		fixture.now_ms += 100;
		denials_tick(&fixture.denials, &fixture.events, fixture.now_ms);
		read_events();
	}
}

static void test_denials_first_is_told_at_once_and_the_rest_summed(void **state)
{
	for (int i = 0; i < 1000; i++)
		deny(5, 80);
	read_events();
	assert_int_equal(fixture.event_count, 1);
	assert_int_equal(fixture.told, 1);
	pass_time(DENIALS_SUMMARY_MS + 200);
	assert_int_equal(fixture.event_count, 2);
	assert_int_equal(fixture.told, 1000);
	pass_time(3 * DENIALS_SUMMARY_MS);
	assert_int_equal(fixture.event_count, 2); /* nothing new, nothing said */
}

static void test_denials_of_a_scan_are_few_events_with_the_exact_sum(void **state)
{
	for (int port = 0; port < 65536; port++)
		deny(5, (uint16_t)port);
	pass_time(3 * DENIALS_SUMMARY_MS);
	assert_int_equal(fixture.told, 65536);
	assert_true(fixture.event_count <= DENIALS_PER_SOURCE + 2);
}

static void test_denials_of_many_sources_keep_the_rate_and_the_sum(void **state)
{
	uint64_t sum = 0;

	for (int round = 0; round < 20; round++) {
		for (int host = 0; host < 256; host++) {
			for (int port = 0; port < 40; port++, sum++)
				deny((uint8_t)host, (uint16_t)(round * 40 + port));
		}
		unsigned before = fixture.event_count;

		pass_time(1000);
		assert_true(fixture.event_count - before <=
			    DENIALS_EVENTS_BURST + DENIALS_EVENTS_PER_S + 1);
	}
	pass_time(200000);
	assert_int_equal(fixture.told, sum);
}

static void test_denials_survive_an_audit_that_does_not_read(void **state)
{
	/* Without a reader the channel fills; what could not be told then is told later. */
	for (int round = 0; round < 60; round++) {
		for (int host = 0; host < 250; host++)
			deny((uint8_t)host, 80);
		fixture.now_ms += DENIALS_SUMMARY_MS;
		denials_tick(&fixture.denials, &fixture.events, fixture.now_ms);
	}
	pass_time(100000);
	assert_int_equal(fixture.told, 60 * 250);
}

static void test_denials_forget_what_is_long_past(void **state)
{
	for (int round = 0; round < 3 * DENIALS_MAX / 250; round++) {
		for (int host = 0; host < 250; host++)
			deny((uint8_t)host, (uint16_t)round);
		pass_time(3 * DENIALS_SUMMARY_MS);
	}
	pass_time(100000);
	assert_int_equal(fixture.denials.overflow, 0);
	assert_int_equal(fixture.told, 3 * DENIALS_MAX / 250 * 250);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_denials_first_is_told_at_once_and_the_rest_summed),
		TEST(test_denials_of_a_scan_are_few_events_with_the_exact_sum),
		TEST(test_denials_of_many_sources_keep_the_rate_and_the_sum),
		TEST(test_denials_survive_an_audit_that_does_not_read),
		TEST(test_denials_forget_what_is_long_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

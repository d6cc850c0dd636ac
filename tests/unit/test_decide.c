/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the arbiter counts against a sender, and what it does not (Z12): whoever is cut off by a
 * change of policy has tried nothing. */
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "arbiter/decide.h"
#include "base/channel.h"
#include "policy_fixture.h"

static const char policy_text[] =
	"zone a { tier sensitive; port eth0; address 10.1.0.1/24;\n"
	"  station 02:00:00:00:00:01 { address 10.1.0.5; }\n"
	"  station 02:00:00:00:00:02 { address 10.1.0.6; }\n"
	"  guard { denied-rate 5/s; scan-ports 8; isolate-station; } }\n"
	"zone b { tier business; port eth1; address 10.2.0.1/24; }\n"
	"service web { tcp 80; udp 80; }\n"
	"service few { tcp 443; }\n"
	"crossing a b { permit 1 { destination 10.2.0.8; service web; }\n"
	"  permit 70 { destination 10.2.0.8; service few; limit { connections 3; } log; } }\n";

enum { GENERATION = 7, NOW_MS = 1000000, HEADER_BYTES = 40 };

static struct fixture {
	struct policy_fixture policy;
	struct judge_policy judge;
	struct decider decider;
	struct event_client events;
	int channel[2];
	unsigned isolated, permitted, denied; /* the last two: events */
	uint64_t named;                       /* permit of the last event */
	uint32_t id;                          /* of the last packet */
	uint8_t mac[6];                       /* that was isolated last */
} fixture;

static void isolate(const struct decide_question *q, const uint8_t mac[6], const char *kind)
{
	fixture.isolated++;
	memcpy(fixture.mac, mac, 6);
}

static int setup(void **state)
{
	memset(&fixture, 0, sizeof(fixture));
	policy_fixture_init(&fixture.policy, policy_text);
	assert_int_equal(judge_init(&fixture.judge, &fixture.policy.snapshot), 0);
	assert_int_equal(channel_pair(fixture.channel), 0);
	event_client_init(&fixture.events, fixture.channel[0]);
	decide_init(&fixture.decider, &fixture.events, NOW_MS);
	fixture.decider.isolate = isolate;
	return 0;
}

static int teardown(void **state)
{
	close(fixture.channel[0]);
	close(fixture.channel[1]);
	judge_fini(&fixture.judge);
	policy_fixture_fini(&fixture.policy);
	return 0;
}

/* A TCP packet of station 1 or 2 to 10.2.0.8. Return: its mark. */
static uint32_t decide(uint8_t station, uint16_t port, uint8_t origin, uint32_t before)
{
	struct packet_item item = {
		.id = ++fixture.id,
		.wire_bytes = HEADER_BYTES,
		.captured_bytes = HEADER_BYTES,
		.origin = origin,
		.mac_bytes = 6,
		.mac = {2, 0, 0, 0, 0, station},
		.before = before,
		.data = {0x45,
			 0,
			 0,
			 HEADER_BYTES,
			 0,
			 0,
			 0,
			 0,
			 64,
			 6,
			 0,
			 0,
			 10,
			 1,
			 0,
			 (uint8_t)(4 + station),
			 10,
			 2,
			 0,
			 8,
			 0x40,
			 0,
			 (uint8_t)(port >> 8),
			 (uint8_t)port},
	};
	const struct decide_question q = {
		.policy = &fixture.judge,
		.generation = GENERATION,
		.item = &item,
		.data = {item.data, HEADER_BYTES},
		.now_ms = NOW_MS,
	};

	item.data[32] = 5 << 4;
	item.data[33] = origin & PACKET_IS_ESTABLISHED ? 0x10 : 0x02; /* ACK, SYN */
	return decide_packet(&fixture.decider, &q);
}

#define DENIED    (GENERATION << 16 | PACKET_MARK_DENY)
#define PERMITTED (GENERATION << 16 | 1)
#define BEFORE    ((GENERATION - 1) << 16 | 3) /* a permit of the policy before */
#define CUT       ((GENERATION - 1) << 16)     /* that was taken back, ahead of this packet */
#define ON_TRIAL  (GENERATION << 16)           /* has passed, and proved nothing */

static void test_decide_new_flows_that_are_refused_isolate_their_station(void **state)
{
	assert_int_equal(decide(1, 80, 0, 0), PERMITTED);
	for (int i = 0; i < 5; i++)
		assert_int_equal(decide(1, 81, 0, 0), DENIED);
	assert_int_equal(fixture.isolated, 1);
	assert_int_equal(fixture.mac[5], 1);
}

static void test_decide_flows_cut_by_a_change_are_no_attempts(void **state)
{
	for (uint16_t port = 1000; port < 1100; port++) {
		assert_int_equal(decide(1, port, PACKET_IS_ESTABLISHED, BEFORE), DENIED);
		assert_int_equal(decide(1, port, 0, BEFORE), DENIED); /* had no answer yet */
		assert_int_equal(decide(1, port, PACKET_IS_ESTABLISHED, CUT), DENIED);
		assert_int_equal(decide(1, port, 0, CUT), DENIED);
	}
	assert_int_equal(fixture.isolated, 0);
}

static void test_decide_flows_that_go_on_are_no_attempts(void **state)
{
	for (int i = 0; i < 100; i++)
		assert_int_equal(decide(1, 80, 0, BEFORE), PERMITTED);
	for (uint16_t port = 1; port < 8; port++)
		(void)decide(1, port, 0, 0);
	assert_int_equal(fixture.isolated, 1); /* the fifth refusal, not a scan */
}

/* A flow that never proved anything is denied on its merits, whatever its state. */
static void test_decide_established_flows_without_a_proof_are_attempts(void **state)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(decide(1, 81, PACKET_IS_ESTABLISHED, i < 2 ? 0 : ON_TRIAL),
				 DENIED);
	assert_int_equal(fixture.isolated, 1);
}

static void test_decide_each_station_answers_for_itself(void **state)
{
	for (int i = 0; i < 4; i++) {
		assert_int_equal(decide(1, 81, 0, 0), DENIED);
		assert_int_equal(decide(2, 81, 0, 0), DENIED);
	}
	assert_int_equal(fixture.isolated, 0);
	(void)decide(2, 81, 0, 0);
	assert_int_equal(fixture.isolated, 1);
	assert_int_equal(fixture.mac[5], 2);
}

static int take_event(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct event_record *record = message->body;

	fixture.permitted += record->id == EVENT_FLOW_PERMITTED;
	fixture.denied += record->id == EVENT_FLOW_DENIED;
	for (uint32_t i = 0; i < record->field_count; i++) {
		if (record->fields[i].key == FIELD_PERMIT)
			fixture.named = record->fields[i].number;
	}
	return 0;
}

#define RULE(id) {id, 0, 0, CHANNEL_EXACTLY(event_record), take_event, #id}

static void take_events(void)
{
	static const struct channel_rule rules[] = {RULE(EVENT_FLOW_PERMITTED),
						    RULE(EVENT_FLOW_DENIED)};
	struct channel events;

	channel_init(&events, fixture.channel[1], rules, 2, NULL);
	assert_true(channel_serve(&events, 100, NULL) >= 0);
}

#define LIMITED (GENERATION << 16 | 2)

static void admit(uint32_t id, enum packet_admission admission)
{
	decide_admission(&fixture.decider, 0, PACKET_FOR_PACKETS, id, admission, NOW_MS);
	take_events();
}

static void test_decide_limited_flows_are_recorded_when_they_are_counted(void **state)
{
	assert_int_equal(decide(1, 443, 0, 0), LIMITED);
	take_events();
	assert_int_equal(fixture.permitted, 0);
	admit(fixture.id, PACKET_ADMITTED);
	assert_int_equal(fixture.permitted, 1);
	assert_int_equal(decide(1, 443, 0, 0), LIMITED);
	admit(fixture.id, PACKET_OVER_CONNECTIONS);
	assert_int_equal(fixture.permitted, 1);
	assert_int_equal(fixture.denied, 1);
	assert_int_equal(fixture.named, 70);
	admit(fixture.id, PACKET_OVER_CONNECTIONS); /* answered already */
	admit(fixture.id + 1, PACKET_ADMITTED);     /* never asked */
	assert_int_equal(fixture.permitted + fixture.denied, 2);
}

static void test_decide_limited_flows_that_run_await_nothing(void **state)
{
	assert_int_equal(decide(1, 443, PACKET_IS_ESTABLISHED, BEFORE), LIMITED);
	admit(fixture.id, PACKET_OVER_RATE);
	assert_int_equal(decide(1, 443, 0, BEFORE), LIMITED);
	admit(fixture.id, PACKET_OVER_RATE);
	assert_int_equal(fixture.permitted + fixture.denied, 0);
}

static void test_decide_limited_flows_of_a_policy_that_is_gone_are_forgotten(void **state)
{
	assert_int_equal(decide(1, 443, 0, 0), LIMITED);
	awaited_forget(&fixture.decider.awaited, &fixture.judge);
	admit(fixture.id, PACKET_ADMITTED);
	assert_int_equal(fixture.permitted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_decide_new_flows_that_are_refused_isolate_their_station, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_decide_flows_cut_by_a_change_are_no_attempts,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_decide_flows_that_go_on_are_no_attempts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_decide_established_flows_without_a_proof_are_attempts, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_decide_each_station_answers_for_itself, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_decide_limited_flows_are_recorded_when_they_are_counted, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_decide_limited_flows_that_run_await_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_decide_limited_flows_of_a_policy_that_is_gone_are_forgotten, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

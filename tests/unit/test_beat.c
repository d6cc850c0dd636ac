/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A beat hears before it judges (ADR 423): a process that was kept from running drops nothing and
 * calls nobody silent for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netfilter/netfilter.h"

enum { GENERATION = 41, EPOCH = 5, LONG_MS = 5000 };

static struct netfilter nf;
static struct channel arbiter, supervisor; /* their ends */
static uint64_t now_ms;
static unsigned leases, permitted, dropped;

/* What main.c has in the process. */
uint64_t netfilter_now_ms(void)
{
	return now_ms;
}

int64_t netfilter_wall_s(void)
{
	return 0;
}

int64_t netfilter_wall_us(void)
{
	return 0;
}

static int hear_supervisor(struct channel *ch, void *ctx, const struct channel_message *message)
{
	nf.supervisor_ms = now_ms;
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), hear_supervisor, "ping"},
};

/* The kernel. */
void __wrap_zones_keep_alive(struct netfilter *process);
void __wrap_zones_keep_alive(struct netfilter *process)
{
	leases++;
}

int __wrap_queue_decide(struct queue *q, const struct queue_decision *decisions, size_t count);
int __wrap_queue_decide(struct queue *q, const struct queue_decision *decisions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		permitted += decisions[i].verdict == QUEUE_ACCEPT;
		dropped += decisions[i].verdict == QUEUE_DROP;
	}
	return 0;
}

bool __wrap_queue_waits(const struct queue *q);
bool __wrap_queue_waits(const struct queue *q)
{
	return false;
}

static void supervisor_pings(void)
{
	const struct control_ping ping = {.number = 1};

	assert_int_equal(channel_send(&supervisor, CONTROL_PING, &ping, sizeof(ping), NULL, 0), 0);
}

/* The last ping is answered. */
static void arbiter_answers(void)
{
	const struct packet_ping pong = {.number = nf.ping_number};

	assert_int_equal(channel_send(&arbiter, PACKET_PONG, &pong, sizeof(pong), NULL, 0), 0);
}

static void beat(void)
{
	now_ms += NETFILTER_BEAT_MS;
	nf.beat.fire(&nf.loop, &nf.beat);
}

/* One zone with one permit; arbiter and supervisor have shown life, and the lease is due. */
static int begin(void **state)
{
	static struct snapshot_permit permit;
	static struct snapshot_zone zone;
	int link[2], control[2];

	nf = (struct netfilter){.generation = GENERATION, .link = {.fd = -1}};
	now_ms = 1000;
	leases = permitted = dropped = 0;
	nf.beat = (struct loop_timer){.fire = beat_fire, .ctx = &nf};
	event_client_init(&nf.process.events, -1);
	loop_init(&nf.loop, &clock_system, nf.polls, nf.fds, NETFILTER_FDS);
	shares_init(&nf);
	nf.running.epoch = EPOCH;
	nf.running.queues = 1;
	nf.running.snapshot.zones = &zone;
	nf.running.snapshot.zone_count = 1;
	nf.running.snapshot.permits = &permit;
	nf.running.snapshot.permit_count = 1;
	nf.running.zones[0] = &nf.zones[0];
	nf.zones[0] = (struct zone){.nf = &nf, .used = true};
	if (channel_pair(link) != 0 || channel_pair(control) != 0)
		return -1;
	channel_init(&arbiter, link[0], NULL, 0, NULL);
	channel_init(&supervisor, control[0], NULL, 0, NULL);
	channel_init(&nf.process.control, control[1], control_rules, 1, &nf);
	relay_take_link(&nf, link[1]);
	arbiter_answers();
	relay_hear(&nf);
	nf.supervisor_ms = now_ms;
	return nf.arbiter_answers ? 0 : -1;
}

static int end(void **state)
{
	channel_fini(&arbiter);
	channel_fini(&supervisor);
	channel_fini(&nf.process.control);
	channel_fini(&nf.link);
	return 0;
}

static void test_beat_gives_the_lease_after_a_pause_in_which_all_have_spoken(void **state)
{
	beat();
	assert_int_equal(leases, 1);
	arbiter_answers();
	supervisor_pings();
	now_ms += LONG_MS;
	beat();
	assert_true(relay_can_judge(&nf));
	arbiter_answers();
	beat();
	assert_int_equal(leases, 2);
}

/* Verdicts that have come are carried out, be they ever so many messages. */
static void test_beat_drops_no_packet_whose_verdict_has_come(void **state)
{
	for (uint32_t id = 1; id <= NETFILTER_OUT_MAX; id++) {
		const struct packet_item item = {.id = id};
		const struct packet_verdicts v = {.generation = GENERATION,
						  .count = 1,
						  .items[0] = {id, GENERATION << 16 | 1}};

		assert_true(queue_out_add(&nf.zones[0].queue, &item, now_ms));
		assert_int_equal(channel_send(&arbiter, PACKET_VERDICTS, &v,
					      offsetof(struct packet_verdicts, items[1]), NULL, 0),
				 0);
	}
	now_ms += LONG_MS;
	beat();
	assert_int_equal(permitted, NETFILTER_OUT_MAX);
	assert_int_equal(dropped, 0);
}

static void test_beat_drops_a_packet_whose_verdict_does_not_come(void **state)
{
	const struct packet_item item = {.id = 1};

	assert_true(queue_out_add(&nf.zones[0].queue, &item, now_ms));
	now_ms += NETFILTER_OUT_MS - NETFILTER_BEAT_MS;
	beat();
	assert_int_equal(dropped, 0);
	beat();
	assert_int_equal(dropped, 1);
}

/* However long a pause lasts, in it nobody was asked. */
static void test_beat_counts_the_silence_of_the_arbiter_in_pings(void **state)
{
	for (int i = 0; i < NETFILTER_ARBITER_BEATS; i++) {
		assert_true(nf.arbiter_answers);
		beat();
		now_ms += LONG_MS;
	}
	beat();
	assert_false(nf.arbiter_answers);
	assert_false(relay_can_judge(&nf));
	arbiter_answers();
	supervisor_pings();
	beat();
	assert_true(relay_can_judge(&nf));
}

/* Each of the two alone keeps flows from going on. */
static void test_beat_gives_no_lease_where_one_is_silent(void **state)
{
	beat();
	assert_int_equal(leases, 1);
	for (uint64_t since_ms = now_ms; now_ms - since_ms <= LONG_MS;) {
		arbiter_answers();
		beat();
	}
	unsigned given = leases;

	assert_true(given <=
		    1 + NETFILTER_SUPERVISOR_MS / NETFILTER_BEAT_MS / NETFILTER_BEATS_ALIVE);
	for (uint64_t since_ms = now_ms; now_ms - since_ms <= LONG_MS;) {
		supervisor_pings();
		beat();
	}
	assert_true(leases <=
		    given + 1 + NETFILTER_ARBITER_MS / NETFILTER_BEAT_MS / NETFILTER_BEATS_ALIVE);
}

static void test_beat_gives_the_lease_every_second_time_and_at_once_where_one_was_due(void **state)
{
	static const unsigned expected[] = {1, 1, 2, 2, 3};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		arbiter_answers();
		supervisor_pings();
		beat();
		assert_int_equal(leases, expected[i]);
	}
	now_ms += LONG_MS;
	beat();
	beat();
	assert_int_equal(leases, 3); /* the first is not due, at the second nobody has spoken */
	arbiter_answers();
	supervisor_pings();
	beat();
	assert_int_equal(leases, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_beat_gives_the_lease_after_a_pause_in_which_all_have_spoken, begin,
			end),
		cmocka_unit_test_setup_teardown(test_beat_drops_no_packet_whose_verdict_has_come,
						begin, end),
		cmocka_unit_test_setup_teardown(
			test_beat_drops_a_packet_whose_verdict_does_not_come, begin, end),
		cmocka_unit_test_setup_teardown(
			test_beat_counts_the_silence_of_the_arbiter_in_pings, begin, end),
		cmocka_unit_test_setup_teardown(test_beat_gives_no_lease_where_one_is_silent, begin,
						end),
		cmocka_unit_test_setup_teardown(
			test_beat_gives_the_lease_every_second_time_and_at_once_where_one_was_due,
			begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

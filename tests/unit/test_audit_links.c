/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels: the source is the channel, a liar is shut out, a flood holds up nobody else. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/links.h"
#include "base/err.h"
#include "channel/control.h"

struct fixture {
	struct clock_simulated time;
	struct clock clock;
	struct loop loop;
	struct pollfd polls[8];
	struct loop_fd *fds[8];
	struct links links;
	struct event_client client[2];
	unsigned events, refused, settled;
	char process[RECORD_PROCESS_BYTES];
	char why[64];
	enum event_id claimed;
};

static struct fixture f;

static void on_event(void *ctx, const char *process, const struct event_record *event)
{
	f.events++;
	(void)snprintf(f.process, sizeof(f.process), "%s", process);
}

static void on_refused(void *ctx, const char *process, const char *why, enum event_id claimed)
{
	f.refused++;
	f.claimed = claimed;
	(void)snprintf(f.process, sizeof(f.process), "%s", process);
	(void)snprintf(f.why, sizeof(f.why), "%s", why);
}

static void on_settled(void *ctx)
{
	f.settled++;
}

static int setup(void **state)
{
	const struct links_sink sink = {on_event, on_refused, on_settled, NULL};

	memset(&f, 0, sizeof(f));
	f.time.mono_ns = 1000000000;
	f.clock = clock_simulate(&f.time);
	loop_init(&f.loop, &f.clock, f.polls, f.fds, 8);
	links_init(&f.links, &f.loop, &sink);
	for (unsigned i = 0; i < 2; i++) {
		int fds[2];

		assert_int_equal(channel_pair(fds), 0);
		event_client_init(&f.client[i], fds[0]);
		assert_int_equal(links_add(&f.links, i == 0 ? ROLE_ARBITER : ROLE_MAIL_SENDER,
					   i * 12, fds[1]),
				 0);
	}
	return 0;
}

static int teardown(void **state)
{
	links_fini(&f.links);
	for (unsigned i = 0; i < 2; i++)
		close(f.client[i].fd);
	return 0;
}

static void step(unsigned times)
{
	while (times-- > 0)
		assert_int_equal(loop_step(&f.loop, 0), 0);
}

static void test_links_name_the_source_by_its_channel(void **state)
{
	event_send(&f.client[1], EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, "supervisor"));
	step(2);
	assert_int_equal(f.events, 1);
	assert_string_equal(f.process, "mail-sender/12");
	assert_true(f.settled > 0);
}

/* L1: what the log says of itself only audit can say; above all, that records were removed. */
static void test_links_shut_out_who_speaks_for_the_log(void **state)
{
	event_send(&f.client[1], EVENT_LOG_RETENTION, EV_NUMBER(FIRST, 1), EV_NUMBER(LAST, 99));
	step(2);
	assert_int_equal(f.events, 0);
	assert_int_equal(f.refused, 1);
	assert_string_equal(f.process, "mail-sender/12");
}

/* L1, M8: who cannot deliver cannot say that something was delivered; what is its own is taken. */
static void test_links_shut_out_who_claims_the_event_of_another(void **state)
{
	event_send(&f.client[1], EVENT_MAIL_DELIVERED);
	step(2);
	assert_int_equal(f.events, 1);
	event_send(&f.client[0], EVENT_MAIL_DELIVERED);
	event_send(&f.client[0], EVENT_FLOW_DENIED);
	step(2);
	assert_int_equal(f.events, 1);
	assert_int_equal(f.refused, 1);
	assert_int_equal(f.claimed, EVENT_MAIL_DELIVERED);
	assert_string_equal(f.process, "arbiter");
}

static void test_links_know_a_sender_of_every_event(void **state)
{
	for (unsigned id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		unsigned may = 0;

		for (uint32_t role = 0; role < ROLE_COUNT_; role++)
			may += event_may_send(role, id);
		assert_in_range(may, 1, ROLE_COUNT_);
		assert_true(id == EVENT_CHANNEL_VIOLATION || may <= 2);
	}
	for (uint32_t role = 0; role < ROLE_COUNT_; role++)
		assert_string_not_equal(event_source_name(role), "unknown");
	assert_false(event_may_send(ROLE_COUNT_, EVENT_CHANNEL_VIOLATION));
	assert_false(event_may_send(ROLE_CONSOLE, EVENT_LOGIN));
	assert_true(event_may_send(ROLE_ACCOUNTS, EVENT_LOGIN));
}

static void test_links_shut_out_who_sends_no_event(void **state)
{
	struct channel channel = {.fd = f.client[0].fd};
	struct event_record event;

	event_build(&event, EVENT_CHANNEL_VIOLATION, NULL, 0);
	event.id = EVENT_LOG_BROKEN; /* another than the message says */
	assert_int_equal(
		channel_send(&channel, EVENT_CHANNEL_VIOLATION, &event, sizeof(event), NULL, 0), 0);
	event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
	step(2);
	assert_int_equal(f.refused, 1);
	assert_int_equal(f.events, 0);
	assert_string_equal(f.process, "arbiter");
	event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
	assert_int_equal(f.client[0].lost, 1);
	event_send(&f.client[1], EVENT_CHANNEL_VIOLATION);
	step(2);
	assert_int_equal(f.events, 1);
}

static void test_links_shut_out_a_message_of_wrong_size(void **state)
{
	struct channel channel = {.fd = f.client[0].fd};

	assert_int_equal(channel_send(&channel, EVENT_CHANNEL_VIOLATION, "x", 1, NULL, 0), 0);
	step(2);
	assert_int_equal(f.refused, 1);
	assert_string_equal(f.why, "wrong size");
}

static void test_links_read_what_a_dead_process_said(void **state)
{
	for (int i = 0; i < 5; i++)
		event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
	close(f.client[0].fd);
	f.client[0].fd = -1;
	step(3);
	assert_int_equal(f.events, 5);
	assert_int_equal(f.refused, 0);
	f.client[0].fd = dup(f.client[1].fd); /* for teardown */
}

/* Whoever sends more than its share is not read from until the next second; the other is read at
 * once. */
static void test_links_give_a_flood_its_share_only(void **state)
{
	unsigned sent = 0;

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 20; i++, sent++)
			event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
		step(1);
	}
	assert_in_range(f.events, LINKS_BURST, LINKS_BURST + 64);
	assert_true(f.client[0].lost > 0);
	event_send(&f.client[1], EVENT_CHANNEL_VIOLATION);
	step(1);
	assert_string_equal(f.process, "mail-sender/12");
	for (unsigned second = 0; second < 10; second++) {
		f.time.mono_ns += 1100000000;
		for (unsigned i = 0; i < 400; i++) {
			event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
			step(i % 8 == 0);
		}
	}
	assert_in_range(f.events, LINKS_BURST + 9 * LINKS_EVENTS_A_SECOND,
			LINKS_BURST + 11 * LINKS_EVENTS_A_SECOND);
}

static void test_links_drain_ignores_shares(void **state)
{
	unsigned taken = 0;

	while (f.client[0].lost == 0) {
		event_send(&f.client[0], EVENT_CHANNEL_VIOLATION);
		taken++;
	}
	links_drain(&f.links);
	assert_int_equal(f.events, taken - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_links_name_the_source_by_its_channel, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_shut_out_who_speaks_for_the_log, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_shut_out_who_claims_the_event_of_another,
						setup, teardown),
		cmocka_unit_test(test_links_know_a_sender_of_every_event),
		cmocka_unit_test_setup_teardown(test_links_shut_out_who_sends_no_event, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_shut_out_a_message_of_wrong_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_read_what_a_dead_process_said, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_give_a_flood_its_share_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_links_drain_ignores_shares, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

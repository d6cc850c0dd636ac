/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the kernel's rules are held against the policy, and what is said of it, in simulated time
 * (ADR 814). */
#include "unit.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"

#define START_MS 1000000U

static const struct rules_compared same = {.rules = 3, .chains = 2, .sets = 1, .elements = 4};
static const struct rules_compared other = {.rules = 3, .differing = 2};
static const struct snapshot_header header;
static struct snapshot_zone zones[1] = {{.name = "a"}};
static struct fixture {
	struct netfilter nf;
	struct zone zone;
	struct clock_simulated time;
	struct clock clock;
	int audit, kernel, supervisor;
} f;

uint64_t netfilter_now_ms(void)
{
	return clock_mono_ms(&f.clock);
}

int64_t netfilter_wall_s(void)
{
	return 1000000000;
}

int64_t netfilter_wall_us(void)
{
	return netfilter_wall_s() * 1000000;
}

static int setup(void **state)
{
	int fds[2];

	memset(&f, 0, sizeof(f));
	f.time.mono_ns = START_MS * 1000000ULL;
	f.clock = clock_simulate(&f.time);
	loop_init(&f.nf.loop, &f.clock, f.nf.polls, f.nf.fds, NETFILTER_FDS);
	assert_int_equal(channel_pair(fds), 0);
	channel_init(&f.nf.process.control, fds[0], NULL, 0, NULL);
	f.supervisor = fds[1];
	assert_int_equal(channel_pair(fds), 0);
	event_client_init(&f.nf.process.events, fds[0]);
	f.audit = fds[1];
	assert_int_equal(channel_pair(fds), 0);
	f.zone = (struct zone){.nf = &f.nf, .name = "a", .flows_fd = fds[0], .netlink_fd = -1};
	f.kernel = fds[1];
	f.nf.running = (struct policy){.epoch = 1, .zones = {&f.zone}};
	f.nf.running.snapshot =
		(struct snapshot){.header = &header, .zones = zones, .zone_count = 1};
	listing_init(&f.nf.listing, &f.nf);
	rules_watch_init(&f.nf);
	return 0;
}

static int teardown(void **state)
{
	channel_fini(&f.nf.process.control);
	(void)close(f.nf.process.events.fd); /* of this test alone, like all here */
	(void)close(f.audit);
	(void)close(f.kernel);
	(void)close(f.supervisor);
	(void)close(f.zone.flows_fd);
	return 0;
}

static enum event_id next_event(void)
{
	struct event_record record;

	return recv(f.audit, &record, sizeof(record), MSG_DONTWAIT) > 0 ? record.id : EVENT_NONE_;
}

static void pass(uint64_t ms)
{
	f.time.mono_ns += ms * 1000000U;
	assert_int_equal(loop_step(&f.nf.loop, 0), 0);
}

/* Whether a dump is asked for since the last look. */
static bool is_asked(void)
{
	uint8_t request[512];
	bool any = false;

	while (recv(f.kernel, request, sizeof(request), MSG_DONTWAIT) > 0)
		any = true;
	return any;
}

/* The kernel has nothing, again and again, until nobody asks any more. */
static void answer_all(void)
{
	uint8_t storage[64];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, NLMSG_DONE, 0, 0, 0);
	netlink_end(&b);
	while (is_asked()) {
		assert_int_equal(send(f.kernel, b.data, b.size, 0), b.size);
		assert_int_equal(loop_step(&f.nf.loop, 0), 0);
	}
}

/* One more request. Return: its type; 0: there is none. */
static uint8_t next_asked(void)
{
	uint8_t request[512];

	return recv(f.kernel, request, sizeof(request), MSG_DONTWAIT) >=
			       (ssize_t)sizeof(struct nlmsghdr)
		       ? request[offsetof(struct nlmsghdr, nlmsg_type)]
		       : 0;
}

static void put_set(struct netlink_buffer *b, const char *name, uint32_t flags)
{
	netlink_begin(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET, 0, NFPROTO_INET, 0);
	netlink_put_text(b, NFTA_SET_TABLE, "sekisho");
	netlink_put_text(b, NFTA_SET_NAME, name);
	netlink_put_be32(b, NFTA_SET_FLAGS, flags);
	netlink_end(b);
}

/* The kernel has these two sets, and nothing else. */
static void answer_with_sets(uint8_t asked)
{
	uint8_t storage[512];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	if (asked == NFT_MSG_GETSET) {
		put_set(&b, "filled", NFT_SET_EVAL | NFT_SET_TIMEOUT);
		put_set(&b, "kept", 0);
	}
	netlink_begin(&b, NLMSG_DONE, 0, 0, 0);
	netlink_end(&b);
	assert_int_equal(send(f.kernel, b.data, b.size, 0), b.size);
	assert_int_equal(loop_step(&f.nf.loop, 0), 0);
}

/* What is asked for in the reading that is under way, after which the last question is left
 * without its answer. Return: how often elements. */
static unsigned answer_up_to_the_last(void)
{
	unsigned elements = 0, counts = 0;

	for (;;) {
		uint8_t asked = next_asked();

		assert_int_not_equal(asked, 0);
		elements += asked == NFT_MSG_GETSETELEM;
		counts += asked == NFT_MSG_GETGEN;
		if (counts == 2)
			return elements;
		answer_with_sets(asked);
	}
}

/* Outsiders decide how many there are, and they are not compared. */
static void test_rules_watch_reads_no_elements_that_packets_put_there(void **state)
{
	rules_watch_begin_anew(&f.nf);
	pass(RULES_WATCH_SOON_MS);
	assert_int_equal(answer_up_to_the_last(), 1);
	answer_with_sets(NFT_MSG_GETGEN);
	assert_int_equal(next_asked(), 0);
	assert_false(f.nf.rules_watch.begun);
}

/* The kernel has told of the rules before that, and they would be held against what is asked for
 * behind it. */
static void test_rules_watch_reads_anew_what_was_asked_for_otherwise_meanwhile(void **state)
{
	rules_watch_begin_anew(&f.nf);
	pass(RULES_WATCH_SOON_MS);
	assert_int_equal(answer_up_to_the_last(), 1);
	rules_watch_due(&f.nf);
	answer_with_sets(NFT_MSG_GETGEN);
	assert_int_equal(answer_up_to_the_last(), 1);
	answer_with_sets(NFT_MSG_GETGEN);
	assert_int_equal(next_asked(), 0);
}

static void test_rules_watch_waits_twice_as_long_with_each_difference_behind_the_first(void **state)
{
	assert_int_equal(rules_watch_wait_ms(0), 2000);
	assert_int_equal(rules_watch_wait_ms(1), 2000);
	assert_int_equal(rules_watch_wait_ms(2), 4000);
	assert_int_equal(rules_watch_wait_ms(11), 2048000);
	assert_int_equal(rules_watch_wait_ms(12), RULES_WATCH_PERIOD_MS);
	assert_int_equal(rules_watch_wait_ms(UINT32_MAX), RULES_WATCH_PERIOD_MS);
}

static void test_rules_watch_compares_behind_a_load_and_each_period(void **state)
{
	rules_watch_begin_anew(&f.nf);
	pass(RULES_WATCH_SOON_MS - 1);
	assert_false(is_asked());
	pass(1);
	for (int i = 0; i < 3; i++) {
		assert_true(f.nf.rules_watch.begun);
		answer_all();
		assert_false(f.nf.rules_watch.begun);
		pass(RULES_WATCH_PERIOD_MS - 1);
		assert_false(is_asked());
		pass(1);
	}
	assert_int_equal(next_event(), EVENT_NONE_);
	assert_true(recv(f.supervisor, &(struct control_row){0}, sizeof(struct control_row),
			 MSG_DONTWAIT) < 0); /* nobody asked: no row */
}

static void test_rules_watch_waits_while_a_commit_is_under_way(void **state)
{
	rules_watch_begin_anew(&f.nf);
	f.nf.next.epoch = 2;
	pass(RULES_WATCH_SOON_MS);
	assert_false(is_asked());
	f.nf.next.epoch = 0;
	f.nf.ending = 7;
	pass(RULES_WATCH_SOON_MS);
	assert_false(is_asked());
	f.nf.ending = 0;
	pass(RULES_WATCH_SOON_MS);
	assert_true(is_asked());
}

static void test_rules_watch_is_not_put_off_by_later_changes(void **state)
{
	rules_watch_due(&f.nf);
	pass(RULES_WATCH_SOON_MS / 2);
	rules_watch_due(&f.nf);
	pass(RULES_WATCH_SOON_MS / 2);
	assert_true(is_asked());
}

static void test_rules_watch_that_does_not_end_is_said_once_a_day(void **state)
{
	rules_watch_begin_anew(&f.nf);
	pass(RULES_WATCH_SOON_MS);
	assert_int_equal(next_event(), EVENT_NONE_);
	pass(RULES_WATCH_RETRY_MS);
	assert_int_equal(next_event(), EVENT_RULES_NOT_COMPARED);
	pass(RULES_WATCH_RETRY_MS);
	assert_int_equal(next_event(), EVENT_NONE_);
	pass(RULES_WATCH_RECORD_MS);
	assert_int_equal(next_event(), EVENT_RULES_NOT_COMPARED);
}

static void test_rules_watch_records_the_same_once_a_day_and_behind_each_load(void **state)
{
	rules_watch_same(&f.zone, &same);
	assert_int_equal(next_event(), EVENT_RULES_COMPARED);
	rules_watch_same(&f.zone, &same);
	assert_int_equal(next_event(), EVENT_NONE_);
	pass(RULES_WATCH_RECORD_MS);
	rules_watch_same(&f.zone, &same);
	assert_int_equal(next_event(), EVENT_RULES_COMPARED);
	f.zone.compared_ms = 0; /* as a load leaves it */
	rules_watch_same(&f.zone, &same);
	assert_int_equal(next_event(), EVENT_RULES_COMPARED);
}

static void test_rules_watch_shuts_what_differs_and_counts_comparisons(void **state)
{
	f.zone.has_rules = true;
	rules_watch_differs(&f.zone, &other, "elements of family 1, table sekisho, set x");
	rules_watch_differs(&f.zone, &other, "");
	assert_int_equal(next_event(), EVENT_RULES_DIFFER);
	assert_false(f.zone.has_rules);
	assert_int_equal(f.zone.restore_in, 1);
	assert_int_equal(f.nf.rules_watch.differing, 1); /* two zones, one comparison */
	rules_watch_end(&f.nf);
	assert_int_equal(f.nf.rules_watch.differing, 1);
	f.nf.rules_watch.differs = false;
	rules_watch_end(&f.nf);
	assert_int_equal(f.nf.rules_watch.differing, 0);
}

static void test_rules_watch_tries_again_what_could_not_be_compared(void **state)
{
	rules_watch_missed(&f.zone, "changed while it was read");
	rules_watch_missed(&f.zone, "changed while it was read");
	assert_int_equal(next_event(), EVENT_RULES_NOT_COMPARED);
	assert_int_equal(next_event(), EVENT_NONE_);
	rules_watch_end(&f.nf);
	pass(RULES_WATCH_RETRY_MS - 1);
	assert_false(is_asked());
	pass(1);
	assert_true(is_asked());
	rules_watch_same(&f.zone, &same);
	rules_watch_missed(&f.zone, "changed while it was read");
	assert_int_equal(next_event(), EVENT_RULES_COMPARED);
	assert_int_equal(next_event(), EVENT_RULES_NOT_COMPARED); /* news again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules_watch_waits_twice_as_long_with_each_difference_behind_the_first),
		TEST(test_rules_watch_compares_behind_a_load_and_each_period),
		TEST(test_rules_watch_waits_while_a_commit_is_under_way),
		TEST(test_rules_watch_is_not_put_off_by_later_changes),
		TEST(test_rules_watch_reads_no_elements_that_packets_put_there),
		TEST(test_rules_watch_reads_anew_what_was_asked_for_otherwise_meanwhile),
		TEST(test_rules_watch_that_does_not_end_is_said_once_a_day),
		TEST(test_rules_watch_records_the_same_once_a_day_and_behind_each_load),
		TEST(test_rules_watch_shuts_what_differs_and_counts_comparisons),
		TEST(test_rules_watch_tries_again_what_could_not_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of flows, read a piece at a time: the kernel and the supervisor are the far ends of
 * sockets. */
#include "unit.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"

enum { GENERATION = 7, ZONES = 2, STEPS_MAX = 4000, STEP_MS = 20 };

/* Of one console's answer. */
struct seen {
	unsigned rows, headings, errors, signs, ends;
	char text[sizeof(((struct control_row *)NULL)->text)]; /* of its last row with text */
};

static const struct snapshot_header header;
static struct snapshot_zone zones[ZONES] = {{.name = "a"}, {.name = "b"}};
static struct snapshot_permit permits[] = {{.number = 10, .from = 0, .to = 1},
					   {.number = 20, .from = 1, .to = 0}};
static struct fixture {
	struct netfilter nf;
	struct zone zones[ZONES];
	int kernel[ZONES];
	int audit;
	struct channel supervisor;
	struct seen seen[LISTING_ASKERS_MAX + 1]; /* by console */
} f;

uint64_t netfilter_now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

int64_t netfilter_wall_s(void)
{
	return 1000000000;
}

int64_t netfilter_wall_us(void)
{
	return netfilter_wall_s() * 1000000;
}

static int take_row(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_row *row = message->body;
	struct seen *seen = &f.seen[row->console];

	assert_in_range(row->console, 0, LISTING_ASKERS_MAX);
	seen->headings += (row->flags & CONTROL_ROW_HEADING) != 0;
	seen->errors += (row->flags & CONTROL_ROW_ERROR) != 0;
	seen->ends += (row->flags & CONTROL_ROW_LAST) != 0;
	seen->signs += row->flags == 0 && row->cell_count == 0;
	seen->rows += row->flags == 0 && row->cell_count > 0;
	if (row->cell_count > 0)
		memcpy(seen->text, row->text, sizeof(seen->text));
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_ROW, 0, 0, CHANNEL_EXACTLY(control_row), take_row, "row"}};

static int setup(void **state)
{
	int fds[2];

	memset(&f, 0, sizeof(f));
	loop_init(&f.nf.loop, &clock_system, f.nf.polls, f.nf.fds, NETFILTER_FDS);
	assert_int_equal(channel_pair(fds), 0);
	channel_init(&f.nf.process.control, fds[0], NULL, 0, NULL);
	channel_init(&f.supervisor, fds[1], rules, 1, NULL);
	assert_int_equal(channel_pair(fds), 0);
	event_client_init(&f.nf.process.events, fds[0]);
	f.audit = fds[1];
	f.nf.generation = GENERATION;
	f.nf.running = (struct policy){.epoch = 1};
	f.nf.running.snapshot = (struct snapshot){.header = &header,
						  .zones = zones,
						  .zone_count = ZONES,
						  .permits = permits,
						  .permit_count = 2};
	for (uint32_t i = 0; i < ZONES; i++) {
		assert_int_equal(channel_pair(fds), 0);
		f.zones[i] = (struct zone){.nf = &f.nf, .index = i, .flows_fd = fds[0]};
		f.zones[i].queue.fd = fds[0]; /* where orders about flows go */
		memcpy(f.zones[i].name, zones[i].name, sizeof(zones[i].name));
		f.kernel[i] = fds[1];
		f.nf.running.zones[i] = &f.zones[i];
	}
	track_begin(&f.nf.track);
	listing_init(&f.nf.listing, &f.nf);
	return 0;
}

static int teardown(void **state)
{
	for (uint32_t i = 0; i < ZONES; i++) {
		(void)close(f.kernel[i]); /* of this test alone */
		(void)close(f.zones[i].flows_fd);
	}
	channel_fini(&f.nf.process.control);
	channel_fini(&f.supervisor);
	(void)close(f.nf.process.events.fd);
	(void)close(f.audit);
	return 0;
}

static void ask(uint32_t console, enum query_kind kind, const char *argument, uint32_t limit)
{
	struct control_query query = {
		.number = 100 + console, .kind = kind, .console = console, .limit = limit};

	snprintf(query.argument, sizeof(query.argument), "%s", argument);
	assert_int_equal(answer_query(&f.nf, &query), 0);
}

/* Whether a table is asked for: the request is taken. */
static bool is_asked(uint32_t zone)
{
	uint8_t request[512];

	return recv(f.kernel[zone], request, sizeof(request), MSG_DONTWAIT) > 0;
}

static void put_flow(struct netlink_buffer *b, uint32_t mark, uint16_t port)
{
	const uint8_t from[4] = {10, 1, 0, 5}, to[4] = {10, 2, 0, 8};

	netlink_begin(b, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, NFPROTO_IPV4, 0);
	size_t tuple = netlink_nest(b, CTA_TUPLE_ORIG), ip = netlink_nest(b, CTA_TUPLE_IP);

	netlink_put(b, CTA_IP_V4_SRC, from, 4);
	netlink_put(b, CTA_IP_V4_DST, to, 4);
	netlink_nest_end(b, ip);
	size_t ports = netlink_nest(b, CTA_TUPLE_PROTO);

	netlink_put_u8(b, CTA_PROTO_NUM, 6);
	netlink_put_be16(b, CTA_PROTO_SRC_PORT, port);
	netlink_put_be16(b, CTA_PROTO_DST_PORT, 443);
	netlink_nest_end(b, ports);
	netlink_nest_end(b, tuple);
	netlink_put_be32(b, CTA_MARK, mark);
	netlink_end(b);
}

/* One datagram of flows by the zone's permit, and the end of the table. */
static void say(uint32_t zone, unsigned flows, bool is_end)
{
	uint8_t storage[LISTING_PIECE_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	for (unsigned i = 0; i < flows; i++)
		put_flow(&b, GENERATION << 16 | (zone + 1), (uint16_t)(1000 + i));
	if (is_end) {
		netlink_begin(&b, NLMSG_DONE, 0, 0, 0);
		netlink_end(&b);
	}
	assert_false(b.failed);
	assert_int_equal(send(f.kernel[zone], b.data, b.size, 0), b.size);
}

static void read_rows(void)
{
	while (channel_serve(&f.supervisor, 64, NULL) > 0)
		;
}

/* Go on until a console has its last row, or there is nothing left to do for a while. */
static void go_on(uint32_t console)
{
	for (int i = 0; i < STEPS_MAX && f.seen[console].ends == 0; i++) {
		assert_int_equal(loop_step(&f.nf.loop, STEP_MS), 0);
		read_rows();
	}
}

static void step(void)
{
	assert_int_equal(loop_step(&f.nf.loop, STEP_MS), 0);
	read_rows();
}

static void test_listing_takes_one_piece_a_turn(void **state)
{
	ask(0, QUERY_FLOWS, "zone a", 0);
	assert_true(is_asked(0));
	for (int i = 0; i < 3; i++)
		say(0, 20, false);
	for (unsigned i = 1; i <= 3; i++) {
		step();
		assert_int_equal(f.seen[0].rows, 20 * i);
		assert_int_equal(f.seen[0].ends, 0);
	}
	say(0, 0, true);
	go_on(0);
	assert_int_equal(f.seen[0].headings, 1);
	assert_int_equal(f.seen[0].ends, 1);
	assert_false(is_asked(1)); /* the zone was named */
}

static void test_listing_sums_up_every_zone(void **state)
{
	ask(0, QUERY_PERMITS, "", 0);
	for (uint32_t zone = 0; zone < ZONES; zone++) {
		assert_true(is_asked(zone));
		say(zone, 20, false);
		say(zone, 3 + zone, true);
		step();
		step();
	}
	go_on(0);
	assert_int_equal(f.seen[0].rows, 2);
	assert_int_equal(f.seen[0].errors, 0);
	assert_string_equal(f.seen[0].text, "b");
	assert_string_equal(f.seen[0].text + 7, "24"); /* b, a, 20: then the flows */
}

static void test_listing_leaves_out_flows_of_another_generation_and_the_second_lock(void **state)
{
	uint8_t storage[1024];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	put_flow(&b, (GENERATION - 1) << 16 | 1, 1);
	put_flow(&b, GENERATION << 16 | PACKET_MARK_LOCK | 1, 2);
	put_flow(&b, GENERATION << 16 | PACKET_MARK_DENY, 3);
	put_flow(&b, 0, 4);
	put_flow(&b, GENERATION << 16 | 3, 5); /* there are two permits */
	ask(0, QUERY_FLOWS, "a", 0);
	assert_true(is_asked(0));
	assert_int_equal(send(f.kernel[0], b.data, b.size, 0), b.size);
	say(0, 1, true);
	go_on(0);
	assert_int_equal(f.seen[0].rows, 1);
}

static void test_listing_of_later_consoles_waits_for_its_turn(void **state)
{
	for (uint32_t console = 0; console < 3; console++)
		ask(console, QUERY_FLOWS, "a", 0);
	for (uint32_t console = 0; console < 3; console++) {
		assert_true(is_asked(0));
		assert_false(is_asked(0));
		say(0, console + 1, true);
		go_on(console);
		assert_int_equal(f.seen[console].rows, console + 1);
		assert_int_equal(f.seen[console].ends, 1);
	}
	assert_false(is_asked(0));
}

static void test_listing_shows_signs_of_life_to_all_who_wait(void **state)
{
	ask(0, QUERY_FLOWS, "a", 0);
	ask(1, QUERY_FLOWS, "a", 0);
	for (int i = 0; i < STEPS_MAX && (f.seen[0].signs == 0 || f.seen[1].signs == 0); i++)
		step();
	assert_int_equal(f.seen[0].ends + f.seen[1].ends, 0);
}

static void test_listing_that_is_withdrawn_is_read_away_before_the_next(void **state)
{
	ask(0, QUERY_FLOWS, "a", 0);
	ask(1, QUERY_FLOWS, "a", 0);
	ask(2, QUERY_FLOWS, "a", 0);
	assert_true(is_asked(0));
	say(0, 5, false);
	step();
	listing_withdraw(&f.nf.listing, 101);
	listing_withdraw(&f.nf.listing, 100);
	say(0, 5, false);
	for (int i = 0; i < 5; i++)
		step();
	assert_false(is_asked(0)); /* the kernel would refuse a second list */
	assert_int_equal(f.seen[0].rows, 5);
	say(0, 5, true);
	step();
	step();
	assert_true(is_asked(0));
	say(0, 2, true);
	go_on(2);
	assert_int_equal(f.seen[2].rows, 2);
	assert_int_equal(f.seen[0].rows, 5);
	assert_int_equal(f.seen[0].ends + f.seen[1].ends + f.seen[1].rows, 0);
}

static void test_listing_of_a_console_that_asks_again_and_again_is_its_last(void **state)
{
	for (int i = 0; i < 3 * LISTING_ASKERS_MAX; i++)
		ask(0, QUERY_FLOWS, "a", 0);
	assert_true(is_asked(0));
	say(0, 5, true);
	step();
	step();
	assert_true(is_asked(0));
	say(0, 2, true);
	go_on(0);
	assert_int_equal(f.seen[0].errors, 0);
	assert_int_equal(f.seen[0].rows, 2);
	step();
	assert_false(is_asked(0));
}

static void test_listing_of_too_many_is_refused(void **state)
{
	for (uint32_t console = 0; console <= LISTING_ASKERS_MAX; console++)
		ask(console, QUERY_FLOWS, "a", 0);
	read_rows();
	assert_int_equal(f.seen[LISTING_ASKERS_MAX].errors, 1);
	assert_int_equal(f.seen[LISTING_ASKERS_MAX].ends, 1);
	assert_int_equal(f.seen[LISTING_ASKERS_MAX - 1].errors, 0);
}

static void test_listing_ends_at_its_limit_of_rows(void **state)
{
	ask(0, QUERY_FLOWS, "a", 7);
	ask(1, QUERY_FLOWS, "a", 7);
	assert_true(is_asked(0));
	say(0, 20, false);
	go_on(0);
	assert_int_equal(f.seen[0].rows, 7);
	say(0, 20, false);
	step();
	step();
	assert_false(is_asked(0));
	say(0, 0, true);
	step();
	step();
	assert_true(is_asked(0));
	assert_int_equal(f.seen[0].rows, 7);
	assert_int_equal(f.seen[0].ends, 1);
}

/* Nothing is read that could not be shown, nothing is lost, and no turn waits for room. */
static void test_listing_waits_for_room_without_losing_a_row(void **state)
{
	enum { PIECES = 4, FLOWS = 60 };
	const int little = 1;
	unsigned turns = 0;

	(void)setsockopt(f.nf.process.control.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	ask(0, QUERY_FLOWS, "a", PIECES * FLOWS);
	assert_true(is_asked(0));
	for (int i = 0; i < PIECES; i++)
		say(0, FLOWS, i == PIECES - 1);
	for (; turns < 10; turns++)
		assert_int_equal(loop_step(&f.nf.loop, STEP_MS), 0); /* nobody reads */
	assert_true(f.nf.listing.row_waits);
	go_on(0);
	assert_int_equal(f.seen[0].rows, PIECES * FLOWS);
	assert_int_equal(f.seen[0].ends, 1);
}

static void test_listing_ends_when_the_policy_changes(void **state)
{
	ask(0, QUERY_FLOWS, "a", 0);
	ask(1, QUERY_FLOWS, "b", 0);
	assert_true(is_asked(0));
	say(0, 5, false);
	step();
	listing_end_policy(&f.nf.listing);
	listing_end_zone(&f.nf.listing, &f.zones[0]);
	f.nf.running.zones[0] = &f.zones[1];
	f.nf.running.zones[1] = &f.zones[0];
	step();
	assert_int_equal(f.seen[0].errors, 1);
	assert_int_equal(f.seen[0].ends, 1);
	step();
	assert_int_equal(f.seen[1].headings, 1); /* under the new policy */
	assert_true(is_asked(0));
}

/* The kernel gives no table. */
static void refuse(uint32_t zone)
{
	uint8_t storage[128];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, NLMSG_ERROR, 0, 0, UINT16_MAX); /* read as a number: negative */
	netlink_put_be32(&b, 0, 0);
	netlink_end(&b);
	assert_int_equal(send(f.kernel[zone], b.data, b.size, 0), b.size);
}

static void test_listing_says_which_zone_cannot_be_read(void **state)
{
	ask(0, QUERY_CROSSINGS, "", 0);
	ask(1, QUERY_FLOWS, "a", 0);
	assert_true(is_asked(0));
	refuse(0);
	go_on(0);
	assert_int_equal(f.seen[0].errors, 1);
	assert_string_equal(f.seen[0].text, "the flows of zone a cannot be read");
	step();
	assert_true(is_asked(0)); /* for the next */
}

/* Z11: an order is carried out, whoever waits. */
static void test_listing_that_clears_goes_on_when_it_is_withdrawn(void **state)
{
	uint8_t order[65536];

	ask(0, QUERY_CLEAR_FLOW, "zone a", 0);
	assert_true(is_asked(0));
	listing_withdraw(&f.nf.listing, 100);
	say(0, PACKET_BATCH_MAX, false);
	step();
	assert_true(recv(f.kernel[0], order, sizeof(order), MSG_DONTWAIT) > 0);
	say(0, 3, true);
	go_on(0);
	assert_int_equal(PACKET_BATCH_MAX, 28);
	assert_string_equal(f.seen[0].text, "31 flows ended");
}

/* ADR 814: a comparison that nobody asked for has no row for anybody, and the console behind it has
 * its answer; where the kernel fails, and where the policy changes. */
static void test_listing_of_its_own_leaves_consoles_theirs(void **state)
{
	for (unsigned round = 1; round <= 2; round++) {
		listing_ask_own(&f.nf.listing, &answer_rules_watch);
		listing_ask_own(&f.nf.listing, &answer_rules_watch);
		assert_int_equal(f.nf.listing.asked_count, 1);
		assert_true(is_asked(0));
		ask(0, QUERY_FLOWS, "a", 0);
		if (round == 1)
			refuse(0);
		else
			listing_end_policy(&f.nf.listing);
		if (round == 2)
			say(0, 0, true); /* the rest of the dump */
		for (unsigned i = 0; i < 3; i++)
			step();
		assert_true(is_asked(0));
		say(0, 5, true);
		for (int i = 0; i < STEPS_MAX && f.seen[0].ends < round; i++)
			step();
		assert_int_equal(f.seen[0].rows, 5 * round);
		assert_int_equal(f.seen[0].errors, 0);
		assert_int_equal(f.seen[0].ends, round);
	}
}

/* Seven consoles may wait before it: it is asked again later. */
static void test_listing_of_its_own_takes_no_consoles_place(void **state)
{
	for (uint32_t console = 0; console < LISTING_ASKERS_MAX - 1; console++)
		ask(console, QUERY_FLOWS, "a", 0);
	listing_ask_own(&f.nf.listing, &answer_rules_watch);
	ask(LISTING_ASKERS_MAX - 1, QUERY_FLOWS, "a", 0);
	read_rows();
	assert_int_equal(f.seen[LISTING_ASKERS_MAX - 1].errors, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_listing_takes_one_piece_a_turn),
		TEST(test_listing_sums_up_every_zone),
		TEST(test_listing_leaves_out_flows_of_another_generation_and_the_second_lock),
		TEST(test_listing_of_later_consoles_waits_for_its_turn),
		TEST(test_listing_shows_signs_of_life_to_all_who_wait),
		TEST(test_listing_that_is_withdrawn_is_read_away_before_the_next),
		TEST(test_listing_of_a_console_that_asks_again_and_again_is_its_last),
		TEST(test_listing_of_too_many_is_refused),
		TEST(test_listing_ends_at_its_limit_of_rows),
		TEST(test_listing_waits_for_room_without_losing_a_row),
		TEST(test_listing_ends_when_the_policy_changes),
		TEST(test_listing_says_which_zone_cannot_be_read),
		TEST(test_listing_that_clears_goes_on_when_it_is_withdrawn),
		TEST(test_listing_of_its_own_leaves_consoles_theirs),
		TEST(test_listing_of_its_own_takes_no_consoles_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog over UDP (L1): while the server is away nothing is lost or reordered, and the place
 * reached survives. */
#include "audit_sender_fixture.h"

#define STALL_MS     400U
#define DEFAULT_ROOM 166U /* records in a server's socket: SENDER_UDP_PACE says whence */
#define BACKLOG      500U
#define NEW_A_SECOND 2000U

struct fixture {
	struct sending s;
	int server; /* -1: away */
};

static void server_start(struct fixture *f)
{

	f->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	server_bind(&f->s, f->server);
}

static void server_stop(struct fixture *f)
{
	close(f->server);
	f->server = -1;
}

/* Return: a link to a log-sender with a socket of its own. */
static int connect_server(struct fixture *f)
{
	struct sockaddr_in to = server_address(&f->s);
	struct transport_wish wish = {.kind = SNAPSHOT_TRANSPORT_UDP,
				      .socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
				      .authority_fd = -1,
				      .identity_fd = -1};

	assert_int_equal(connect(wish.socket_fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return here_start(&f->s.here, &f->s.loop, wish);
}

static int setup_with(void **state, uint64_t limit_bytes, uint64_t segment_bytes)
{
	struct fixture *f = calloc(1, sizeof(*f));

	sending_init(&f->s, limit_bytes, segment_bytes);
	server_start(f);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store,
				     (struct sender_report){.event = on_report, .ctx = &f->s},
				     "server", connect_server(f), true),
			 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, 64U << 10, 16U << 10);
}

static int setup_day(void **state)
{
	return setup_with(state, DAY_FITS, DAY_SEGMENT);
}

static int setup_day_too_long(void **state)
{
	return setup_with(state, DAY_OVERFLOWS, DAY_SEGMENT);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sending_fini(&f->s);
	if (f->server >= 0)
		server_stop(f);
	free(f);
	return 0;
}

static void receive(struct fixture *f)
{
	uint8_t line[STORE_LINE_MAX];
	ssize_t size;

	while (f->server >= 0 && (size = recv(f->server, line, sizeof(line), 0)) > 0)
		take_record(&f->s, line, (size_t)size);
}

/* Let simulated time pass in steps of 5 ms. */
static void pass(struct fixture *f, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 5) {
		step(&f->s);
		receive(f);
	}
}

static void test_sender_sends_all_in_order(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 150);
	pass(f, 1000);
	assert_int_equal(check_order(&f->s), 0);
}

/* A server that reads nothing for 400 ms still has room for what comes (SENDER_UDP_PACE). */
static void test_sender_gives_a_backlog_time(void **state)
{
	struct fixture *f = *state;
	size_t before;

	pass(f, 5000); /* the backlog is of another second than what is new */
	sender_close(&f->s.sender);
	append(&f->s, BACKLOG);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store,
				     (struct sender_report){.event = on_report, .ctx = &f->s},
				     "server", connect_server(f), true),
			 0);
	do {
		before = f->s.got_count;
		pass(f, STALL_MS);
		assert_true(f->s.got_count - before <= DEFAULT_ROOM);
	} while (f->s.got_count > before);
	assert_true(f->s.got_count > 2 * DEFAULT_ROOM);
	(void)check_order(&f->s);
}

/* New ones are not held back for longer than a second, however many they are. */
static void test_sender_keeps_up_with_what_is_recorded(void **state)
{
	struct fixture *f = *state;

	for (unsigned second = 0; second < 5; second++) {
		for (unsigned i = 0; i < 100; i++) {
			append(&f->s, NEW_A_SECOND / 100);
			pass(f, 10);
		}
	}
	assert_true(f->s.store.chain.next_sequence - f->s.got[f->s.got_count - 1] < NEW_A_SECOND);
}

/* A power cut takes back what is not on the disk, and its numbers go to other records then. */
static void test_sender_keeps_back_what_is_not_on_the_disk(void **state)
{
	struct fixture *f = *state;
	struct event_record event;

	append(&f->s, 1);
	event_build(&event, EVENT_HEARTBEAT, NULL, 0);
	assert_int_equal(store_append(&f->s.store, "audit", &event), 0);
	sender_kick(&f->s.sender);
	pass(f, 2000);
	assert_int_equal(f->s.got_count, 2);
	assert_int_equal(store_sync(&f->s.store), 0);
	sender_kick(&f->s.sender);
	pass(f, 100);
	assert_int_equal(check_order(&f->s), 0);
}

static void test_sender_resends_from_the_refused_record(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 5);
	pass(f, 15000);
	server_stop(f);
	append(&f->s, 3);
	pass(f, 20000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.got_count, 6);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
	assert_int_equal(check_order(&f->s), 0);
}

/* The errors about records sent just before the one that is reported may have been held back. */
/* Nothing tells of datagrams that were refused before the zone's rules let errors in: the first
 * goes alone. */
static void test_sender_tries_a_new_server_with_one_record(void **state)
{
	struct fixture *f = *state;

	pass(f, 100);
	sender_close(&f->s.sender);
	server_stop(f);
	append(&f->s, 5);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store,
				     (struct sender_report){.event = on_report, .ctx = &f->s},
				     "server", connect_server(f), false),
			 0);
	pass(f, 4000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(check_order(&f->s), 0);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
}

/* The first record is lost, no error says so, and then the server is there. */
static void test_sender_repeats_the_first_record_where_no_error_ever_came(void **state)
{
	struct fixture *f = *state;

	sender_close(&f->s.sender);
	append(&f->s, 5);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store,
				     (struct sender_report){.event = on_report, .ctx = &f->s},
				     "server", connect_server(f), false),
			 0);
	for (unsigned at = 0; at < 2000; at += 5)
		step(&f->s);
	assert_int_equal(f->s.sender.state, SENDER_TRYING);
	server_stop(f); /* with what nobody has read */
	server_start(f);
	pass(f, 10000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 0);
	assert_int_equal(check_order(&f->s), 0);
	assert_int_equal(f->s.got[0], 1);
}

static void test_sender_resends_what_was_sent_shortly_before(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 5);
	pass(f, 100);
	server_stop(f);
	append(&f->s, 1);
	pass(f, 100);
	server_start(f);
	pass(f, 10000);
	assert_int_equal(check_order(&f->s), 6);
}

static void test_sender_counts_what_was_forced_out(void **state)
{
	struct fixture *f = *state;

	pass(f, 15000); /* what arrived is beyond doubt */
	server_stop(f);
	append(&f->s, 1);
	pass(f, 100);
	append(&f->s, RECORDS_MAX);
	assert_true(f->s.store.segments[0].first_sequence > 10);
	server_start(f);
	pass(f, 30000);
	assert_true(f->s.forced_out > 0);
	assert_int_equal(check_gaps(&f->s), f->s.forced_out);
}

/* The server goes, and more happens than the store holds. */
static void overflow_without_server(struct fixture *f)
{
	server_stop(f);
	append(&f->s, 1);
	pass(f, 100);
	append(&f->s, RECORDS_MAX);
	pass(f, 30000);
	append(&f->s, RECORDS_MAX);
}

/* A record that counts them and is written meanwhile could be forced out itself. */
static void test_sender_tells_of_what_was_forced_out_once_the_server_is_back(void **state)
{
	struct fixture *f = *state;
	struct sender_report report = {.event = on_report, .ctx = &f->s};

	pass(f, 15000);
	overflow_without_server(f);
	pass(f, 30000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_FORCED_OUT], 0);
	sender_close(&f->s.sender);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store, report, "server",
				     connect_server(f), false),
			 0);
	append(&f->s, RECORDS_MAX);
	pass(f, 30000);
	server_start(f);
	pass(f, 30000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_FORCED_OUT], 1);
	assert_int_equal(check_gaps(&f->s), f->s.forced_out);
}

/* Nobody else ever says it: the server is taken out of the configuration while it is away. */
static void test_sender_tells_of_what_was_forced_out_when_its_server_leaves(void **state)
{
	struct fixture *f = *state;
	uint64_t arrived;

	append(&f->s, 1);
	pass(f, 15000);
	arrived = f->s.got[f->s.got_count - 1];
	overflow_without_server(f);
	assert_int_equal(f->s.told[EVENT_SYSLOG_FORCED_OUT], 0);
	sender_leave(&f->s.sender);
	assert_int_equal(f->s.told[EVENT_SYSLOG_FORCED_OUT], 1);
	assert_true(f->s.store.segments[0].first_sequence > RECORDS_MAX);
	assert_int_equal(f->s.forced_out, f->s.store.segments[0].first_sequence - arrived - 1);
	sender_leave(&f->s.sender);
	assert_int_equal(f->s.told[EVENT_SYSLOG_FORCED_OUT], 1);
}

/* The server goes, and comes back a day later. */
static void live_through_a_day(struct fixture *f)
{
	append(&f->s, 5);
	pass(f, 15000);
	server_stop(f);
	pass_day_alone(&f->s);
	server_start(f);
	pass(f, 60000);
}

static void test_sender_loses_nothing_while_the_server_is_away_for_a_day(void **state)
{
	struct fixture *f = *state;

	live_through_a_day(f);
	assert_int_equal(check_order(&f->s), 0);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
}

static void test_sender_counts_what_a_day_forced_out(void **state)
{
	struct fixture *f = *state;

	live_through_a_day(f);
	assert_true(f->s.forced_out > 1000);
	assert_int_equal(check_gaps(&f->s), f->s.forced_out);
}

static void test_sender_goes_on_where_it_was_closed(void **state)
{
	struct fixture *f = *state;
	struct sender_report report = {.event = on_report, .ctx = &f->s};

	append(&f->s, 10);
	pass(f, 100);
	sender_close(&f->s.sender);
	append(&f->s, 10);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store, report, "server",
				     connect_server(f), true),
			 0);
	pass(f, 100);
	assert_int_equal(check_order(&f->s), 0);
}

/* A place saved long ago, or damaged, only sends more again. */
static void test_sender_with_a_damaged_place_sends_all_again(void **state)
{
	struct fixture *f = *state;
	struct sender_report report = {.event = on_report, .ctx = &f->s};
	int fd;

	append(&f->s, 10);
	pass(f, 100);
	sender_close(&f->s.sender);
	fd = openat(f->s.store.directory, "sent-server", O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "junk", 4), 4);
	close(fd);
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store, report, "server",
				     connect_server(f), true),
			 0);
	pass(f, 100);
	assert_int_equal(check_order(&f->s), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sender_gives_a_backlog_time, setup_day,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_keeps_up_with_what_is_recorded,
						setup_day, teardown),
		cmocka_unit_test_setup_teardown(test_sender_sends_all_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_keeps_back_what_is_not_on_the_disk,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_resends_from_the_refused_record, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_tries_a_new_server_with_one_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_sender_repeats_the_first_record_where_no_error_ever_came, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_sender_resends_what_was_sent_shortly_before,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_counts_what_was_forced_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_sender_tells_of_what_was_forced_out_once_the_server_is_back, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_sender_tells_of_what_was_forced_out_when_its_server_leaves, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_sender_loses_nothing_while_the_server_is_away_for_a_day, setup_day,
			teardown),
		cmocka_unit_test_setup_teardown(test_sender_counts_what_a_day_forced_out,
						setup_day_too_long, teardown),
		cmocka_unit_test_setup_teardown(test_sender_goes_on_where_it_was_closed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_with_a_damaged_place_sends_all_again,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

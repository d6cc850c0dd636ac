/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog over TCP (L1, RFC 6587 section 3.4.1): framing, reconnection, and what is sent again. */
#include "audit_sender_fixture.h"

#include <errno.h>

struct fixture {
	struct sending s; /* first: on_report and on_connect get the same */
	int listener;     /* -1: away */
	int server;       /* accepted, -1: none */
	bool deaf;        /* the server reads nothing */
	uint8_t pending[1 << 16];
	size_t pending_size;
	unsigned asked;
};

/* What the supervisor does. */
static void on_connect(void *ctx, const char *name)
{
	struct fixture *f = ctx;
	struct sockaddr_in to = server_address(&f->s);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), small = 4096;

	assert_string_equal(name, "server");
	f->asked++;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		sender_connected(&f->s.sender, -1, error);
		return;
	}
	sender_connected(&f->s.sender, fd, 0);
}

static void server_start(struct fixture *f)
{
	int on = 1, small = 4096;

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(f->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	server_bind(&f->s, f->listener);
	assert_int_equal(listen(f->listener, 4), 0);
}

/* With what it has not read: the connection is reset. */
static void server_stop(struct fixture *f)
{
	const struct linger reset = {1, 0};

	close(f->listener);
	f->listener = -1;
	if (f->server >= 0) {
		setsockopt(f->server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(f->server);
	}
	f->server = -1;
	f->pending_size = 0;
}

static void open_sender(struct fixture *f)
{
	sender_open_stream(&f->s.sender, &f->s.loop, &f->s.store,
			   (struct sender_report){on_report, on_connect, f}, "server");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->server = -1;
	sending_init(&f->s, 256U << 10, 64U << 10);
	server_start(f);
	open_sender(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sending_fini(&f->s);
	if (f->listener >= 0)
		server_stop(f);
	free(f);
	return 0;
}

/* Take whole frames off what came: digits, a blank, so many octets. */
static void take_frames(struct fixture *f)
{
	for (;;) {
		uint8_t *blank = memchr(f->pending, ' ', f->pending_size);
		size_t head, size;

		if (blank == NULL)
			return;
		head = (size_t)(blank - f->pending) + 1;
		assert_true(f->pending[0] >= '1' && f->pending[0] <= '9' && head <= 6);
		size = strtoul((char *)f->pending, NULL, 10);
		if (f->pending_size < head + size)
			return;
		take_record(&f->s, f->pending + head, size);
		memmove(f->pending, f->pending + head + size, f->pending_size - head - size);
		f->pending_size -= head + size;
	}
}

static void receive(struct fixture *f)
{
	ssize_t n;

	if (f->server < 0 && f->listener >= 0)
		f->server = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
	while (f->server >= 0 && !f->deaf) {
		n = recv(f->server, f->pending + f->pending_size,
			 sizeof(f->pending) - f->pending_size, 0);
		if (n <= 0)
			return;
		f->pending_size += (size_t)n;
		take_frames(f);
	}
}

/* Let simulated time pass in steps of 5 ms. */
static void pass(struct fixture *f, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 5) {
		step(&f->s);
		receive(f);
	}
}

static void test_stream_frames_all_in_order(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 300);
	pass(f, 3000);
	assert_int_equal(check_order(&f->s), 0);
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 0);
}

static void test_stream_reconnects_and_sends_again_what_is_in_doubt(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 20);
	pass(f, 30000);
	server_stop(f);
	append(&f->s, 5);
	pass(f, 30000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_true(f->asked > 2);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
	assert_int_equal(check_order(&f->s), 0); /* those of 30 s ago had arrived */
	append(&f->s, 5);
	pass(f, 2000);
	server_stop(f);
	pass(f, 100);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 2);
	assert_true(check_order(&f->s) >= 5); /* the last ones had been acknowledged just before */
}

/* What the server's host took and the server never read is sent again after its end. */
static void test_stream_resends_what_a_hung_server_never_read(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 10);
	pass(f, 20000);
	f->deaf = true;
	append(&f->s, 200);
	pass(f, 5000);
	server_stop(f);
	f->deaf = false;
	server_start(f);
	pass(f, 30000);
	(void)check_order(&f->s);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
}

/* A connection that takes nothing more for 20 s is dead, whatever the kernel still hopes. */
static void test_stream_gives_up_a_connection_that_stalls(void **state)
{
	struct fixture *f = *state;

	pass(f, 1000);
	f->deaf = true;
	append(&f->s, 400);
	pass(f, 15000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 0);
	pass(f, 20000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	server_stop(f);
	f->deaf = false;
	server_start(f);
	pass(f, 60000);
	(void)check_order(&f->s);
}

static void test_stream_without_an_answer_asks_again(void **state)
{
	struct fixture *f = *state;

	server_stop(f);
	append(&f->s, 3);
	pass(f, 60000);
	assert_true(f->asked >= 4 && f->asked <= 60);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(check_order(&f->s), 0);
}

static void test_stream_goes_on_where_it_was_closed(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 10);
	pass(f, 2000);
	sender_close(&f->s.sender);
	pass(f, 100);
	close(f->server);
	f->server = -1;
	append(&f->s, 10);
	open_sender(f);
	pass(f, 2000);
	assert_int_equal(check_order(&f->s), 0);
}

static void test_stream_closes_a_connection_nobody_asked_for(void **state)
{
	struct fixture *f = *state;
	int pair[2];
	char byte;

	pass(f, 1000);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	sender_connected(&f->s.sender, pair[0], 0);
	assert_int_equal(read(pair[1], &byte, 1), 0);
	close(pair[1]);
	append(&f->s, 2);
	pass(f, 1000);
	assert_int_equal(check_order(&f->s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stream_frames_all_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_stream_reconnects_and_sends_again_what_is_in_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_resends_what_a_hung_server_never_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_gives_up_a_connection_that_stalls,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_without_an_answer_asks_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stream_goes_on_where_it_was_closed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stream_closes_a_connection_nobody_asked_for,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

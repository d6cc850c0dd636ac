/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syslog over streams (L1): TCP (RFC 6587 section 3.4.1) and TLS (RFC 5425). Framing, reconnection,
 * what is sent again, and that nothing is sent to a server that is not the configured one.
 */
#include "audit_sender_fixture.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <time.h>

#include "tls/pem.h"

#define SERVER_NAME "log.city.example.lg.jp"

struct fixture {
	struct sending s;                 /* first: on_report and on_connect get the same */
	int listener;                     /* -1: away */
	int server;                       /* accepted, -1: none */
	struct stream link;               /* over it */
	bool secure;                      /* the server speaks TLS: */
	struct bytes identity, authority; /* its own, and what the sender verifies it with */
	const char *peer;                 /* whom the sender wants; NULL: in plain text */
	bool deaf;                        /* the server reads nothing */
	uint8_t pending[1 << 16];
	size_t pending_size;
	unsigned asked;
};

/* What the sender is to verify the server with, as a file; -1: nothing. */
static int authority_file(const struct fixture *f)
{
	int fd;

	if (f->authority.size == 0)
		return -1;
	fd = memfd_create("authority", MFD_CLOEXEC);
	assert_int_equal(write(fd, f->authority.data, f->authority.size), f->authority.size);
	return fd;
}

/* What the supervisor does. */
static void on_connect(void *ctx, const char *name)
{
	struct fixture *f = ctx;
	struct sockaddr_in to = server_address(&f->s);
	struct transport_wish wish = {.kind = f->peer != NULL ? SNAPSHOT_TRANSPORT_TLS
							      : SNAPSHOT_TRANSPORT_TCP,
				      .peer = f->peer,
				      .socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
				      .authority_fd = f->peer != NULL ? authority_file(f) : -1,
				      .identity_fd = -1};
	int fd = wish.socket_fd, small = 4096, on = 1, error = 0, link = -1;

	assert_string_equal(name, "server");
	f->asked++;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		error = errno;
		close(fd);
	} else {
		link = here_start(&f->s.here, &f->s.loop, wish);
	}
	if (wish.authority_fd >= 0)
		close(wish.authority_fd);
	sender_connected(&f->s.sender, link, error);
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

static void hang_up(struct fixture *f)
{
	if (f->server < 0)
		return;
	stream_fini(&f->link);
	close(f->server);
	f->server = -1;
	f->pending_size = 0;
}

/* With what it has not read: the connection is reset. */
static void server_stop(struct fixture *f)
{
	const struct linger reset = {1, 0};

	close(f->listener);
	f->listener = -1;
	if (f->server >= 0)
		setsockopt(f->server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hang_up(f);
}

static void open_sender(struct fixture *f)
{
	sender_open_stream(&f->s.sender, &f->s.loop, &f->s.store,
			   (struct sender_report){on_report, on_connect, f}, "server", f->peer);
}

static struct bytes make_identity(const char *name)
{
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	assert_int_equal(
		tls_identity_make(&(struct tls_wish){.host_name = name, .now_s = time(NULL)}, &pem),
		0);
	return pem;
}

static struct fixture *begin(void **state, uint64_t limit_bytes)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->server = -1;
	sending_init(&f->s, limit_bytes, DAY_SEGMENT);
	server_start(f);
	*state = f;
	return f;
}

static int setup(void **state)
{
	open_sender(begin(state, DAY_OVERFLOWS));
	return 0;
}

static int setup_day(void **state)
{
	open_sender(begin(state, DAY_FITS));
	return 0;
}

/* The server shows a certificate for SERVER_NAME, which is what the sender verifies it with. */
static struct fixture *begin_secure(void **state, uint64_t limit_bytes)
{
	struct fixture *f = begin(state, limit_bytes);

	f->secure = true;
	f->peer = SERVER_NAME;
	f->identity = make_identity(SERVER_NAME);
	bytes_init(&f->authority, TLS_PEM_BYTES_MAX);
	assert_int_equal(bytes_append(&f->authority, f->identity.data, f->identity.size), 0);
	return f;
}

static int setup_secure(void **state)
{
	open_sender(begin_secure(state, DAY_OVERFLOWS));
	return 0;
}

static int setup_day_secure(void **state)
{
	open_sender(begin_secure(state, DAY_FITS));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sending_fini(&f->s);
	if (f->listener >= 0)
		server_stop(f);
	tls_wipe(&f->identity);
	tls_wipe(&f->authority);
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

static void take_call(struct fixture *f)
{
	struct tls_settings settings = {.side = TLS_SERVER, .identity = bytes_span(&f->identity)};
	enum tls_fault fault;

	f->server = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
	if (f->server < 0)
		return;
	stream_init(&f->link, f->server);
	f->link.shaking = f->secure;
	if (f->secure)
		assert_int_equal(stream_prepare_tls(&f->link, &settings, &fault), 0);
}

static void receive(struct fixture *f)
{
	ssize_t n = -ERR_AGAIN;

	if (f->server < 0 && f->listener >= 0)
		take_call(f);
	if (f->server >= 0 && f->link.shaking && !f->deaf)
		n = stream_handshake(&f->link);
	while (f->server >= 0 && !f->link.shaking && !f->deaf) {
		n = stream_read(&f->link, f->pending + f->pending_size,
				sizeof(f->pending) - f->pending_size);
		if (n <= 0)
			break;
		f->pending_size += (size_t)n;
		take_frames(f);
	}
	if (n != -ERR_AGAIN)
		hang_up(f); /* the sender has, too */
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

/* Return: simulated ms between the last octet that the server's host is seen to acknowledge and the
 * sender's giving up. The kernel fills the host's window in real time: that may be at any step. */
static unsigned pass_until_away(struct fixture *f)
{
	const uint64_t *acknowledged = &f->s.here.last->stream.acknowledged_bytes;
	unsigned stalled_ms = 0;

	for (unsigned at = 0; at < 600000 && f->s.told[EVENT_SYSLOG_AWAY] == 0; at += 5) {
		uint64_t before = *acknowledged;

		pass(f, 5);
		stalled_ms = *acknowledged > before ? 0 : stalled_ms + 5;
	}
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	return stalled_ms;
}

/* A connection that takes nothing more for 20 s is dead, whatever the kernel still hopes. */
static void test_stream_gives_up_a_connection_that_stalls(void **state)
{
	struct fixture *f = *state;
	unsigned stalled_ms;

	pass(f, 1000);
	f->deaf = true;
	append(&f->s, 400);
	stalled_ms = pass_until_away(f);
	assert_in_range(stalled_ms, 20000 - TRANSPORT_LOOK_MS, 20000 + TRANSPORT_LOOK_MS);
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

/* The server goes, and comes back a day later. */
static void live_through_a_day(struct fixture *f)
{
	append(&f->s, 5);
	pass(f, 30000);
	server_stop(f);
	pass_day_alone(&f->s);
	server_start(f);
	pass(f, 60000);
}

static void test_stream_loses_nothing_while_the_server_is_away_for_a_day(void **state)
{
	struct fixture *f = *state;

	live_through_a_day(f);
	assert_int_equal(check_order(&f->s), 0);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
}

static void test_stream_counts_what_a_day_forced_out(void **state)
{
	struct fixture *f = *state;

	live_through_a_day(f);
	assert_true(f->s.forced_out > 1000);
	assert_int_equal(check_gaps(&f->s), f->s.forced_out);
}

static void test_stream_goes_on_where_it_was_closed(void **state)
{
	struct fixture *f = *state;

	append(&f->s, 10);
	pass(f, 2000);
	sender_close(&f->s.sender);
	pass(f, 100);
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

/* ---- TLS only */

/* Neither a record nor any octet in plain text has left, whatever else happened. */
static void check_refused(struct fixture *f, unsigned failures)
{
	assert_int_equal(f->s.got_count, 0);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS_FAILED], failures);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 0);
	assert_true(f->asked >= 3);
}

static void test_secure_server_of_another_name_gets_nothing(void **state)
{
	struct fixture *f = begin_secure(state, DAY_OVERFLOWS);

	f->peer = "other.example.jp";
	open_sender(f);
	append(&f->s, 10);
	pass(f, 60000);
	check_refused(f, 1); /* one reason, however often it was tried */
	assert_string_equal(f->s.sender.failure, tls_fault_text(TLS_FAULT_NAME));
}

static void test_secure_server_of_an_unknown_authority_gets_nothing(void **state)
{
	struct fixture *f = begin_secure(state, DAY_OVERFLOWS);

	tls_wipe(&f->authority);
	f->authority = make_identity(SERVER_NAME);
	open_sender(f);
	append(&f->s, 10);
	pass(f, 60000);
	check_refused(f, 1);
	assert_string_equal(f->s.sender.failure, tls_fault_text(TLS_FAULT_UNTRUSTED));
	tls_wipe(&f->authority); /* the right one is loaded: it goes on by itself */
	bytes_init(&f->authority, TLS_PEM_BYTES_MAX);
	assert_int_equal(bytes_append(&f->authority, f->identity.data, f->identity.size), 0);
	pass(f, 30000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
	assert_int_equal(check_order(&f->s), 0);
	assert_null(f->s.sender.failure);
}

static void test_secure_without_an_authority_gets_nothing(void **state)
{
	struct fixture *f = begin_secure(state, DAY_OVERFLOWS);

	f->authority.size = 0;
	open_sender(f);
	append(&f->s, 10);
	pass(f, 60000);
	check_refused(f, 1);
}

/* A server in plain text on the port: it answers nothing that could be taken for TLS. */
static void test_secure_server_in_plain_text_gets_nothing(void **state)
{
	struct fixture *f = begin_secure(state, DAY_OVERFLOWS);
	uint8_t first = 0;

	f->deaf = true;
	f->secure = false;
	open_sender(f);
	append(&f->s, 10);
	for (unsigned at = 0; at < 5 && recv(f->server, &first, 1, MSG_PEEK) != 1; at++)
		pass(f, 100);
	assert_int_equal(first, 22); /* a handshake record, RFC 8446 5.1 */
	pass(f, 60000);
	assert_true(f->s.told[EVENT_SYSLOG_TLS_FAILED] >= 1);
	assert_string_equal(f->s.sender.failure, "the handshake was not finished");
	assert_int_equal(f->s.got_count, 0);
}

/* One that ends the connection as soon as it stands: nothing was sent, and each try waits longer.
 */
static void test_secure_server_that_ends_it_at_once_gets_nothing(void **state)
{
	struct fixture *f = begin_secure(state, DAY_OVERFLOWS);

	open_sender(f);
	append(&f->s, 10);
	for (unsigned at = 0; at < 60000; at += 5) {
		pass(f, 5);
		if (f->server >= 0 && !f->link.shaking) {
			stream_end(&f->link);
			hang_up(f);
		}
	}
	check_refused(f, 1);
	assert_true(f->asked < 20);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS], 0);
}

/* close_notify with the socket left open: the server wants no more, all that follows is sent to the
 * next connection. */
static void test_secure_end_of_the_server_is_answered(void **state)
{
	struct fixture *f = *state;
	char byte;

	append(&f->s, 10);
	pass(f, 2000);
	assert_int_equal(check_order(&f->s), 0);
	f->deaf = true;
	tls_close(f->link.tls);
	pass(f, 20);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(stream_read(&f->link, &byte, 1), 0); /* close_notify came back */
	hang_up(f);
	f->deaf = false;
	append(&f->s, 10);
	pass(f, 20000);
	(void)check_order(&f->s);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS_FAILED], 0);
}

#define BOTH_WAYS(test)                                                                            \
	cmocka_unit_test_setup_teardown(test, setup, teardown),                                    \
	{                                                                                          \
		#test "_under_tls", test, setup_secure, teardown, NULL                             \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(test_stream_frames_all_in_order),
		BOTH_WAYS(test_stream_reconnects_and_sends_again_what_is_in_doubt),
		BOTH_WAYS(test_stream_resends_what_a_hung_server_never_read),
		BOTH_WAYS(test_stream_gives_up_a_connection_that_stalls),
		BOTH_WAYS(test_stream_without_an_answer_asks_again),
		cmocka_unit_test_setup_teardown(
			test_stream_loses_nothing_while_the_server_is_away_for_a_day, setup_day,
			teardown),
		{"test_stream_loses_nothing_while_the_server_is_away_for_a_day_under_tls",
		 test_stream_loses_nothing_while_the_server_is_away_for_a_day, setup_day_secure,
		 teardown, NULL},
		BOTH_WAYS(test_stream_counts_what_a_day_forced_out),
		BOTH_WAYS(test_stream_goes_on_where_it_was_closed),
		BOTH_WAYS(test_stream_closes_a_connection_nobody_asked_for),
		cmocka_unit_test_teardown(test_secure_server_of_another_name_gets_nothing,
					  teardown),
		cmocka_unit_test_teardown(test_secure_server_of_an_unknown_authority_gets_nothing,
					  teardown),
		cmocka_unit_test_teardown(test_secure_without_an_authority_gets_nothing, teardown),
		cmocka_unit_test_teardown(test_secure_server_in_plain_text_gets_nothing, teardown),
		cmocka_unit_test_teardown(test_secure_server_that_ends_it_at_once_gets_nothing,
					  teardown),
		cmocka_unit_test_setup_teardown(test_secure_end_of_the_server_is_answered,
						setup_secure, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels: what the table refuses, and that a refused message leaves no descriptor behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/err.h"

enum { TYPE_PLAIN = 1, TYPE_ONE_FD, TYPE_TEXT, TYPE_KEEP, TYPE_FAIL, TYPE_NOT_IN_TABLE };

struct body {
	uint32_t a, b;
};

struct fixture {
	struct channel near, far;
	int plain_count, fd_count, kept_fd;
	struct body last;
};

static int on_plain(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;

	f->plain_count++;
	f->last = *(const struct body *)message->body;
	return 0;
}

static int on_fd(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;

	f->fd_count += message->fd_count;
	return 0;
}

static int on_keep(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;

	f->kept_fd = message->fds[0];
	message->fds[0] = -1;
	return 0;
}

static int on_text(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return 0;
}

static int on_fail(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return -ERR_RANGE;
}

#define STATE_OPEN (1U << 0)

static const struct channel_rule rules[] = {
	{TYPE_PLAIN, 0, 0, sizeof(struct body), sizeof(struct body), STATE_OPEN, on_plain, "plain"},
	{TYPE_ONE_FD, 1, 1, 0, 0, CHANNEL_ANY_STATE, on_fd, "one-fd"},
	{TYPE_TEXT, 0, 0, 0, 16, CHANNEL_ANY_STATE, on_text, "text"},
	{TYPE_KEEP, 1, 1, 0, 0, CHANNEL_ANY_STATE, on_keep, "keep"},
	{TYPE_FAIL, 0, 0, 0, 0, CHANNEL_ANY_STATE, on_fail, "fail"},
};

static int open_fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	channel_init(&f->near, fds[0], rules, sizeof(rules) / sizeof(rules[0]), f);
	channel_init(&f->far, fds[1], NULL, 0, NULL);
	f->kept_fd = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	channel_fini(&f->near);
	channel_fini(&f->far);
	free(f);
	return 0;
}

static void expect_violation(struct fixture *f, const char *expected)
{
	const char *why = NULL;

	assert_int_equal(channel_serve(&f->near, 8, &why), -ERR_PEER);
	assert_non_null(why);
	assert_string_equal(why, expected);
}

static void test_channel_delivers_in_order_when_table_allows(void **state)
{
	struct fixture *f = *state;
	struct body body = {1, 2};

	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	body.a = 7;
	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	assert_int_equal(channel_serve(&f->near, 8, NULL), 2);
	assert_int_equal(f->plain_count, 2);
	assert_int_equal(f->last.a, 7);
	assert_int_equal(channel_serve(&f->near, 8, NULL), 0);
}

static void test_channel_stops_after_most_messages(void **state)
{
	struct fixture *f = *state;
	struct body body = {0};

	for (int i = 0; i < 5; i++)
		assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0),
				 0);
	assert_int_equal(channel_serve(&f->near, 3, NULL), 3);
	assert_int_equal(channel_serve(&f->near, 3, NULL), 2);
}

static void test_channel_refuses_unknown_type(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(channel_send(&f->far, TYPE_NOT_IN_TABLE, NULL, 0, NULL, 0), 0);
	expect_violation(f, "unknown type");
}

static void test_channel_refuses_wrong_size(void **state)
{
	struct fixture *f = *state;
	char body[sizeof(struct body) + 1] = {0};

	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, body, sizeof(body), NULL, 0), 0);
	expect_violation(f, "wrong size");
	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, body, sizeof(struct body) - 1, NULL, 0),
			 0);
	expect_violation(f, "wrong size");
	assert_int_equal(f->plain_count, 0);
}

static void test_channel_refuses_wrong_state(void **state)
{
	struct fixture *f = *state;
	struct body body = {0};

	f->near.state = 1;
	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	expect_violation(f, "not allowed in this state");
	f->near.state = 32;
	assert_int_equal(channel_send(&f->far, TYPE_TEXT, NULL, 0, NULL, 0), 0);
	expect_violation(f, "not allowed in this state");
}

static void test_channel_closes_fds_when_count_is_wrong(void **state)
{
	static const int counts[] = {0, 2, 3, 4, CHANNEL_FDS_MAX};
	struct fixture *f = *state;
	int fds[CHANNEL_FDS_MAX], before = open_fd_count();

	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++)
		fds[i] = STDERR_FILENO;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_equal(
			channel_send(&f->far, TYPE_ONE_FD, NULL, 0, fds, (size_t)counts[i]), 0);
		expect_violation(f, "wrong number of descriptors");
		assert_int_equal(open_fd_count(), before);
	}
	assert_int_equal(f->fd_count, 0);
}

/* Raw sends: what our own channel_send would never produce. */
static void send_raw(int fd, const void *data, size_t size, int fd_count)
{
	char control[CMSG_SPACE(sizeof(int) * 64)] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[64];

	for (int i = 0; i < 64; i++)
		fds[i] = STDERR_FILENO;
	if (fd_count) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * (size_t)fd_count);
	}
	assert_int_equal(sendmsg(fd, &msg, 0), size);
}

struct raw {
	uint16_t type, fd_count;
	uint32_t body_bytes;
	uint8_t body[CHANNEL_BODY_MAX + 16];
};

static void test_channel_closes_fds_when_more_come_than_the_header_says(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.type = TYPE_ONE_FD, .fd_count = 1};
	int before = open_fd_count();

	for (int count = 2; count <= 4; count++) {
		send_raw(f->far.fd, &raw, 8, count);
		expect_violation(f, "descriptor count differs from header");
		assert_int_equal(open_fd_count(), before);
	}
	send_raw(f->far.fd, &raw, 8, 0);
	expect_violation(f, "descriptor count differs from header");
}

static void test_channel_closes_fds_when_control_is_truncated(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.type = TYPE_ONE_FD, .fd_count = 1};
	int before = open_fd_count();

	send_raw(f->far.fd, &raw, 8, 64);
	expect_violation(f, "descriptors cut off");
	assert_int_equal(open_fd_count(), before);
}

static void test_channel_refuses_empty_message_and_closes_its_fds(void **state)
{
	struct fixture *f = *state;
	int before = open_fd_count();

	send_raw(f->far.fd, "", 0, 0);
	expect_violation(f, "empty message");
	send_raw(f->far.fd, "", 0, 3);
	expect_violation(f, "empty message");
	assert_int_equal(open_fd_count(), before);
}

static void test_channel_refuses_malformed_header(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.type = TYPE_TEXT, .body_bytes = 4};

	send_raw(f->far.fd, &raw, 7, 0);
	expect_violation(f, "short header");
	send_raw(f->far.fd, &raw, 8, 0);
	expect_violation(f, "body length differs from header");
	send_raw(f->far.fd, &raw, 8 + 5, 0);
	expect_violation(f, "body length differs from header");
	raw.body_bytes = UINT32_MAX;
	send_raw(f->far.fd, &raw, 8 + 5, 0);
	expect_violation(f, "body length differs from header");
}

static void test_channel_refuses_oversize_message(void **state)
{
	struct fixture *f = *state;
	struct raw raw = {.type = TYPE_TEXT, .body_bytes = CHANNEL_BODY_MAX + 1};
	int before = open_fd_count();

	send_raw(f->far.fd, &raw, 8 + CHANNEL_BODY_MAX + 1, 1);
	expect_violation(f, "oversize message");
	send_raw(f->far.fd, &raw, 8 + CHANNEL_BODY_MAX + 2, 2);
	expect_violation(f, "oversize message");
	assert_int_equal(open_fd_count(), before);
	assert_int_equal(channel_send(&f->far, TYPE_TEXT, raw.body, CHANNEL_BODY_MAX + 1, NULL, 0),
			 -ERR_TOO_LONG);
}

static void test_channel_goes_on_after_a_violation(void **state)
{
	struct fixture *f = *state;
	struct body body = {.a = 3};

	assert_int_equal(channel_send(&f->far, TYPE_NOT_IN_TABLE, NULL, 0, NULL, 0), 0);
	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	expect_violation(f, "unknown type");
	assert_int_equal(channel_serve(&f->near, 8, NULL), 1);
	assert_int_equal(f->last.a, 3);
}

static void test_channel_handler_keeps_a_descriptor(void **state)
{
	struct fixture *f = *state;
	int fd = STDERR_FILENO, before = open_fd_count();

	assert_int_equal(channel_send(&f->far, TYPE_KEEP, NULL, 0, &fd, 1), 0);
	assert_int_equal(channel_serve(&f->near, 1, NULL), 1);
	assert_true(f->kept_fd >= 0);
	assert_int_equal(fcntl(f->kept_fd, F_GETFD), FD_CLOEXEC);
	close(f->kept_fd);
	assert_int_equal(open_fd_count(), before);
}

static void test_channel_serve_returns_the_handlers_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(channel_send(&f->far, TYPE_FAIL, NULL, 0, NULL, 0), 0);
	assert_int_equal(channel_serve(&f->near, 8, NULL), -ERR_RANGE);
}

static void test_channel_says_closed_when_the_peer_has_gone(void **state)
{
	struct fixture *f = *state;
	struct body body = {0};

	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	channel_fini(&f->far);
	assert_int_equal(channel_serve(&f->near, 1, NULL), 1);
	assert_int_equal(channel_serve(&f->near, 8, NULL), -ERR_CLOSED);
	assert_int_equal(channel_send(&f->near, TYPE_PLAIN, &body, sizeof(body), NULL, 0),
			 -ERR_CLOSED);
}

static void test_channel_send_never_blocks_when_the_queue_is_full(void **state)
{
	struct fixture *f = *state;
	static char body[CHANNEL_BODY_MAX];
	int err, sent = 0;

	while ((err = channel_send(&f->far, TYPE_TEXT, body, sizeof(body), NULL, 0)) == 0 &&
	       sent < 10000)
		sent++;
	assert_int_equal(err, -ERR_AGAIN);
	assert_int_equal(channel_send_wait(&f->far, TYPE_TEXT, body, sizeof(body), NULL, 0, 10),
			 -ERR_TIMEOUT);
}

static void test_channel_receive_takes_exactly_the_expected(void **state)
{
	struct fixture *f = *state;
	struct body body = {5, 6}, got;
	int fds[2] = {STDERR_FILENO, STDERR_FILENO}, got_fd = -1, before = open_fd_count();
	size_t count;

	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), NULL, 0), 0);
	assert_int_equal(channel_receive(&f->near, TYPE_PLAIN, &got, sizeof(got), &got_fd, 1,
					 &count, 100),
			 0);
	assert_int_equal(got.b, 6);
	assert_int_equal(channel_receive(&f->near, TYPE_PLAIN, &got, sizeof(got), &got_fd, 1,
					 &count, 10),
			 -ERR_TIMEOUT);
	assert_int_equal(channel_send(&f->far, TYPE_PLAIN, &body, sizeof(body), fds, 2), 0);
	assert_int_equal(channel_receive(&f->near, TYPE_PLAIN, &got, sizeof(got), &got_fd, 1,
					 &count, 100),
			 -ERR_PEER);
	assert_int_equal(count, 0);
	assert_int_equal(channel_send(&f->far, TYPE_KEEP, NULL, 0, fds, 1), 0);
	assert_int_equal(channel_receive(&f->near, TYPE_PLAIN, &got, sizeof(got), &got_fd, 1,
					 &count, 100),
			 -ERR_PEER);
	assert_int_equal(open_fd_count(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_channel_delivers_in_order_when_table_allows),
		TEST(test_channel_stops_after_most_messages),
		TEST(test_channel_refuses_unknown_type),
		TEST(test_channel_refuses_wrong_size),
		TEST(test_channel_refuses_wrong_state),
		TEST(test_channel_closes_fds_when_count_is_wrong),
		TEST(test_channel_closes_fds_when_more_come_than_the_header_says),
		TEST(test_channel_closes_fds_when_control_is_truncated),
		TEST(test_channel_refuses_empty_message_and_closes_its_fds),
		TEST(test_channel_refuses_malformed_header),
		TEST(test_channel_refuses_oversize_message),
		TEST(test_channel_goes_on_after_a_violation),
		TEST(test_channel_handler_keeps_a_descriptor),
		TEST(test_channel_serve_returns_the_handlers_error),
		TEST(test_channel_says_closed_when_the_peer_has_gone),
		TEST(test_channel_send_never_blocks_when_the_queue_is_full),
		TEST(test_channel_receive_takes_exactly_the_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing netlink: whatever becomes of a request, the next one on the same socket gets its own
 * answer. The kernel's side is played here, a datagram for each message.
 */
#include "unit.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "supervisor/zones/rtnl_private.h"

#define DATAGRAMS_MAX 64
#define REQUESTS_MAX  8
#define LINKS_SEEN    8

/* How the kernel answers a request for the list of devices. */
enum reply {
	REPLY_WHOLE,       /* the devices 1 and 2 */
	REPLY_INTERRUPTED, /* 1; then the list has changed */
	REPLY_OVERRUN,     /* 1; then messages were lost */
	REPLY_TOO_LONG,    /* 1; then a datagram that does not fit the buffer */
	REPLY_BROKEN_OFF,  /* 1; then the end with an error */
	REPLY_REFUSED,
};

struct datagram {
	struct {
		struct nlmsghdr header;
		union {
			int status;
			struct ifinfomsg link;
		} body;
	} message;
	size_t bytes; /* what recv says; 0: it fails with ENOBUFS */
};

static struct {
	enum reply replies[REQUESTS_MAX]; /* to each request, in their order */
	size_t requests;
	struct datagram queue[DATAGRAMS_MAX];
	size_t count, at;
} kernel;

static struct rtnl rtnl;

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t size);

static struct datagram *add(uint32_t sequence, uint16_t type, uint16_t flags, int value)
{
	struct datagram *d = &kernel.queue[kernel.count++];

	assert_true(kernel.count < DATAGRAMS_MAX);
	d->bytes = sizeof(d->message);
	d->message.header = (struct nlmsghdr){
		.nlmsg_len = sizeof(d->message),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_MULTI | flags,
		.nlmsg_seq = sequence,
	};
	if (type == RTM_NEWLINK)
		d->message.body.link.ifi_index = value;
	else
		d->message.body.status = value;
	return d;
}

static void reply_with(enum reply reply, uint32_t sequence)
{
	uint16_t flags = reply == REPLY_INTERRUPTED ? NLM_F_DUMP_INTR : 0;
	struct datagram *second;

	if (reply == REPLY_REFUSED) {
		add(sequence, NLMSG_ERROR, 0, -EPERM);
		return;
	}
	add(sequence, RTM_NEWLINK, 0, 1);
	second = add(sequence, RTM_NEWLINK, flags, 2);
	if (reply == REPLY_OVERRUN)
		second->bytes = 0;
	else if (reply == REPLY_TOO_LONG)
		second->bytes = 1U << 20;
	add(sequence, NLMSG_DONE, flags, reply == REPLY_BROKEN_OFF ? -EMSGSIZE : 0);
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t size)
{
	const struct nlmsghdr *request = data;

	assert_ptr_equal(socket, rtnl.socket);
	assert_true(kernel.requests < REQUESTS_MAX);
	reply_with(kernel.replies[kernel.requests++], request->nlmsg_seq);
	return (ssize_t)size;
}

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	const struct datagram *d = &kernel.queue[kernel.at];

	assert_int_equal(fd, mnl_socket_get_fd(rtnl.socket));
	if (kernel.at == kernel.count) {
		assert_true(flags & MSG_DONTWAIT); /* else it waits for ever */
		errno = EAGAIN;
		return -1;
	}
	kernel.at++;
	if (d->bytes == 0) {
		errno = ENOBUFS;
		return -1;
	}
	memcpy(buffer, &d->message, size < sizeof(d->message) ? size : sizeof(d->message));
	return (ssize_t)d->bytes;
}

static int setup(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	return rtnl_open(&rtnl);
}

static int teardown(void **state)
{
	rtnl_close(&rtnl);
	return 0;
}

struct seen {
	int err, error;
	uint32_t links[LINKS_SEEN];
	size_t count;
};

static int see(const struct rtnl_link *link, void *ctx)
{
	struct seen *seen = ctx;

	assert_true(seen->count < LINKS_SEEN);
	seen->links[seen->count++] = link->index;
	return 0;
}

static struct seen ask(void)
{
	struct seen seen = {0};

	seen.err = rtnl_link_each(&rtnl, see, &seen);
	seen.error = errno;
	assert_int_equal(kernel.at, kernel.count);
	return seen;
}

static void assert_whole(const struct seen *seen)
{
	assert_int_equal(seen->err, 0);
	assert_int_equal(seen->count, 2);
	assert_int_equal(seen->links[0], 1);
	assert_int_equal(seen->links[1], 2);
}

static void test_rtnl_reads_a_list_that_changed_again_and_tells_it_once(void **state)
{
	kernel.replies[0] = kernel.replies[1] = kernel.replies[2] = REPLY_INTERRUPTED;
	struct seen seen = ask();

	assert_whole(&seen);
	assert_int_equal(kernel.requests, 4);
}

static void test_rtnl_gives_up_a_list_that_changes_always(void **state)
{
	for (size_t i = 0; i < 4; i++)
		kernel.replies[i] = REPLY_INTERRUPTED;
	struct seen seen = ask();

	assert_int_equal(seen.err, -ERR_SYSTEM);
	assert_int_equal(seen.error, EINTR);
	assert_int_equal(seen.count, 0);
	assert_int_equal(kernel.requests, 4);
	seen = ask();
	assert_whole(&seen);
}

/* Nothing of it is told, nothing stays on the socket, and it is not tried again. */
static void test_rtnl_is_in_step_after_any_failure(void **state)
{
	static const struct {
		enum reply reply;
		int error;
	} failures[] = {
		{REPLY_OVERRUN, ENOBUFS},
		{REPLY_TOO_LONG, ENOSPC},
		{REPLY_BROKEN_OFF, EMSGSIZE},
		{REPLY_REFUSED, EPERM},
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		memset(&kernel, 0, sizeof(kernel));
		kernel.replies[0] = failures[i].reply;
		struct seen seen = ask();

		assert_int_equal(seen.err, -ERR_SYSTEM);
		assert_int_equal(seen.error, failures[i].error);
		assert_int_equal(seen.count, 0);
		assert_int_equal(kernel.requests, 1);
		seen = ask();
		assert_whole(&seen);
	}
}

static void test_rtnl_skips_what_an_earlier_request_left(void **state)
{
	add(rtnl.sequence, RTM_NEWLINK, 0, 7);
	add(rtnl.sequence, NLMSG_DONE, 0, 0);
	struct seen seen = ask();

	assert_whole(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_rtnl_reads_a_list_that_changed_again_and_tells_it_once, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_rtnl_gives_up_a_list_that_changes_always,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_rtnl_is_in_step_after_any_failure, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_rtnl_skips_what_an_earlier_request_left, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

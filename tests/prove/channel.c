/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channel tables, against a peer and a kernel that may do anything which recvmsg(2) and unix(7)
 * allow: any type, any length, any number of descriptors up to more than a receiver has room for,
 * truncation of either, foreign control data, a lying header.
 *
 * Claimed: a handler is called exactly for the messages that a rule of the table allows in the
 * state (type, size, number of descriptors); every other message is -ERR_PEER with a reason. Every
 * descriptor that the kernel installed is closed exactly once, or kept by the handler; none is
 * closed that was not received. The kernel is written below, from the manual pages.
 */
#include "prove.h"

#include "base/channel.h"

/* The same code at any value; with these, every way to send too much is small. */
#undef CHANNEL_BODY_MAX
#undef CHANNEL_FDS_MAX
#define CHANNEL_BODY_MAX 16
#define CHANNEL_FDS_MAX  3

#include "base/channel.c"

#define RULES        2
#define FD_BASE      100
#define FDS_SENT_MAX 5 /* more than a receiver has room for */

/* --- the kernel --- */

static struct {
	unsigned open; /* bit i: descriptor FD_BASE + i is open in this process */
	unsigned installed;
	unsigned installed_count;
	struct frame_header header;
	size_t got_bytes;
	int flags;
	bool foreign;
	bool hung_up;
} kernel;

int close(int fd)
{
	assert(fd >= FD_BASE && fd < FD_BASE + 32);
	assert(kernel.open & 1U << (fd - FD_BASE)); /* neither foreign nor closed twice */
	kernel.open &= ~(1U << (fd - FD_BASE));
	return 0;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	assert(count == 1);
	kernel.hung_up = nondet_bool();
	fds[0].revents = kernel.hung_up ? POLLHUP : 0;
	return kernel.hung_up ? 1 : 0;
}

struct cmsghdr *__cmsg_nxthdr(struct msghdr *msg, struct cmsghdr *cmsg)
{
	size_t at = (size_t)((uint8_t *)cmsg - (uint8_t *)msg->msg_control);
	size_t next = at + CMSG_ALIGN(cmsg->cmsg_len);

	if (cmsg->cmsg_len < sizeof(*cmsg) || next + sizeof(*cmsg) > msg->msg_controllen)
		return NULL;
	return (struct cmsghdr *)((uint8_t *)msg->msg_control + next);
}

/* Descriptors as unix(7) hands them over: as many as fit into the control buffer, the rest dropped
 * with MSG_CTRUNC. */
static void install(struct msghdr *msg)
{
	size_t room = msg->msg_controllen, sent = nondet_size(), fit;
	struct cmsghdr *cmsg = msg->msg_control;

	suppose(sent <= FDS_SENT_MAX);
	msg->msg_controllen = 0;
	msg->msg_flags = nondet_bool() ? MSG_TRUNC : 0;
	kernel.foreign = nondet_bool();
	if (sent == 0 && !kernel.foreign)
		return;
	fit = (room - CMSG_LEN(0)) / sizeof(int);
	if (sent > fit) {
		sent = fit;
		msg->msg_flags |= MSG_CTRUNC;
	}
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = kernel.foreign ? SCM_CREDENTIALS : SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * sent);
	msg->msg_controllen =
		CMSG_SPACE(sizeof(int) * sent) < room ? CMSG_SPACE(sizeof(int) * sent) : room;
	if (kernel.foreign)
		return;
	for (size_t i = 0; i < sent; i++) {
		int fd = FD_BASE + (int)i;

		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(fd));
		kernel.open |= 1U << i;
	}
	kernel.installed = kernel.open;
	kernel.installed_count = (unsigned)sent;
}

ssize_t recvmsg(int socket, struct msghdr *msg, int flags)
{
	struct frame_header header;

	assert(flags & MSG_CMSG_CLOEXEC);
	assert(msg->msg_iovlen == 2 && msg->msg_iov[0].iov_len == sizeof(struct frame_header));
	assert(__CPROVER_w_ok(msg->msg_iov[1].iov_base, msg->msg_iov[1].iov_len));
	if (nondet_bool()) {
		errno = nondet_bool() ? EAGAIN : nondet_bool() ? ECONNRESET : EBADF;
		return -1;
	}
	install(msg);
	kernel.flags = msg->msg_flags;
	kernel.got_bytes = nondet_size();
	suppose(kernel.got_bytes <= sizeof(struct frame_header) + msg->msg_iov[1].iov_len);
	__CPROVER_havoc_object(&header);
	kernel.header = header;
	memcpy(msg->msg_iov[0].iov_base, &kernel.header, sizeof(kernel.header));
	return (ssize_t)kernel.got_bytes;
}

/* --- the receiver --- */

static struct {
	unsigned calls;
	const struct channel_rule *rule;
	uint16_t fd_count;
	uint32_t body_bytes;
	unsigned kept; /* bit i: the descriptor FD_BASE + i */
	int answer;
} handler;

static int take(const struct channel_rule *rule, const struct channel_message *message)
{
	handler.calls++;
	handler.rule = rule;
	handler.fd_count = message->fd_count;
	handler.body_bytes = message->body_bytes;
	assert(message->type == rule->type);
	for (unsigned i = 0; i < message->fd_count; i++) {
		assert(message->fds[i] == FD_BASE + (int)i);
		if (nondet_bool()) {
			handler.kept |= 1U << i;
			message->fds[i] = -1;
		}
	}
	return handler.answer;
}

static struct channel_rule rules[RULES];

static int take_first(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return take(&rules[0], message);
}

static int take_second(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return take(&rules[1], message);
}

static bool sound_frame(void)
{
	return kernel.flags == 0 && !kernel.foreign && kernel.got_bytes >= 8 &&
	       kernel.header.body_bytes == kernel.got_bytes - 8 &&
	       kernel.header.body_bytes <= CHANNEL_BODY_MAX &&
	       kernel.header.fd_count == kernel.installed_count &&
	       kernel.installed_count <= CHANNEL_FDS_MAX;
}

static bool allows(const struct channel_rule *rule, unsigned state)
{
	return rule->body_min <= kernel.header.body_bytes &&
	       kernel.header.body_bytes <= rule->body_max &&
	       rule->fds_min <= kernel.header.fd_count && kernel.header.fd_count <= rule->fds_max &&
	       state < 32 && (rule->states >> state & 1) == 1;
}

void prove_serve(void)
{
	const char *why = NULL;
	struct channel ch;
	unsigned state = nondet_u32();
	bool received, allowed = false;
	int handled;

	__CPROVER_havoc_object(rules);
	rules[0].handle = take_first;
	rules[1].handle = take_second;
	rules[0].name = rules[1].name = "rule";
	handler.answer = nondet_int();
	suppose(handler.answer <= 0);
	channel_init(&ch, 3, rules, RULES, NULL);
	ch.state = state;
	kernel.got_bytes = SIZE_MAX;
	handled = channel_serve(&ch, 1, &why);

	received = kernel.got_bytes != SIZE_MAX;
	if (received && sound_frame()) { /* the first rule of the type counts */
		const struct channel_rule *rule = rules[0].type == kernel.header.type   ? &rules[0]
						  : rules[1].type == kernel.header.type ? &rules[1]
											: NULL;

		allowed = rule && allows(rule, state);
		assert(!allowed || handler.rule == rule);
	}
	assert(handler.calls == (allowed ? 1 : 0));
	assert(kernel.open == handler.kept); /* everything else was closed */
	if (allowed) {
		REACHED(1);
		assert(handled == (handler.answer < 0 ? handler.answer : 1));
		assert(handler.body_bytes == kernel.header.body_bytes);
		assert(handler.fd_count == kernel.installed_count);
		if (handler.kept == 7)
			REACHED(2);
		return;
	}
	if (!received)
		assert(handled == 0 || handled == -ERR_CLOSED || handled == -ERR_SYSTEM);
	else if (kernel.got_bytes == 0)
		assert(handled == (kernel.hung_up ? -ERR_CLOSED : -ERR_PEER));
	else
		assert(handled == -ERR_PEER && why != NULL);
	if (received && kernel.installed_count == 4)
		REACHED(3);
}

/* The start-up handshake: exactly one type, size and at most so many descriptors, or nothing at
 * all. */
void prove_receive(void)
{
	struct channel ch = {.fd = 3};
	uint8_t body[8];
	int fds[CHANNEL_FDS_MAX], err;
	size_t capacity = nondet_size(), count;
	uint16_t type = nondet_u16();

	suppose(capacity <= CHANNEL_FDS_MAX);
	kernel.got_bytes = SIZE_MAX;
	err = channel_receive(&ch, type, body, sizeof(body), fds, capacity, &count, 0);
	if (err != 0) {
		assert(kernel.open == 0 && count == 0);
		return;
	}
	REACHED(1);
	assert(sound_frame() && kernel.header.type == type &&
	       kernel.header.body_bytes == sizeof(body));
	assert(count == kernel.installed_count && count <= capacity &&
	       kernel.open == kernel.installed);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed messages over SOCK_SEQPACKET: framing, descriptors, and the table that says what is allowed
 * when.
 */
#include "base/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"

/* In front of each body. Both ends are ours and run on one machine: host byte order. */
struct frame_header {
	uint16_t type;
	uint16_t fd_count;
	uint32_t body_bytes;
};

/* One received message. The body follows the header at an alignment that suits every struct. */
struct frame {
	alignas(16) uint8_t body[CHANNEL_BODY_MAX +
				 1]; /* one more byte than allowed: an oversize message is seen */
	struct frame_header header;
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
};

int channel_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0
		       ? -ERR_SYSTEM
		       : 0;
}

void channel_init(struct channel *ch, int fd, const struct channel_rule *rules, size_t rule_count,
		  void *ctx)
{
	*ch = (struct channel){.fd = fd, .rules = rules, .rule_count = rule_count, .ctx = ctx};
}

void channel_fini(struct channel *ch)
{
	if (ch->fd >= 0)
		(void)close(ch->fd); /* nothing is buffered in it that could fail to be written */
	ch->fd = -1;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]); /* received and refused: never written to */
		fds[i] = -1;
	}
}

/* -1 waits without limit. Return: 1 ready, 0 timeout, -ERR_SYSTEM. */
static int wait_for(int fd, short events, int wait_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	struct timespec ts = {.tv_sec = wait_ms / 1000, .tv_nsec = (wait_ms % 1000) * 1000000L};
	int count;

	do {
		count = ppoll(&poll_fd, 1, wait_ms < 0 ? NULL : &ts, NULL);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -ERR_SYSTEM : count;
}

static int send_error(void)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ETOOMANYREFS: /* as many descriptors of this user are under way as one of its processes
			      may open */
		return -ERR_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return -ERR_CLOSED;
	case EMSGSIZE:
		return -ERR_TOO_LONG;
	default:
		return -ERR_SYSTEM;
	}
}

int channel_send(struct channel *ch, uint16_t type, const void *body, size_t body_bytes,
		 const int *fds, size_t fd_count)
{
	struct frame_header header = {
		.type = type, .fd_count = (uint16_t)fd_count, .body_bytes = (uint32_t)body_bytes};
	struct iovec iov[2] = {{.iov_base = &header, .iov_len = sizeof(header)}};
	alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)] = {0};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = body_bytes ? 2 : 1};

	if (body_bytes > CHANNEL_BODY_MAX || fd_count > CHANNEL_FDS_MAX)
		return -ERR_TOO_LONG;
	iov[1].iov_base = (void *)(uintptr_t)body; /* sendmsg only reads it */
	iov[1].iov_len = body_bytes;
	if (fd_count) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	return sendmsg(ch->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? send_error() : 0;
}

int channel_send_wait(struct channel *ch, uint16_t type, const void *body, size_t body_bytes,
		      const int *fds, size_t fd_count, int wait_ms)
{
	int err = channel_send(ch, type, body, body_bytes, fds, fd_count);

	if (err != -ERR_AGAIN)
		return err;
	err = wait_for(ch->fd, POLLOUT, wait_ms);
	if (err < 0)
		return err;
	err = channel_send(ch, type, body, body_bytes, fds, fd_count);
	return err == -ERR_AGAIN ? -ERR_TIMEOUT : err;
}

/*
 * Take every descriptor that the kernel installed, whatever the message claims: only what is
 * counted here can be closed again. CMSG padding has room for one more than was asked for, hence
 * the length from the header, not ours.
 */
static bool collect_fds(struct msghdr *msg, struct frame *frame)
{
	bool clean = true;

	frame->fd_count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len < CMSG_LEN(0)) {
			clean = false;
			continue;
		}
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (frame->fd_count < CHANNEL_FDS_MAX) {
				frame->fds[frame->fd_count++] = fd;
			} else {
				(void)close(fd); /* more than may ever come */
				clean = false;
			}
		}
	}
	return clean;
}

/* A zero-length message and a hang-up look alike to recvmsg; only the latter leaves POLLHUP behind.
 */
static int judge_empty(int fd, const char **why)
{
	struct pollfd poll_fd = {.fd = fd};
	struct timespec now = {0};

	if (ppoll(&poll_fd, 1, &now, NULL) == 1 && (poll_fd.revents & (POLLHUP | POLLERR)))
		return -ERR_CLOSED;
	*why = "empty message";
	return -ERR_PEER;
}

static const char *frame_fault(const struct frame *frame, const struct msghdr *msg,
			       size_t got_bytes, bool clean)
{
	if (msg->msg_flags & MSG_CTRUNC)
		return "descriptors cut off";
	if (msg->msg_flags & MSG_TRUNC)
		return "oversize message";
	if (!clean)
		return "foreign control data";
	if (got_bytes < sizeof(frame->header))
		return "short header";
	if (frame->header.body_bytes != got_bytes - sizeof(frame->header))
		return "body length differs from header";
	if (frame->header.body_bytes > CHANNEL_BODY_MAX)
		return "oversize message";
	if (frame->header.fd_count != frame->fd_count)
		return "descriptor count differs from header";
	return NULL;
}

/* Return: 0; -ERR_AGAIN; -ERR_CLOSED; -ERR_PEER with *why (all descriptors closed); -ERR_SYSTEM. */
static int receive_frame(int fd, struct frame *frame, const char **why)
{
	alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
	struct iovec iov[2] = {{.iov_base = &frame->header, .iov_len = sizeof(frame->header)},
			       {.iov_base = frame->body, .iov_len = sizeof(frame->body)}};
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = 2,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t got_bytes;
	const char *fault;
	bool clean;

	do {
		got_bytes = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got_bytes < 0 && errno == EINTR);
	if (got_bytes < 0) {
		if (errno == EAGAIN)
			return -ERR_AGAIN;
		return errno == ECONNRESET ? -ERR_CLOSED : -ERR_SYSTEM;
	}
	clean = collect_fds(&msg, frame);
	if (got_bytes == 0) {
		close_all(frame->fds, frame->fd_count);
		return judge_empty(fd, why);
	}
	fault = frame_fault(frame, &msg, (size_t)got_bytes, clean);
	if (!fault)
		return 0;
	close_all(frame->fds, frame->fd_count);
	*why = fault;
	return -ERR_PEER;
}

static const char *rule_fault(const struct channel_rule *rule, const struct frame *frame,
			      unsigned state)
{
	if (!rule)
		return "unknown type";
	if (frame->header.body_bytes < rule->body_min || frame->header.body_bytes > rule->body_max)
		return "wrong size";
	if (frame->fd_count < rule->fds_min || frame->fd_count > rule->fds_max)
		return "wrong number of descriptors";
	if (state > 31 || !(rule->states & (1U << state)))
		return "not allowed in this state";
	return NULL;
}

static int dispatch(struct channel *ch, struct frame *frame, const char **why)
{
	const struct channel_rule *rule = NULL;
	struct channel_message message;
	const char *fault;
	int err;

	for (size_t i = 0; i < ch->rule_count && !rule; i++) {
		if (ch->rules[i].type == frame->header.type)
			rule = &ch->rules[i];
	}
	fault = rule_fault(rule, frame, ch->state);
	if (fault) {
		close_all(frame->fds, frame->fd_count);
		*why = fault;
		return -ERR_PEER;
	}
	message = (struct channel_message){
		.type = frame->header.type,
		.fd_count = (uint16_t)frame->fd_count,
		.body_bytes = frame->header.body_bytes,
		.body = frame->body,
		.fds = frame->fds,
	};
	err = rule->handle(ch, ch->ctx, &message);
	close_all(frame->fds, frame->fd_count); /* what the handler did not keep */
	if (err == -ERR_PEER && !*why)
		*why = rule->name;
	return err;
}

int channel_serve(struct channel *ch, int most, const char **why)
{
	__attribute__((uninitialized)) struct frame
		frame; /* 8 KiB, filled by the kernel: not worth clearing */
	const char *ignored;
	int handled = 0;

	why = why ? why : &ignored;
	*why = NULL;
	while (handled < most && ch->fd >= 0) {
		int err = receive_frame(ch->fd, &frame, why);

		if (err == -ERR_AGAIN)
			break;
		if (err == 0)
			err = dispatch(ch, &frame, why);
		if (err < 0)
			return err;
		handled++;
	}
	return handled;
}

void channel_wipe(const struct channel_message *message)
{
	/* Const to handlers, but the frame behind it is ours. */
	explicit_bzero((void *)(uintptr_t)message->body, message->body_bytes);
}

int channel_receive(struct channel *ch, uint16_t type, void *body, size_t body_bytes, int *fds,
		    size_t fd_capacity, size_t *fd_count, int wait_ms)
{
	__attribute__((uninitialized)) struct frame frame;
	const char *why = NULL;
	int err = receive_frame(ch->fd, &frame, &why);

	*fd_count = 0;
	if (err == -ERR_AGAIN) {
		err = wait_for(ch->fd, POLLIN, wait_ms);
		if (err < 0)
			return err;
		err = receive_frame(ch->fd, &frame, &why);
	}
	if (err < 0)
		return err == -ERR_AGAIN ? -ERR_TIMEOUT : err;
	if (frame.header.type != type || frame.header.body_bytes != body_bytes ||
	    frame.fd_count > fd_capacity) {
		close_all(frame.fds, frame.fd_count);
		return -ERR_PEER;
	}
	if (body_bytes)
		memcpy(body, frame.body, body_bytes);
	if (frame.fd_count)
		memcpy(fds, frame.fds, frame.fd_count * sizeof(int));
	*fd_count = frame.fd_count;
	return 0;
}

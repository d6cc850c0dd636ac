/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5424 over UDP (RFC 5426), with what UDP can tell about a server that is away. */
#include "audit/sender_private.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "policy/snapshot.h"

static int send_datagram(struct sender *s, struct span line)
{
	if (send(s->watch.fd, line.data, line.size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)
		return -ERR_AGAIN;
	return -ERR_CLOSED;
}

static void refused(struct sender *s, int error)
{
	sender_pause(s, sender_place_in_doubt(s), error);
}

static void try_one(struct sender *s)
{
	int sent = sender_some(s, 1);

	if (sent == 1) {
		s->state = SENDER_TRYING;
		loop_arm(s->loop, &s->timer, SENDER_QUIET_MS);
	} else if (sent == -ERR_AGAIN && !loop_armed(&s->timer)) {
		loop_arm(s->loop, &s->timer, s->retry_ms);
	}
}

/*
 * Quiet is believed where an error has come this way before. Where none ever has, the first record
 * may be lost without one, refused behind our back before the server was there: it goes once more.
 */
static void retry(struct sender *s)
{
	if (s->state != SENDER_TRYING) {
		try_one(s);
		return;
	}
	if (!s->away)
		sender_repeat(s);
	sender_flow(s); /* it was quiet long enough */
}

static uint64_t reached(const struct sender *s)
{
	return s->cursor.sequence;
}

/* ---- what comes back */

/* The number of the record in a datagram that was refused; 0 where the quotation is too short to
 * tell. */
static uint64_t quoted_sequence(const char *quoted)
{
	const char *at = strstr(quoted, "[" LOG_CHAIN_ELEMENT " seq=\"");
	char *end;
	uint64_t number;

	if (at == NULL)
		return 0;
	number = strtoull(at + sizeof("[" LOG_CHAIN_ELEMENT " seq=\"") - 1, &end, 10);
	return *end == '"' ? number : 0;
}

static int queued_error(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		struct sock_extended_err e;

		if ((c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		if (c->cmsg_len < CMSG_LEN(sizeof(e)))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return (int)e.ee_errno;
	}
	return 0;
}

/* Take one queued error. Return: 1 with the record it is about, 0 none waits. */
static int take_error(struct sender *s, uint64_t *sequence, int *error)
{
	char quoted[1024];
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct iovec iov = {quoted, sizeof(quoted) - 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(s->watch.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (got < 0)
		return 0;
	quoted[got] = '\0';
	*error = queued_error(&message);
	*sequence = quoted_sequence(quoted);
	/* None, or one so old that only whoever forged the error would name it. */
	if (*sequence < sender_place_in_doubt(s))
		*sequence = sender_place_in_doubt(s);
	return 1;
}

/* A server does not talk back; what comes is read and forgotten, a few at a time, so that others
 * are served too. */
static void drain_replies(const struct sender *s)
{
	char ignored[64];

	for (unsigned i = 0; i < SENDER_BURST; i++) {
		if (recv(s->watch.fd, ignored, sizeof(ignored), MSG_DONTWAIT) < 0)
			return;
	}
}

static void ready(struct sender *s, short revents)
{
	uint64_t earliest = UINT64_MAX, sequence;
	int error = 0, one;

	while (take_error(s, &sequence, &one)) {
		if (one == EMSGSIZE || one == 0)
			continue; /* a smaller path: the kernel fragments from now on */
		error = one;
		earliest = sequence < earliest ? sequence : earliest;
	}
	drain_replies(s);
	if (error == 0)
		return;
	if (s->state == SENDER_FLOWING && sender_place_in_doubt(s) < earliest)
		earliest = sender_place_in_doubt(s);
	sender_pause(s, earliest, error);
}

/*
 * Datagrams wait in the socket while the kernel asks for the neighbour; the error that follows
 * comes over the loopback device, which a zone need not have. A neighbour that went silent was sent
 * to for some seconds before it was asked for again: those records are sent once more, too.
 */
static void look(struct sender *s)
{
	int waiting_bytes = 0;

	if (ioctl(s->watch.fd, TIOCOUTQ, &waiting_bytes) < 0 || waiting_bytes == 0) {
		s->stuck_looks = 0;
		return;
	}
	if (++s->stuck_looks < SENDER_STUCK_LOOKS || s->state == SENDER_PAUSED)
		return;
	s->stuck_looks = 0;
	sender_pause(s, sender_place_in_doubt(s), EHOSTUNREACH);
}

const struct sender_way sender_udp = {
	.transport = SNAPSHOT_TRANSPORT_UDP,
	.pace = SENDER_UDP_PACE,
	.send = send_datagram,
	.refused = refused,
	.retry = retry,
	.ready = ready,
	.look = look,
	.reached = reached,
};

/* Errors with the datagram that they are about; of no use on a socket that is not IP (tests): then
 * without. */
static void ask_for_errors(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

int sender_open(struct sender *s, struct loop *loop, const struct store *store,
		struct sender_report report, const char *name, int fd, bool known)
{
	int err;

	sender_init(s, &sender_udp, loop, store, report, name);
	ask_for_errors(fd);
	err = sender_watch(s, fd);
	if (err < 0)
		return err;
	s->state = known ? SENDER_FLOWING : SENDER_PAUSED;
	sender_begin(s, known ? 1 : SENDER_RETRY_MS);
	return 0;
}

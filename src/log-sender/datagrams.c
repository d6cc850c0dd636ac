/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5424 over UDP (RFC 5426), with what UDP can tell about a server that is away. */
#include "log-sender/transport.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/err.h"

static void frame(struct transport *t, struct span line)
{
	memcpy(t->frame, line.data, line.size); /* at most LOG_CHAIN_LINE_MAX */
	t->frame_size = line.size;
	t->frame_at = 0;
}

static int write_datagram(struct transport *t)
{
	if (send(t->watch.fd, t->frame, t->frame_size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		t->now.run = t->frame_record.run;
		t->now.reached = t->frame_record.sequence + 1;
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)
		return -ERR_AGAIN;
	return -ERR_CLOSED;
}

/* Audit goes back: what it has handed over meanwhile goes nowhere. @sequence: 0: nobody knows. */
static void refuse(struct transport *t, int error, uint64_t sequence)
{
	t->refused_run = t->frame_record.run;
	if (t->refusal.error == 0 || sequence < t->refusal.sequence)
		t->refusal.sequence = sequence;
	t->refusal.error = error;
	if (t->frame_size > 0)
		transport_drop_frame(t);
}

static void refused(struct transport *t, int error)
{
	refuse(t, error, 0);
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
static int take_error(const struct transport *t, uint64_t *sequence, int *error)
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
	ssize_t got = recvmsg(t->watch.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (got < 0)
		return 0;
	quoted[got] = '\0';
	*error = queued_error(&message);
	*sequence = quoted_sequence(quoted);
	return 1;
}

/* A server does not talk back; what comes is read and forgotten, a few at a time, so that others
 * are served too. */
static void drain_replies(const struct transport *t)
{
	char ignored[64];

	for (unsigned i = 0; i < TRANSPORT_BURST; i++) {
		if (recv(t->watch.fd, ignored, sizeof(ignored), MSG_DONTWAIT) < 0)
			return;
	}
}

static void ready(struct transport *t, short revents)
{
	uint64_t sequence;
	int error;

	for (unsigned i = 0; i < TRANSPORT_BURST && take_error(t, &sequence, &error); i++) {
		/* EMSGSIZE: a smaller path: the kernel fragments from now on. */
		if (error != EMSGSIZE && error != 0)
			refuse(t, error, sequence);
	}
	drain_replies(t);
}

/*
 * Datagrams wait in the socket while the kernel asks for the neighbour; the error that follows
 * comes over the loopback device, which a zone need not have.
 */
static void look(struct transport *t)
{
	int waiting_bytes = 0;

	if (ioctl(t->watch.fd, TIOCOUTQ, &waiting_bytes) < 0 || waiting_bytes == 0)
		t->stuck_looks = 0;
	else
		t->stuck_looks++;
	t->now.stuck = t->stuck_looks > 0;
	/* What has been refused already need not be refused again: audit waits. */
	if (t->stuck_looks < TRANSPORT_STUCK_LOOKS || t->frame_record.run <= t->refused_run)
		return;
	refuse(t, EHOSTUNREACH, 0);
	t->stuck_looks = 0;
}

static short events(const struct transport *t, bool pending)
{
	(void)t; /* the same for all */
	return (short)(POLLIN | (pending ? POLLOUT : 0));
}

/* Errors with the datagram that they are about; of no use on a socket that is not IP (tests): then
 * without. */
static enum tls_fault begin(struct transport *t)
{
	int on = 1;

	(void)setsockopt(t->watch.fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	(void)setsockopt(t->watch.fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	return TLS_FAULT_NONE;
}

const struct transport_way transport_datagrams = {
	.begin = begin,
	.frame = frame,
	.write = write_datagram,
	.refused = refused,
	.ready = ready,
	.look = look,
	.events = events,
};

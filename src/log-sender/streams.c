/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams: RFC 5424 with octet counting over TCP (RFC 6587 section 3.4.1) and over TLS (RFC 5425
 * section 4.3, the same frames). What the peer's host has acknowledged of the octets is looked up;
 * audit counts a record as arrived some seconds after the last octet of it was.
 */
#include "log-sender/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/err.h"

/* ---- what is in flight */

/* The socket has been given all of the frame. Without room only the newest mark moves: what it
 * stands for is then acknowledged a little later. */
static void mark_end(struct transport *t)
{
	struct transport_stream *s = &t->stream;

	if (s->mark_count == TRANSPORT_MARKS)
		s->mark_count--;
	s->marks[s->mark_count++] =
		(struct transport_mark){stream_sent_bytes(&s->link), t->frame_record.sequence + 1};
}

static void settle_marks(struct transport *t)
{
	struct transport_stream *s = &t->stream;
	size_t done = 0;

	while (done < s->mark_count && s->marks[done].end_bytes <= s->acknowledged_bytes)
		t->now.reached = s->marks[done++].sequence;
	memmove(s->marks, s->marks + done, (s->mark_count - done) * sizeof(s->marks[0]));
	s->mark_count -= done;
}

/* What was begun is ended in order, as far as the socket takes it now. */
static void leave(struct transport *t)
{
	stream_end(&t->stream.link);
	stream_fini(&t->stream.link);
}

static void give_up(struct transport *t, int error)
{
	transport_give_up(t, error, transport_blame(t));
}

/* ---- sending */

static void frame(struct transport *t, struct span line)
{
	t->frame_size = (size_t)snprintf((char *)t->frame, sizeof(t->frame), "%zu ", line.size);
	memcpy(t->frame + t->frame_size, line.data, line.size); /* room for LOG_CHAIN_LINE_MAX */
	t->frame_size += line.size;
	t->frame_at = 0;
}

static int write_octets(struct transport *t)
{
	while (t->frame_at < t->frame_size) {
		ssize_t n = stream_write(&t->stream.link, t->frame + t->frame_at,
					 t->frame_size - t->frame_at);

		if (n == -ERR_CLOSED && t->stream.secure)
			errno = ECONNRESET; /* what TLS has to say is told by itself */
		if (n < 0)
			return (int)n;
		t->frame_at += (size_t)n;
	}
	t->now.run = t->frame_record.run;
	mark_end(t);
	return 0;
}

static short events(const struct transport *t, bool pending)
{
	if (t->phase == TRANSPORT_CONNECTING)
		return POLLOUT;
	return stream_events(&t->stream.link, true, pending);
}

/* ---- the connection */

static void join(struct transport *t)
{
	struct log_sender_joined body = {0};
	const struct tls *tls = t->stream.link.tls;

	if (tls != NULL) {
		(void)snprintf(body.version, sizeof(body.version), "%s", tls_version(tls));
		(void)snprintf(body.suite, sizeof(body.suite), "%s", tls_suite(tls));
	}
	if (channel_send(&t->link, LOG_SENDER_JOINED, &body, sizeof(body), NULL, 0) < 0)
		give_up(t, ECONNABORTED); /* cannot be: the first message of this link */
	else
		transport_join(t);
}

static void shake(struct transport *t)
{
	int err = stream_handshake(&t->stream.link);

	t->phase = TRANSPORT_SHAKING;
	if (err == 0) {
		t->phase = TRANSPORT_SETTLING;
		loop_arm(t->loop, &t->timer, TRANSPORT_SETTLE_MS);
	} else if (err != -ERR_AGAIN) {
		give_up(t, EPROTO);
	}
}

static void on_timer(struct loop *loop, struct loop_timer *timer)
{
	struct transport *t = timer->ctx;

	if (t->phase == TRANSPORT_SETTLING)
		join(t);
	else
		give_up(t, ETIMEDOUT);
	transport_settle(t);
}

/* The error that ended the connection, or that it could not be made for. */
static int socket_error(const struct transport *t, int otherwise)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(t->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error == 0)
		return otherwise;
	return error;
}

/* A server does not talk back: what comes is forgotten. Return: false at the end of the stream. */
static bool drain_replies(struct transport *t)
{
	char ignored[256];

	for (unsigned i = 0; i < TRANSPORT_BURST; i++) {
		ssize_t n = stream_read(&t->stream.link, ignored, sizeof(ignored));

		if (n <= 0)
			return n == -ERR_AGAIN;
	}
	return true;
}

static void ready(struct transport *t, short revents)
{
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		give_up(t, socket_error(t, ECONNRESET));
	else if (t->phase == TRANSPORT_CONNECTING && !t->stream.secure)
		join(t); /* in plain text that is all; under TLS both sides have to agree first */
	else if (t->phase == TRANSPORT_CONNECTING || t->phase == TRANSPORT_SHAKING)
		shake(t);
	else if ((revents & POLLIN) != 0 && !drain_replies(t))
		give_up(t, ECONNRESET);
}

/* How much of the stream the peer's host has acknowledged, and whether it still does. */
static void look(struct transport *t)
{
	struct transport_stream *s = &t->stream;
	int waiting_bytes = 0;
	uint64_t acknowledged;

	if (ioctl(t->watch.fd, TIOCOUTQ, &waiting_bytes) < 0)
		return;
	acknowledged = stream_sent_bytes(&s->link) - (uint64_t)waiting_bytes;
	if (waiting_bytes == 0 || acknowledged > s->acknowledged_bytes)
		t->stuck_looks = 0;
	else if (++t->stuck_looks >= TRANSPORT_STALL_LOOKS)
		give_up(t, ETIMEDOUT);
	if (t->phase != TRANSPORT_JOINED)
		return;
	t->now.stuck = t->stuck_looks > 0;
	s->acknowledged_bytes = acknowledged;
	settle_marks(t);
}

static enum tls_fault begin(struct transport *t)
{
	stream_init(&t->stream.link, t->watch.fd);
	t->timer = (struct loop_timer){.fire = on_timer, .ctx = t};
	loop_arm(t->loop, &t->timer, TRANSPORT_CONNECT_MS);
	return t->stream.secure ? transport_prepare_tls(t) : TLS_FAULT_NONE;
}

const struct transport_way transport_streams = {
	.begin = begin,
	.frame = frame,
	.write = write_octets,
	.refused = give_up,
	.ready = ready,
	.look = look,
	.events = events,
	.leave = leave,
};

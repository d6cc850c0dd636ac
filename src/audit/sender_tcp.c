/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams: RFC 5424 with octet counting over TCP (RFC 6587 section 3.4.1) and over TLS (RFC 5425
 * section 4.3, the same frames). A record counts as arrived some seconds after the peer's host has
 * acknowledged the last octet of it.
 */
#include "audit/sender_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/snapshot.h"

/* ---- what is in flight */

static void stream_reset(struct sender *s)
{
	struct sender_stream *t = &s->stream;

	t->frame_size = t->frame_at = 0;
	t->acknowledged_bytes = 0;
	t->mark_count = 0;
	t->acknowledged = s->cursor.sequence;
}

/* The socket has been given all of the frame. Without room only the newest mark moves: what it
 * stands for is then acknowledged a little later. */
static void mark_end(struct sender *s)
{
	struct sender_stream *t = &s->stream;

	if (t->mark_count == SENDER_MARKS)
		t->mark_count--;
	t->marks[t->mark_count++] =
		(struct sender_mark){stream_sent_bytes(&t->link), t->frame_sequence + 1};
}

static void settle_marks(struct sender *s)
{
	struct sender_stream *t = &s->stream;
	size_t done = 0;

	while (done < t->mark_count && t->marks[done].end_bytes <= t->acknowledged_bytes)
		t->acknowledged = t->marks[done++].sequence;
	memmove(t->marks, t->marks + done, (t->mark_count - done) * sizeof(t->marks[0]));
	t->mark_count -= done;
}

static uint64_t reached(const struct sender *s)
{
	return s->stream.acknowledged;
}

static bool is_secure(const struct sender *s)
{
	return s->way == &sender_tls;
}

/* What was begun is ended in order, as far as the socket takes it now. */
static void leave(struct sender *s)
{
	stream_end(&s->stream.link);
	stream_fini(&s->stream.link);
}

/* The connection is of no use any more. */
static void give_up(struct sender *s, int error)
{
	uint64_t from = sender_place_in_doubt(s);

	if (is_secure(s))
		sender_tls_blame(s);
	sender_unwatch(s);
	sender_pause(s, from < s->stream.acknowledged ? from : s->stream.acknowledged, error);
	stream_reset(s);
}

/* ---- sending */

/* Return: 0 all of the frame is written; -ERR_AGAIN; -ERR_CLOSED with errno. */
static int write_frame(struct sender *s)
{
	struct sender_stream *t = &s->stream;

	while (t->frame_at < t->frame_size) {
		ssize_t n =
			stream_write(&t->link, t->frame + t->frame_at, t->frame_size - t->frame_at);

		if (n == -ERR_CLOSED && is_secure(s))
			errno = ECONNRESET; /* what TLS has to say is told by itself */
		if (n < 0)
			return (int)n;
		t->frame_at += (size_t)n;
		if (t->frame_at == t->frame_size)
			mark_end(s);
	}
	return 0;
}

static void want_room(struct sender *s)
{
	bool pending = s->stream.frame_at < s->stream.frame_size;

	s->watch.events = stream_events(&s->stream.link, true, pending);
}

/* A record is taken as soon as its frame is begun: the rest follows before anything else. */
static int send_frame(struct sender *s, struct span line)
{
	struct sender_stream *t = &s->stream;
	int err = write_frame(s);

	if (err < 0)
		return err;
	t->frame_size = (size_t)snprintf((char *)t->frame, sizeof(t->frame), "%zu ", line.size);
	memcpy(t->frame + t->frame_size, line.data, line.size); /* room for STORE_LINE_MAX */
	t->frame_size += line.size;
	t->frame_at = 0;
	t->frame_sequence = s->cursor.sequence;
	err = write_frame(s);
	want_room(s);
	return err == -ERR_AGAIN ? 0 : err;
}

/* ---- the connection */

static void flow(struct sender *s)
{
	s->watch.events = POLLIN;
	s->stuck_looks = 0;
	s->stream.failure = NULL;
	loop_disarm(s->loop, &s->timer);
	stream_reset(s);
	sender_flow(s);
}

static void retry(struct sender *s)
{
	struct sender_stream *t = &s->stream;

	if (s->state != SENDER_TRYING) {
		s->state = SENDER_TRYING;
		t->phase = SENDER_CONNECTING;
		loop_arm(s->loop, &s->timer, SENDER_CONNECT_MS);
		s->report.connect(s->report.ctx, s->name);
	} else if (t->phase == SENDER_SETTLING) {
		sender_tls_settled(s);
		flow(s);
	} else {
		give_up(s, ETIMEDOUT);
	}
}

/* A connection that was waited for has come, or not. */
static void take_connection(struct sender *s, const struct sender_connection *connection)
{
	if (connection->fd < 0) {
		if (connection->error == ENOKEY)
			sender_tls_unverifiable(s);
		give_up(s, connection->error);
		return;
	}
	if (sender_watch(s, connection->fd) < 0) {
		give_up(s, ENOBUFS);
		return;
	}
	stream_init(&s->stream.link, connection->fd);
	s->watch.events = POLLOUT;
	if (is_secure(s) && !sender_tls_prepare(s, connection))
		give_up(s, EPROTO);
}

static void close_keys(const struct sender_connection *connection)
{
	if (connection->authority_fd >= 0)
		(void)close(connection->authority_fd); /* was only read */
	if (connection->identity_fd >= 0)
		(void)close(connection->identity_fd); /* was only read */
}

void sender_refuse(const struct sender_connection *connection)
{
	if (connection->fd >= 0)
		(void)close(connection->fd); /* never used */
	close_keys(connection);
}

void sender_connected(struct sender *s, const struct sender_connection *connection)
{
	if (s->way == &sender_udp || s->state != SENDER_TRYING || s->watch.fd >= 0) {
		sender_refuse(connection);
		return;
	}
	take_connection(s, connection);
	close_keys(connection);
}

/* The connection stands: in plain text that is all, under TLS both sides have to agree first. */
static void join(struct sender *s)
{
	struct sender_stream *t = &s->stream;
	int err;

	if (!is_secure(s)) {
		flow(s);
		return;
	}
	t->phase = SENDER_SHAKING;
	err = stream_handshake(&t->link);
	s->watch.events = stream_events(&t->link, true, false);
	if (err == 0) {
		t->phase = SENDER_SETTLING;
		loop_arm(s->loop, &s->timer, SENDER_SETTLE_MS);
	} else if (err != -ERR_AGAIN) {
		give_up(s, EPROTO);
	}
}

/* The error that ended the connection, or that it could not be made for. */
static int socket_error(const struct sender *s, int otherwise)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error == 0)
		return otherwise;
	return error;
}

/* A server does not talk back: what comes is forgotten. Return: false at the end of the stream. */
static bool drain_replies(struct sender *s)
{
	char ignored[256];

	for (unsigned i = 0; i < SENDER_BURST; i++) {
		ssize_t n = stream_read(&s->stream.link, ignored, sizeof(ignored));

		if (n <= 0)
			return n == -ERR_AGAIN;
	}
	return true;
}

static void ready(struct sender *s, short revents)
{
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
		give_up(s, socket_error(s, ECONNRESET));
		return;
	}
	if (s->state == SENDER_TRYING && s->stream.phase != SENDER_SETTLING) {
		join(s);
		return;
	}
	if ((revents & POLLIN) != 0 && !drain_replies(s)) {
		give_up(s, ECONNRESET);
		return;
	}
	if (write_frame(s) == -ERR_CLOSED)
		give_up(s, errno);
	else
		want_room(s);
}

/* How much of the stream the peer's host has acknowledged, and whether it still does. */
static void look(struct sender *s)
{
	struct sender_stream *t = &s->stream;
	int waiting_bytes = 0;
	uint64_t acknowledged;

	if (s->state != SENDER_FLOWING || ioctl(s->watch.fd, TIOCOUTQ, &waiting_bytes) < 0)
		return;
	acknowledged = stream_sent_bytes(&t->link) - (uint64_t)waiting_bytes;
	if (waiting_bytes == 0 || acknowledged > t->acknowledged_bytes)
		s->stuck_looks = 0;
	else if (++s->stuck_looks >= SENDER_STALL_LOOKS)
		give_up(s, ETIMEDOUT);
	if (s->state != SENDER_FLOWING)
		return;
	t->acknowledged_bytes = acknowledged;
	settle_marks(s);
}

const struct sender_way sender_tcp = {
	.transport = SNAPSHOT_TRANSPORT_TCP,
	.send = send_frame,
	.refused = give_up,
	.retry = retry,
	.ready = ready,
	.look = look,
	.reached = reached,
	.leave = leave,
};

const struct sender_way sender_tls = {
	.transport = SNAPSHOT_TRANSPORT_TLS,
	.send = send_frame,
	.refused = give_up,
	.retry = retry,
	.ready = ready,
	.look = look,
	.reached = reached,
	.leave = leave,
};

void sender_open_stream(struct sender *s, struct loop *loop, const struct store *store,
			struct sender_report report, const char *name, const char *peer)
{
	sender_init(s, peer != NULL ? &sender_tls : &sender_tcp, loop, store, report, name);
	(void)snprintf(s->stream.peer, sizeof(s->stream.peer), "%s", peer != NULL ? peer : "");
	s->state = SENDER_PAUSED;
	sender_begin(s, 1);
	stream_reset(s);
}

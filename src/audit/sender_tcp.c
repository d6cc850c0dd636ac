/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 5424 over TCP with octet counting (RFC 6587 section 3.4.1). A record counts as arrived some
 * seconds after the peer's host has acknowledged its last byte.
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
	t->written_bytes = t->acknowledged_bytes = 0;
	t->mark_count = 0;
	t->acknowledged = s->cursor.sequence;
}

/* The frame that was begun last ends the record before the cursor's next. Without room only the
 * newest mark moves: what it stands for is then acknowledged a little later. */
static void mark_end(struct sender *s, uint64_t sequence)
{
	struct sender_stream *t = &s->stream;
	uint64_t end = t->written_bytes + (t->frame_size - t->frame_at);

	if (t->mark_count == SENDER_MARKS)
		t->mark_count--;
	t->marks[t->mark_count++] = (struct sender_mark){end, sequence};
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

/* The connection is of no use any more. */
static void give_up(struct sender *s, int error)
{
	uint64_t from = sender_place_in_doubt(s);

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
		ssize_t n = send(s->watch.fd, t->frame + t->frame_at, t->frame_size - t->frame_at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? -ERR_AGAIN
										      : -ERR_CLOSED;
		t->frame_at += (size_t)n;
		t->written_bytes += (uint64_t)n;
	}
	return 0;
}

static void want_room(struct sender *s)
{
	bool pending = s->stream.frame_at < s->stream.frame_size;

	s->watch.events = (short)(POLLIN | (pending ? POLLOUT : 0));
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
	mark_end(s, s->cursor.sequence + 1);
	err = write_frame(s);
	want_room(s);
	return err == -ERR_AGAIN ? 0 : err;
}

/* ---- the connection */

static void retry(struct sender *s)
{
	if (s->state == SENDER_TRYING) {
		give_up(s, ETIMEDOUT);
		return;
	}
	s->state = SENDER_TRYING;
	loop_arm(s->loop, &s->timer, SENDER_CONNECT_MS);
	s->report.connect(s->report.ctx, s->name);
}

void sender_connected(struct sender *s, int fd, int error)
{
	if (s->way != &sender_tcp || s->state != SENDER_TRYING || s->watch.fd >= 0) {
		if (fd >= 0)
			(void)close(fd); /* nobody waits for it any more */
		return;
	}
	if (fd < 0 || sender_watch(s, fd) < 0) {
		give_up(s, fd < 0 ? error : ENOBUFS);
		return;
	}
	s->watch.events = POLLOUT;
}

static void flow(struct sender *s)
{
	s->watch.events = POLLIN;
	s->stuck_looks = 0;
	loop_disarm(s->loop, &s->timer);
	stream_reset(s);
	sender_flow(s);
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
static bool drain_replies(const struct sender *s)
{
	char ignored[256];

	for (unsigned i = 0; i < SENDER_BURST; i++) {
		ssize_t n = recv(s->watch.fd, ignored, sizeof(ignored), MSG_DONTWAIT);

		if (n == 0)
			return false;
		if (n < 0)
			return true;
	}
	return true;
}

static void ready(struct sender *s, short revents)
{
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
		give_up(s, socket_error(s, ECONNRESET));
		return;
	}
	if (s->state == SENDER_TRYING) {
		flow(s);
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
	acknowledged = t->written_bytes - (uint64_t)waiting_bytes;
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
};

void sender_open_stream(struct sender *s, struct loop *loop, const struct store *store,
			struct sender_report report, const char *name)
{
	sender_init(s, &sender_tcp, loop, store, report, name);
	s->state = SENDER_PAUSED;
	sender_begin(s, 1);
	stream_reset(s);
}

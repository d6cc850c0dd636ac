/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to a next hop: opening, commands out, replies in, deadlines. */
#include "mail-sender/sender.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "wire/smtp/command.h"

#define CONTROL_WAIT_MS 10000 /* for the supervisor to open a socket */

/* How long a state may last; 0: for ever (nobody waits for the next hop). */
static const uint32_t deadlines_ms[HOP_STATE_COUNT_] = {
	[HOP_ASKED] = CONTROL_WAIT_MS,    [HOP_CONNECTING] = HOP_CONNECT_MS,
	[HOP_GREETING] = HOP_GREETING_MS, [HOP_EHLO] = HOP_GREETING_MS,
	[HOP_STARTTLS] = HOP_COMMAND_MS,  [HOP_HANDSHAKE] = HOP_GREETING_MS,
	[HOP_HELO] = HOP_GREETING_MS,     [HOP_MAIL] = HOP_COMMAND_MS,
	[HOP_RCPT] = HOP_RECIPIENT_MS,    [HOP_STRAY] = HOP_RECIPIENT_MS,
	[HOP_DATA] = HOP_COMMAND_MS,      [HOP_BODY] = HOP_BLOCK_MS,
	[HOP_DOT] = HOP_DOT_MS,           [HOP_RSET] = HOP_GREETING_MS,
	[HOP_QUIT] = HOP_QUIT_MS,
};

static void deadline_fire(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	hop_lose(timer->ctx, "no answer in time");
}

void hop_set_state(struct sender *s, enum hop_state state)
{
	struct hop *hop = &s->hop;

	hop->state = state;
	hop->deadline.fire = deadline_fire;
	hop->deadline.ctx = s;
	if (deadlines_ms[state] > 0)
		loop_arm(s->loop, &hop->deadline, deadlines_ms[state]);
	else
		loop_disarm(s->loop, &hop->deadline);
}

void hop_close(struct sender *s)
{
	struct hop *hop = &s->hop;

	loop_remove(s->loop, &hop->fd);
	stream_fini(&hop->stream);
	if (hop->fd.fd >= 0)
		(void)close(hop->fd.fd); /* what was not sent is meant to be lost */
	hop->fd.fd = -1;
	hop->in_bytes = 0;
	hop->out_at = 0;
	hop->used = false;
	hop->open = false;
	hop->paired = false;
	bytes_clear(&hop->out);
	hop_set_state(s, HOP_NONE);
}

void hop_lose(struct sender *s, const char *why)
{
	struct hop_loss loss = {s->hop.state, s->hop.used, s->hop.open, why};

	hop_close(s);
	dialogue_on_loss(s, &loss);
}

void hop_open(struct sender *s, uint32_t target)
{
	struct control_connect body = {.target = target};

	s->hop.target = target;
	hop_set_state(s, HOP_ASKED);
	if (s->hop.connect_count++ >= HOP_CONNECTS_MAX)
		hop_lose(s, "too many connections in one session");
	else if (channel_send(s->control, CONTROL_CONNECT, &body, sizeof(body), NULL, 0) < 0)
		hop_lose(s, "the supervisor cannot be asked");
}

/* ---- out ---- */

void hop_watch(struct sender *s)
{
	struct hop *hop = &s->hop;
	bool writing = hop->state == HOP_CONNECTING || hop->out_at < hop->out.size ||
		       hop->state == HOP_BODY;

	hop->fd.events = stream_events(&hop->stream, true, writing);
}

/*
 * Bring more of the message to the buffer. Only when all of it has been written, the final dot
 * included, the next hop has the last word. Return: whether there is more to write.
 */
static bool refill(struct sender *s)
{
	int got = 0;

	if (s->hop.state != HOP_BODY)
		return false;
	bytes_clear(&s->hop.out);
	s->hop.out_at = 0;
	got = flat_wire_next(&s->wire, &s->hop.out, HOP_OUT_BYTES / 2);
	if (got < 0) {
		hop_lose(s, "out of memory");
		return false;
	}
	hop_set_state(s, s->hop.out.size > 0 ? HOP_BODY : HOP_DOT);
	return s->hop.out.size > 0;
}

static void flush(struct sender *s)
{
	struct hop *hop = &s->hop;

	do {
		while (hop->out_at < hop->out.size) {
			ssize_t n = stream_write(&hop->stream, hop->out.data + hop->out_at,
						 hop->out.size - hop->out_at);

			if (n == -ERR_AGAIN) {
				hop_watch(s);
				return;
			}
			if (n < 0) {
				hop_lose(s, "connection lost");
				return;
			}
			hop->out_at += (size_t)n;
		}
	} while (refill(s));
	if (hop->state != HOP_NONE)
		hop_watch(s);
}

void hop_prepare(struct sender *s, const char *command, struct span argument, const char *tail)
{
	struct bytes *out = &s->hop.out;

	if (s->hop.out_at == out->size) {
		bytes_clear(out);
		s->hop.out_at = 0;
	}
	(void)bytes_append_text(out, command); /* a failure stays in out->failed */
	(void)bytes_append(out, argument.data, argument.size);
	(void)bytes_append_text(out, tail);
	(void)bytes_append_text(out, "\r\n");
}

void hop_send(struct sender *s, enum hop_state state)
{
	hop_set_state(s, state);
	if (s->hop.out.failed)
		hop_lose(s, "out of memory");
	else
		flush(s);
}

void hop_command(struct sender *s, enum hop_state state, const char *command, struct span argument,
		 const char *tail)
{
	hop_prepare(s, command, argument, tail);
	hop_send(s, state);
}

void hop_send_message(struct sender *s)
{
	bytes_clear(&s->hop.out);
	s->hop.out_at = 0;
	hop_set_state(s, HOP_BODY);
	flush(s);
}

/* ---- in ---- */

/* Take the lines of one reply. Return: 1 complete, 0 more needed, or a negative error. */
static int take_reply(struct hop *hop)
{
	size_t at = 0;
	int got = 0;

	while (got == 0) {
		struct span line = {0};
		size_t taken = 0;
		int err = smtp_line_next((struct span){hop->in + at, hop->in_bytes - at},
					 SMTP_REPLY_LINE_MAX, &line, &taken);

		if (err == -ERR_TRUNCATED)
			break;
		if (err < 0)
			return err;
		got = smtp_reply_take(&hop->reply, line);
		at += taken;
	}
	memmove(hop->in, hop->in + at, hop->in_bytes - at);
	hop->in_bytes -= at;
	return got;
}

/* Whether more may stand behind a reply: of MAIL and RCPT together, while the message is written,
 * and, to be judged there, behind that to STARTTLS. */
static bool may_go_on(const struct hop *hop)
{
	return hop->paired || hop->state == HOP_BODY || hop->state == HOP_STARTTLS;
}

/* Deal with the replies that have come. */
static void take_replies(struct sender *s)
{
	struct hop *hop = &s->hop;
	int got = 0;

	while (hop->state > HOP_CONNECTING && (got = take_reply(hop)) == 1) {
		struct smtp_reply reply = hop->reply;

		smtp_reply_init(&hop->reply);
		if (hop->in_bytes > 0 && !may_go_on(hop)) {
			hop_lose(s, "more replies than commands");
			return;
		}
		dialogue_on_reply(s, &reply);
		if (hop->in_bytes == 0)
			return;
	}
	if (got < 0)
		hop_lose(s, "not a reply");
}

/* What has come: a reply that was asked for, one that was not (421 before a close), or the end.
 * Return: whether there may be more. */
static bool read_hop(struct sender *s)
{
	struct hop *hop = &s->hop;
	ssize_t n =
		stream_read(&hop->stream, hop->in + hop->in_bytes, HOP_IN_BYTES - hop->in_bytes);

	if (n == -ERR_AGAIN) {
		hop_watch(s);
		return false;
	}
	if (n <= 0) {
		hop_lose(s, "connection lost");
		return false;
	}
	hop->in_bytes += (size_t)n;
	take_replies(s);
	return hop->state > HOP_CONNECTING && stream_pending(&hop->stream) > 0;
}

static void finish_connect(struct sender *s)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(s->hop.fd.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
		hop_lose(s, "connection refused");
		return;
	}
	hop_set_state(s, HOP_GREETING);
	hop_watch(s);
}

static void hop_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;

	(void)loop;
	if (s->hop.state == HOP_CONNECTING) {
		finish_connect(s);
		return;
	}
	if (s->hop.state == HOP_HANDSHAKE) {
		secure_shake(s);
		return;
	}
	if ((revents & (POLLIN | POLLHUP | POLLERR)) || s->hop.stream.waits != 0) {
		while (read_hop(s)) /* TLS may hold what poll(2) does not tell of */
			;
		return; /* what is to be written is asked for again */
	}
	if (revents & POLLOUT)
		flush(s);
}

int hop_connected(struct sender *s, const struct control_connected *connected, int *fd)
{
	struct hop *hop = &s->hop;

	if (hop->state != HOP_ASKED || connected->target != hop->target)
		return 0; /* too late; the descriptor is closed by the channel */
	if (connected->error != 0 || fd == NULL) {
		hop_lose(s, "no socket");
		return 0;
	}
	hop->fd = (struct loop_fd){.fd = *fd, .ready = hop_ready, .ctx = s};
	*fd = -1;
	stream_init(&hop->stream, hop->fd.fd);
	smtp_reply_init(&hop->reply);
	hop_set_state(s, HOP_CONNECTING);
	hop_watch(s);
	return loop_add(s->loop, &hop->fd);
}

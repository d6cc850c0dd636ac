/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The link to audit, and what all transports have in common. */
#include "log-sender/transport.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define LAST_WORD_MS 1000 /* audit reads its links in turn; what it does not hear it sees */

/* ---- towards audit */

/* A full link: at the next look again. Whoever has gone is noticed by the link's watch. */
static void tell_refusal(struct transport *t)
{
	if (t->refusal.error != 0 && channel_send(&t->link, LOG_SENDER_REFUSED, &t->refusal,
						  sizeof(t->refusal), NULL, 0) == 0)
		t->refusal = (struct log_sender_refused){0};
}

static void tell_report(struct transport *t)
{
	if (memcmp(&t->now, &t->told, sizeof(t->now)) != 0 &&
	    channel_send(&t->link, LOG_SENDER_REPORT, &t->now, sizeof(t->now), NULL, 0) == 0)
		t->told = t->now;
}

void transport_give_up(struct transport *t, int error, uint32_t blame)
{
	const struct log_sender_refused body = {.error = error, .blame = blame};

	/* Audit that does not take it sees the link's end. */
	(void)channel_send_wait(&t->link, LOG_SENDER_REFUSED, &body, sizeof(body), NULL, 0,
				LAST_WORD_MS);
	transport_close(t);
	t->wish.ended(t->wish.ctx);
}

/* ---- records */

static bool has_frame(const struct transport *t)
{
	return t->frame_at < t->frame_size;
}

void transport_drop_frame(struct transport *t)
{
	t->frame_size = t->frame_at = 0;
	t->now.taken++;
}

/* What waits, as far as the socket takes it. */
static void write_frame(struct transport *t)
{
	int err = has_frame(t) ? t->way->write(t) : -ERR_AGAIN;

	if (err == -ERR_CLOSED)
		t->way->refused(t, errno);
	else if (err == 0)
		transport_drop_frame(t);
}

static int handle_record(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct transport *t = ctx;
	const struct log_sender_record *record = message->body;
	const uint8_t *line = (const uint8_t *)message->body + sizeof(*record);

	if (t->phase != TRANSPORT_JOINED || has_frame(t))
		return -ERR_PEER;
	if (record->run <= t->refused_run) {
		t->now.taken++;
		return 0;
	}
	t->frame_record = *record;
	t->way->frame(t, (struct span){line, message->body_bytes - sizeof(*record)});
	write_frame(t); /* what it cannot do now it does when the socket is ready */
	return 0;
}

static const struct channel_rule rules[] = {
	{LOG_SENDER_RECORD, 0, 0, sizeof(struct log_sender_record) + 1,
	 sizeof(struct log_sender_record) + LOG_CHAIN_LINE_MAX, CHANNEL_ANY_STATE, handle_record,
	 "record"},
};

_Static_assert(sizeof(struct log_sender_record) + LOG_CHAIN_LINE_MAX <= CHANNEL_BODY_MAX,
	       "a record fits into a message");

/* What has been handed over, one at a time, while the socket takes it. Return: 0 or an error. */
static int take_records(struct transport *t)
{
	int got = 1;

	for (unsigned i = 0; i < TRANSPORT_BURST && got > 0; i++) {
		if (t->phase == TRANSPORT_OVER || has_frame(t))
			return 0;
		got = channel_serve(&t->link, 1, NULL);
	}
	return got < 0 ? got : 0;
}

void transport_settle(struct transport *t)
{
	if (t->phase == TRANSPORT_OVER)
		return;
	tell_refusal(t);
	tell_report(t);
	t->link_watch.events = has_frame(t) ? 0 : POLLIN;
	t->watch.events = t->way->events(t, has_frame(t));
}

/* Audit has ended the connection: what it had handed over has been taken, as far as there is room.
 */
static void leave(struct transport *t)
{
	transport_close(t);
	t->wish.ended(t->wish.ctx);
}

static void on_link(struct loop *loop, struct loop_fd *self, short revents)
{
	struct transport *t = self->ctx;
	bool waits = has_frame(t); /* then it is the link's end that woke us up */

	if (take_records(t) < 0 || (waits && (revents & (POLLHUP | POLLERR)) != 0))
		leave(t);
	else
		transport_settle(t);
}

static void on_socket(struct loop *loop, struct loop_fd *self, short revents)
{
	struct transport *t = self->ctx;

	t->way->ready(t, revents);
	if (t->phase != TRANSPORT_OVER)
		write_frame(t);
	transport_settle(t);
}

static void on_look(struct loop *loop, struct loop_timer *timer)
{
	struct transport *t = timer->ctx;

	loop_arm(loop, timer, TRANSPORT_LOOK_MS);
	if (t->phase == TRANSPORT_JOINED)
		t->way->look(t);
	transport_settle(t);
}

void transport_join(struct transport *t)
{
	t->phase = TRANSPORT_JOINED;
	loop_disarm(t->loop, &t->timer);
}

/* ---- life */

static void close_fd(struct transport *t, struct loop_fd *watch)
{
	if (watch->fd < 0)
		return;
	loop_remove(t->loop, watch);
	(void)close(watch->fd); /* what is not acknowledged is sent again by the next */
	watch->fd = -1;
}

void transport_close(struct transport *t)
{
	if (t->phase == TRANSPORT_OVER)
		return;
	if (t->way->leave != NULL)
		t->way->leave(t);
	t->phase = TRANSPORT_OVER;
	loop_disarm(t->loop, &t->timer);
	loop_disarm(t->loop, &t->look_timer);
	close_fd(t, &t->watch);
	loop_remove(t->loop, &t->link_watch);
	channel_fini(&t->link);
}

static int watch_both(struct transport *t)
{
	int err = loop_add(t->loop, &t->watch);

	if (err < 0) {
		(void)close(t->watch.fd); /* nothing was sent */
		t->watch.fd = -1;
	}
	return err < 0 ? err : loop_add(t->loop, &t->link_watch);
}

static void init(struct transport *t, struct loop *loop, const struct transport_wish *wish)
{
	bool datagrams = wish->kind == SNAPSHOT_TRANSPORT_UDP;

	memset(t, 0, sizeof(*t));
	t->way = datagrams ? &transport_datagrams : &transport_streams;
	t->wish = *wish;
	t->loop = loop;
	t->phase = datagrams ? TRANSPORT_JOINED : TRANSPORT_CONNECTING;
	t->stream.secure = wish->kind == SNAPSHOT_TRANSPORT_TLS;
	channel_init(&t->link, wish->link_fd, rules, sizeof(rules) / sizeof(rules[0]), t);
	t->link_watch =
		(struct loop_fd){.fd = wish->link_fd, .events = POLLIN, .ready = on_link, .ctx = t};
	t->watch = (struct loop_fd){.fd = wish->socket_fd, .ready = on_socket, .ctx = t};
	t->look_timer = (struct loop_timer){.fire = on_look, .ctx = t};
}

int transport_open(struct transport *t, struct loop *loop, const struct transport_wish *wish)
{
	enum tls_fault fault;
	int err;

	init(t, loop, wish);
	err = watch_both(t);
	if (err < 0) {
		transport_close(t);
		return err;
	}
	loop_arm(loop, &t->look_timer, TRANSPORT_LOOK_MS);
	fault = t->way->begin(t);
	if (fault != TLS_FAULT_NONE)
		transport_give_up(t, EPROTO, fault);
	transport_settle(t);
	return 0;
}

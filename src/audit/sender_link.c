/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link to the log-sender that holds a server's connection. Whoever breaks into that process
 * can say of this server's records what it likes, but no more than that they have arrived: what it
 * says is held against what was handed over.
 */
#include "audit/sender_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define PRINTABLE_FIRST ' '
#define PRINTABLE_LAST  '~'

static bool is_text(const char text[LOG_SENDER_TEXT_BYTES])
{
	size_t size = strnlen(text, LOG_SENDER_TEXT_BYTES);

	for (size_t i = 0; i < size; i++) {
		if (text[i] < PRINTABLE_FIRST || text[i] > PRINTABLE_LAST)
			return false;
	}
	return size < LOG_SENDER_TEXT_BYTES;
}

/* ---- what it says */

static int handle_joined(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;
	const struct log_sender_joined *joined = message->body;
	bool secure = s->peer[0] != '\0';

	(void)ch;
	if (s->link.joined || s->state != SENDER_TRYING || !is_text(joined->version) ||
	    !is_text(joined->suite) || secure != (joined->version[0] != '\0'))
		return -ERR_PEER;
	s->link.joined = true;
	s->failure = NULL;
	if (secure)
		sender_tell_joined(s, joined);
	loop_disarm(s->loop, &s->timer);
	sender_flow(s);
	return 0;
}

static int handle_report(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender_link *l = &((struct sender *)ctx)->link;
	const struct log_sender_report *report = message->body;

	(void)ch;
	if (report->taken < l->taken || report->taken > l->sent || report->run > l->run ||
	    report->stuck > 1)
		return -ERR_PEER;
	l->taken = report->taken;
	l->stuck = report->stuck != 0;
	if (report->run != l->run || report->reached == 0)
		return 0; /* of what has been taken back, or of nothing yet */
	if (report->reached < l->reached || report->reached > l->sent_end)
		return -ERR_PEER;
	l->reached = report->reached;
	return 0;
}

/* A number so old that only whoever forged the error would name it counts as none. */
static void go_back(struct sender *s, const struct log_sender_refused *refused)
{
	uint64_t doubt = sender_place_in_doubt(s);
	bool known = s->state != SENDER_FLOWING && refused->sequence > doubt;

	sender_pause(s, known ? refused->sequence : doubt, refused->error);
}

static int handle_refused(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;
	const struct log_sender_refused *refused = message->body;

	(void)ch;
	if (refused->error <= 0 || (refused->blame != 0 && s->peer[0] == '\0'))
		return -ERR_PEER;
	if (s->datagrams) {
		go_back(s, refused);
		return 0;
	}
	if (refused->blame != 0)
		sender_tell_blame(s, refused->blame);
	s->link.error = refused->error;
	return -ERR_CLOSED; /* its last word */
}

static const struct channel_rule rules[] = {
	{LOG_SENDER_JOINED, 0, 0, CHANNEL_EXACTLY(log_sender_joined), handle_joined, "joined"},
	{LOG_SENDER_REPORT, 0, 0, CHANNEL_EXACTLY(log_sender_report), handle_report, "report"},
	{LOG_SENDER_REFUSED, 0, 0, CHANNEL_EXACTLY(log_sender_refused), handle_refused, "refused"},
};

static void tell_violation(struct sender *s)
{
	const struct event_arg args[] = {EV_TEXT(PROCESS, "log-sender"),
					 EV_TEXT(REASON, "broke the rules of its link")};

	s->report.event(s->report.ctx, EVENT_EVENT_REFUSED, args, sizeof(args) / sizeof(args[0]));
}

static void on_link(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;
	int got = channel_serve(&s->link.channel, SENDER_MESSAGES, NULL);

	(void)loop;
	(void)revents; /* channel_serve sees the end itself */
	if (got >= 0)
		return;
	if (got == -ERR_PEER)
		tell_violation(s);
	sender_link_give_up(s, s->link.error);
}

/* ---- what it is given */

int sender_link_send(struct sender *s, uint64_t sequence, struct span line)
{
	struct sender_link *l = &s->link;
	uint8_t body[sizeof(struct log_sender_record) + STORE_LINE_MAX];
	const struct log_sender_record record = {.sequence = sequence, .run = l->run};

	if (!l->joined || l->sent - l->taken >= LOG_SENDER_WINDOW)
		return -ERR_AGAIN;
	memcpy(body, &record, sizeof(record));
	memcpy(body + sizeof(record), line.data, line.size); /* at most STORE_LINE_MAX */
	/* What cannot be handed over now waits; one that has ended is noticed by the watch. */
	if (channel_send(&l->channel, LOG_SENDER_RECORD, body, sizeof(record) + line.size, NULL,
			 0) < 0)
		return -ERR_AGAIN;
	l->sent++;
	if (sequence >= l->sent_end)
		l->sent_end = sequence + 1;
	return 0;
}

void sender_link_turn(struct sender *s)
{
	s->link.run++;
	s->link.sent_end = s->link.reached = s->cursor.sequence;
}

/* ---- life */

void sender_link_init(struct sender *s)
{
	s->link.channel.fd = -1;
	s->link.watch = (struct loop_fd){.fd = -1, .events = POLLIN, .ready = on_link, .ctx = s};
}

int sender_link_open(struct sender *s, int fd)
{
	struct sender_link *l = &s->link;
	int err;

	l->watch.fd = fd;
	err = loop_add(s->loop, &l->watch);
	if (err < 0) {
		l->watch.fd = -1;
		(void)close(fd); /* nothing was handed over */
		return err;
	}
	channel_init(&l->channel, fd, rules, sizeof(rules) / sizeof(rules[0]), s);
	l->joined = s->datagrams;
	l->sent = l->taken = 0;
	l->error = ECONNABORTED; /* unless its last word says otherwise */
	l->stuck = false;
	sender_link_turn(s);
	return 0;
}

void sender_link_close(struct sender *s)
{
	struct sender_link *l = &s->link;

	if (l->watch.fd < 0)
		return;
	loop_remove(s->loop, &l->watch);
	channel_fini(&l->channel);
	l->watch.fd = -1;
	l->joined = false;
	l->stuck = false;
}

void sender_link_give_up(struct sender *s, int error)
{
	uint64_t from = sender_place_in_doubt(s);

	sender_link_close(s);
	sender_pause(s, from < s->link.reached ? from : s->link.reached, error);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading events, fairly and without trust in who sends them. */
#include "audit/links.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define ROUND_EVENTS 32   /* of one channel before others are served */
#define DRAIN_EVENTS 4096 /* of one channel in a drain: more than any socket buffer holds */

static int on_event(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct link *link = ctx;
	const struct event_record *event = message->body;

	if (event->id != message->type || record_check(event) < 0)
		return -ERR_PEER;
	if (!event_may_send(link->role, event->id)) {
		link->claimed = event->id;
		return -ERR_PEER;
	}
	link->taken++;
	link->links->sink.event(link->links->sink.ctx, link->process, event);
	return 0;
}

/* The message type is the event's number: one row each, from the one table. */
static const struct channel_rule event_rules[] = {
#define EVENT(id, name, severity, requirement, en, ja)                                             \
	{EVENT_##id,                                                                               \
	 0,                                                                                        \
	 0,                                                                                        \
	 sizeof(struct event_record),                                                              \
	 sizeof(struct event_record),                                                              \
	 CHANNEL_ANY_STATE,                                                                        \
	 on_event,                                                                                 \
	 "event"},
#include "base/events.def"
#undef EVENT
};

static void drop(struct link *link)
{
	loop_remove(link->links->loop, &link->watch);
	channel_fini(&link->channel);
	link->resting = false;
}

/* Read at most @most. A peer that has gone is dropped, one that breaks the table is dropped and
 * reported. */
static int serve(struct link *link, int most)
{
	const char *why = NULL;
	int got = channel_serve(&link->channel, most, &why);

	if (got >= 0)
		return got;
	if (got == -ERR_PEER)
		link->links->sink.refused(link->links->sink.ctx, link->process,
					  why != NULL ? why : "event", link->claimed);
	drop(link);
	return got;
}

static void on_readable(struct loop *loop, struct loop_fd *self, short revents)
{
	struct link *link = self->ctx;
	struct links *l = link->links;

	if (serve(link, ROUND_EVENTS) >= 0 && link->taken >= LINKS_BURST) {
		loop_remove(loop, &link->watch);
		link->resting = true;
	}
	l->sink.settled(l->sink.ctx);
}

static void on_second(struct loop *loop, struct loop_timer *timer)
{
	struct links *l = timer->ctx;

	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *link = &l->slots[i];

		link->taken -=
			link->taken < LINKS_EVENTS_A_SECOND ? link->taken : LINKS_EVENTS_A_SECOND;
		if (!link->resting)
			continue;
		link->resting = false;
		if (loop_add(loop, &link->watch) < 0)
			drop(link);
	}
	loop_arm(loop, timer, 1000);
}

void links_init(struct links *l, struct loop *loop, const struct links_sink *sink)
{
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->sink = *sink;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		l->slots[i].links = l;
		l->slots[i].channel.fd = -1;
		l->slots[i].watch = (struct loop_fd){.fd = -1};
	}
	l->second = (struct loop_timer){.fire = on_second, .ctx = l};
	loop_arm(loop, &l->second, 1000);
}

static struct link *find_free(struct links *l)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (l->slots[i].channel.fd < 0)
			return &l->slots[i];
	}
	return NULL;
}

int links_add(struct links *l, uint32_t role, uint32_t session, int fd)
{
	struct link *link = find_free(l);
	int err = -ERR_NO_SPACE;

	if (link != NULL) {
		link->role = role;
		link->claimed = EVENT_NONE_;
		link->taken = 0;
		link->resting = false;
		link->watch = (struct loop_fd){
			.fd = fd, .events = POLLIN, .ready = on_readable, .ctx = link};
		err = loop_add(l->loop, &link->watch);
	}
	if (err < 0) {
		(void)close(fd); /* nothing was read from it */
		return err;
	}
	channel_init(&link->channel, fd, event_rules, sizeof(event_rules) / sizeof(event_rules[0]),
		     link);
	record_process_name(link->process, role, session);
	return 0;
}

void links_drain(struct links *l)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *link = &l->slots[i];
		int read = 0, got = 1;

		while (link->channel.fd >= 0 && got > 0 && read < DRAIN_EVENTS) {
			got = serve(link, ROUND_EVENTS);
			read += got > 0 ? got : 0;
		}
	}
}

void links_fini(struct links *l)
{
	loop_disarm(l->loop, &l->second);
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (l->slots[i].channel.fd >= 0)
			drop(&l->slots[i]);
	}
}

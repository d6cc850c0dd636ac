/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A share of the packets, served by a process that has queues and an arbiter, but no rules: by what
 * it judges, and that it may, the first process says. Without it everything is dropped.
 */
#include <stddef.h>

#include "base/err.h"
#include "netfilter/netfilter.h"

static void give_back_all(struct netfilter *nf)
{
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		if (nf->zones[i].used)
			relay_repeat_all(nf, &nf->zones[i]);
	}
}

/* Until the first process says by what: packets wait in the kernel. */
static void judge_by_none(struct netfilter *nf)
{
	nf->generation = 0;
	give_back_all(nf); /* into a share that is served, or back here */
}

/* The policy and the generation change together, with no packet out for judgement. */
static int handle_turn(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct share_turn *turn = message->body;
	struct netfilter *nf = ctx;

	if (turn->generation == 0 || turn->generation > UINT16_MAX)
		return -ERR_PEER;
	if (turn->epoch != nf->running.epoch && turn->epoch != nf->next.epoch) {
		judge_by_none(nf);
		/* A later commit was prepared over it, and perhaps given up: it will not come
		 * again. */
		if (turn->epoch > nf->running.epoch && turn->epoch > nf->next.epoch)
			loop_stop(&nf->loop, 1); /* begins anew with what runs */
		return 0;
	}
	relay_drain(nf);
	give_back_all(nf);
	if (turn->epoch == nf->next.epoch)
		zones_take_next(nf);
	nf->generation = (uint16_t)turn->generation;
	nf->first.heard_ms = netfilter_now_ms();
	relay_tell_generation(nf);
	relay_throttle(nf);
	int err = channel_send(ch, SHARE_TURNED, turn, sizeof(*turn), NULL, 0);

	return err == -ERR_AGAIN ? 0 : err; /* it gets no lease then, and is told to turn again */
}

static int handle_beat(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;

	nf->first.heard_ms = netfilter_now_ms();
	return 0;
}

void share_tell_alive(struct netfilter *nf)
{
	const struct share_alive alive = {.answered_ms = nf->pong_ms, .generation = nf->generation};

	/* No room on the link is silence too. */
	if (nf->first.link.fd >= 0)
		(void)channel_send(&nf->first.link, SHARE_ALIVE, &alive, sizeof(alive), NULL, 0);
}

/* The permit of a packet, and one; 0: none. */
static uint32_t permit_of(const struct packet_verdicts *v, uint32_t id)
{
	for (uint32_t i = 0; i < v->count; i++) {
		if (v->items[i].id == id)
			return v->items[i].mark & PACKET_MARK_PERMIT;
	}
	return 0;
}

static int handle_admit(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct share_verdicts *answer = message->body;
	struct share_sent sent = {.generation = answer->verdicts.generation};
	struct netfilter *nf = ctx;

	if (!relay_verdicts_are_sound(nf, &answer->verdicts) ||
	    answer->admissions.count > PACKET_BATCH_MAX)
		return -ERR_PEER;
	if (answer->verdicts.generation != nf->generation)
		return 0; /* all that was admitted by it is void: this process has turned */
	for (uint32_t i = 0; i < answer->admissions.count; i++) {
		const struct packet_admission_item *item = &answer->admissions.items[i];
		uint32_t permit = permit_of(&answer->verdicts, item->id);

		if (item->admission == PACKET_ADMITTED && permit != 0)
			sent.permits[sent.count++] = permit - 1;
	}
	nf->admissions = answer->admissions;
	relay_decide(nf->running.zones[answer->verdicts.zone], &answer->verdicts);
	int err = channel_send(ch, SHARE_SENT, &sent, sizeof(sent), NULL, 0);

	return err == -ERR_AGAIN ? 0 : err; /* counted twice until this process ends: too much */
}

static const struct channel_rule link_rules[] = {
	{SHARE_TURN, 0, 0, CHANNEL_EXACTLY(share_turn), handle_turn, "turn"},
	{SHARE_BEAT, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_beat, "beat"},
	{SHARE_ADMIT, 0, 0, CHANNEL_EXACTLY(share_verdicts), handle_admit, "admit"},
};

/* The first process has died, or the policy has no such share any more. */
static void close_link(struct netfilter *nf)
{
	loop_remove(&nf->loop, &nf->first.link_fd);
	channel_fini(&nf->first.link);
	judge_by_none(nf);
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct netfilter *nf = self->ctx;
	int got = relay_serve_link(nf, &nf->first.link, "netfilter");

	if (got < 0)
		close_link(nf); /* the supervisor brings a new one when the first is back */
	if (got < 0 && got != -ERR_CLOSED)
		loop_stop(loop, 1); /* it is still there: a new link comes with a new life */
}

void share_hear(struct netfilter *nf)
{
	if (nf->first.link.fd >= 0)
		link_ready(&nf->loop, &nf->first.link_fd, POLLIN);
}

void share_take_link(struct netfilter *nf, int fd)
{
	if (nf->first.link.fd >= 0)
		close_link(nf);
	channel_init(&nf->first.link, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]),
		     nf);
	nf->first.link_fd =
		(struct loop_fd){.fd = fd, .events = POLLIN, .ready = link_ready, .ctx = nf};
	if (loop_add(&nf->loop, &nf->first.link_fd) != 0)
		channel_fini(&nf->first.link); /* without a link the share stays shut */
}

bool share_may_judge(const struct netfilter *nf)
{
	return nf->first.link.fd >= 0 && nf->generation != 0 &&
	       netfilter_now_ms() - nf->first.heard_ms <= NETFILTER_FIRST_MS;
}

bool share_asks(struct zone *zone, const struct packet_verdicts *v)
{
	struct share_verdicts asked = {.verdicts = *v};
	struct netfilter *nf = zone->nf;
	struct queue *queue = v->purpose == PACKET_FOR_WHOLE ? &zone->whole : &zone->queue;
	bool limited = false;

	for (uint32_t i = 0; i < v->count; i++) {
		limited = limited || admission_is_limited(nf, v->items[i].mark);
		asked.origins[i] = queue_out_origin(queue, v->items[i].id);
	}
	/* Without room on the link the packets are dropped when their time is up. */
	if (limited)
		(void)channel_send(&nf->first.link, SHARE_ASK, &asked, sizeof(asked), NULL, 0);
	return limited;
}

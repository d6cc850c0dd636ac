/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shares of other processes, as the first one leads them. */
#include "netfilter/shares.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "base/err.h"
#include "netfilter/netfilter.h"

#define TURN_MS 100 /* for every share to say that it judges by another generation */
#define BEAT_MS (NETFILTER_BEAT_MS / 2) /* at least between two signs of life */

static bool is_linked(const struct share *share)
{
	return share->link.fd >= 0;
}

static struct share *next_share(struct netfilter *nf, uint32_t *number)
{
	return ++*number < nf->running.queues ? &nf->shares.rows[*number] : NULL;
}

static void send_turn(struct share *share)
{
	const struct share_turn turn = {.epoch = share->nf->running.epoch,
					.generation = share->nf->generation};

	/* Without room on the link it does not turn, and gets no lease. */
	if (turn.generation != 0 && share->number < share->nf->running.queues)
		(void)channel_send(&share->link, SHARE_TURN, &turn, sizeof(turn), NULL, 0);
}

static int handle_turned(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct share_turn *turned = message->body;
	struct share *share = ctx;

	if (turned->generation != share->nf->generation)
		return 0; /* of an earlier turn */
	share->turned = (uint16_t)turned->generation;
	admission_release(share->nf, share->number);
	return 0;
}

static int handle_alive(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct share_alive *alive = message->body;
	struct share *share = ctx;

	if (alive->answered_ms > netfilter_now_ms())
		return -ERR_PEER;
	if (alive->generation == share->nf->generation)
		share->alive_ms = alive->answered_ms;
	return 0;
}

/* The first process decides about limits as it does for its own verdicts. */
static int handle_ask(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct share_verdicts asked = *(const struct share_verdicts *)message->body;
	struct packet_verdicts *v = &asked.verdicts;
	struct share *share = ctx;
	struct netfilter *nf = share->nf;

	if (!relay_verdicts_are_sound(nf, v))
		return -ERR_PEER;
	if (v->generation != nf->generation || share->turned != nf->generation)
		return 0; /* those packets go back to the rules when it turns */
	for (uint32_t i = 0; i < v->count; i++)
		v->items[i].mark = admission_mark(nf->running.zones[v->zone], v->items[i].id,
						  v->items[i].mark, asked.origins[i]);
	asked.admissions = nf->admissions;
	nf->admissions.count = 0;
	admission_hold(nf, share->number);
	/* Without room on the link its packets are dropped when their time is up; what was admitted
	 * stays counted. */
	int err = channel_send(ch, SHARE_ADMIT, &asked, sizeof(asked), NULL, 0);

	return err == -ERR_AGAIN ? 0 : err;
}

static int handle_sent(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct share_sent *sent = message->body;
	struct share *share = ctx;

	if (sent->count > PACKET_BATCH_MAX)
		return -ERR_PEER;
	if (sent->generation == share->nf->generation)
		admission_sent_by(share->nf, share->number, sent->permits, sent->count);
	return 0;
}

static const struct channel_rule link_rules[] = {
	{SHARE_TURNED, 0, 0, CHANNEL_EXACTLY(share_turn), handle_turned, "turned"},
	{SHARE_ALIVE, 0, 0, CHANNEL_EXACTLY(share_alive), handle_alive, "alive"},
	{SHARE_ASK, 0, 0, CHANNEL_EXACTLY(share_verdicts), handle_ask, "ask"},
	{SHARE_SENT, 0, 0, CHANNEL_EXACTLY(share_sent), handle_sent, "sent"},
};

/* It has died, and the kernel has dropped what it had not given back: nothing is on its way. */
static void close_link(struct share *share)
{
	if (!is_linked(share))
		return;
	loop_remove(&share->nf->loop, &share->link_fd);
	channel_fini(&share->link);
	share->turned = 0;
	share->alive_ms = 0;
	admission_release(share->nf, share->number);
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct share *share = self->ctx;
	int got = relay_serve_link(share->nf, &share->link, "netfilter");

	if (got >= 0)
		return;
	if (got == -ERR_CLOSED)
		close_link(share);
	else
		loop_stop(loop, 1); /* it is still there: all begin anew */
}

void shares_init(struct netfilter *nf)
{
	for (uint32_t i = 0; i < SNAPSHOT_QUEUES_MAX; i++)
		nf->shares.rows[i] = (struct share){
			.nf = nf, .number = i, .link = {.fd = -1}, .link_fd = {.fd = -1}};
}

int shares_take_link(struct netfilter *nf, uint32_t number, int fd)
{
	if (number == 0 || number >= SNAPSHOT_QUEUES_MAX)
		return -ERR_PEER;
	struct share *share = &nf->shares.rows[number];

	close_link(share);
	channel_init(&share->link, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]),
		     share);
	share->link_fd =
		(struct loop_fd){.fd = fd, .events = POLLIN, .ready = link_ready, .ctx = share};
	if (loop_add(&nf->loop, &share->link_fd) != 0) {
		channel_fini(&share->link);
		return 0; /* without a link the share stays shut */
	}
	send_turn(share);
	return 0;
}

static bool all_turned(struct netfilter *nf)
{
	const struct share *share;
	uint32_t number = 0;
	bool all = true;

	while ((share = next_share(nf, &number)) != NULL)
		all = all && (!is_linked(share) || share->turned == nf->generation);
	return all;
}

static void wait_for_shares(struct netfilter *nf)
{
	const struct timespec wait = {.tv_nsec = 1000000};
	struct pollfd fds[SNAPSHOT_QUEUES_MAX];
	struct share *share;
	uint32_t number = 0, count = 0;

	while ((share = next_share(nf, &number)) != NULL) {
		if (is_linked(share))
			fds[count++] = (struct pollfd){.fd = share->link.fd, .events = POLLIN};
	}
	if (ppoll(fds, count, &wait, NULL) > 0)
		shares_serve(nf);
}

void shares_drop(struct netfilter *nf)
{
	for (uint32_t i = nf->running.queues; i < SNAPSHOT_QUEUES_MAX; i++) {
		nf->shares.dropped = nf->shares.dropped || is_linked(&nf->shares.rows[i]);
		close_link(&nf->shares.rows[i]);
	}
}

bool shares_turn(struct netfilter *nf)
{
	uint64_t until_ms = netfilter_now_ms() + TURN_MS;
	struct share *share;
	uint32_t number = 0;

	while ((share = next_share(nf, &number)) != NULL) {
		if (is_linked(share))
			send_turn(share);
	}
	while (!all_turned(nf) && netfilter_now_ms() < until_ms)
		wait_for_shares(nf);
	bool turned = all_turned(nf) && !nf->shares.dropped;

	nf->shares.dropped = false;
	return turned;
}

void shares_beat(struct netfilter *nf)
{
	uint64_t now_ms = netfilter_now_ms();
	struct share *share;
	uint32_t number = 0;

	if (now_ms - nf->shares.beat_ms < BEAT_MS)
		return;
	nf->shares.beat_ms = now_ms;
	while ((share = next_share(nf, &number)) != NULL) {
		if (!is_linked(share))
			continue;
		if (share->turned != nf->generation)
			send_turn(share);
		/* No room on the link is silence too. */
		(void)channel_send(&share->link, SHARE_BEAT, NULL, 0, NULL, 0);
	}
}

void shares_serve(struct netfilter *nf)
{
	const struct timespec now = {0};
	struct share *share;
	uint32_t number = 0;

	shares_beat(nf);
	while ((share = next_share(nf, &number)) != NULL) {
		struct pollfd link = {.fd = share->link.fd, .events = POLLIN};

		if (is_linked(share) && ppoll(&link, 1, &now, NULL) > 0)
			link_ready(&nf->loop, &share->link_fd, POLLIN);
	}
}

bool shares_answer(const struct netfilter *nf)
{
	uint64_t now_ms = netfilter_now_ms();
	bool all = true;

	for (uint32_t i = 1; i < nf->running.queues; i++) {
		const struct share *share = &nf->shares.rows[i];

		all = all && share->turned == nf->generation &&
		      now_ms - share->alive_ms <= NETFILTER_ARBITER_MS;
	}
	return all;
}

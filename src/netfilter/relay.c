/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets from the queues to the arbiter, verdicts from the arbiter to the queues. Payload is
 * opaque here. */
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "netfilter/netfilter.h"

#define MESSAGES_A_ROUND 16
/* Rounds that read an answer to a ping and a verdict for each packet that is out, one by one. */
#define ROUNDS_FOR_ALL  (1 + NETFILTER_OUT_MAX / MESSAGES_A_ROUND)
#define LINK_BYTES      (2 << 20) /* room for AHEAD_BATCHES and NETFILTER_OUT_MAX */
#define PONG_LATE_MAX   2         /* pings sent since the one that is answered */
#define BATCHES_A_ROUND 4         /* of one queue, before others have their turn */

static uint32_t out_total(const struct netfilter *nf)
{
	uint32_t total = 0;

	for (unsigned i = 0; i < NETFILTER_SLOTS; i++)
		total += nf->zones[i].used ? nf->zones[i].queue.out_count : 0;
	return total;
}

/* Packets wait in the kernel while enough are out; what is more than the kernel keeps is dropped
 * there, and counted. */
void relay_throttle(struct netfilter *nf)
{
	bool room = out_total(nf) + PACKET_BATCH_MAX <= NETFILTER_OUT_MAX;

	/* A share waits until it is told by what to judge. */
	room = room && (nf->share == 0 || nf->generation != 0);

	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		if (nf->zones[i].used)
			nf->zones[i].queue_fd.events = room ? POLLIN : 0;
	}
}

static void decide_ids(struct zone *zone, const uint32_t *ids, size_t count,
		       enum queue_verdict verdict)
{
	struct queue_decision decisions[QUEUE_RECEIVE_MAX];

	for (size_t i = 0; i < count; i++)
		decisions[i] = (struct queue_decision){.id = ids[i], .verdict = verdict};
	/* A failure leaves the packets in the queue, where they pass never. */
	if (count > 0)
		(void)queue_decide(&zone->queue, decisions, count);
}

static void drop_batch(struct zone *zone, const struct packet_batch *batch)
{
	uint32_t ids[PACKET_BATCH_MAX];

	for (uint32_t i = 0; i < batch->count; i++) {
		ids[i] = batch->items[i].id;
		(void)queue_out_take(&zone->queue, ids[i], NULL); /* it was out already, or not */
	}
	decide_ids(zone, ids, batch->count, QUEUE_DROP);
}

bool relay_can_judge(const struct netfilter *nf)
{
	return nf->arbiter_answers && nf->running.epoch != 0 &&
	       (nf->share == 0 || share_may_judge(nf)) &&
	       netfilter_now_ms() - nf->supervisor_ms <= NETFILTER_ORPHAN_MS;
}

/* Return: whether the batch is on its way. */
static bool send_batch(struct netfilter *nf, struct zone *zone, struct packet_batch *batch)
{
	uint64_t now_ms = netfilter_now_ms();

	if (!relay_can_judge(nf) || zone->index == SNAPSHOT_NONE)
		return false;
	batch->epoch = nf->running.epoch;
	batch->generation = nf->generation;
	batch->zone = zone->index;
	batch->purpose = PACKET_FOR_PACKETS;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (!queue_out_add(&zone->queue, &batch->items[i], now_ms))
			return false;
	}
	return channel_send(&nf->link, PACKET_BATCH, batch,
			    offsetof(struct packet_batch, items) +
				    batch->count * sizeof(batch->items[0]),
			    NULL, 0) == 0;
}

void relay_queue_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct zone *zone = self->ctx;
	struct netfilter *nf = zone->nf;

	for (int i = 0; i < BATCHES_A_ROUND && self->events != 0; i++) {
		int count = queue_receive(&zone->queue, nf->batch.items);

		if (count <= 0)
			break;
		nf->batch.count = (uint32_t)count;
		if (!send_batch(nf, zone, &nf->batch))
			drop_batch(zone, &nf->batch);
		relay_throttle(nf);
	}
}

/* The arbiter's to give: denied, permitted, permitted once, wanted whole; the permit is one of the
 * zone that asked. */
static bool mark_is_sound(const struct netfilter *nf, uint32_t zone, uint32_t mark)
{
	uint32_t verdict = mark & ~PACKET_MARK_GENERATION, permit = mark & PACKET_MARK_PERMIT;

	if (mark >> 16 != nf->generation || verdict & PACKET_MARK_LOCK)
		return false;
	if (verdict == PACKET_MARK_DENY || verdict == PACKET_MARK_WHOLE)
		return true;
	return permit >= 1 && permit <= nf->running.snapshot.permit_count &&
	       nf->running.snapshot.permits[permit - 1].from == zone;
}

bool relay_verdicts_are_sound(const struct netfilter *nf, const struct packet_verdicts *v)
{
	if (v->count == 0 || v->count > PACKET_BATCH_MAX)
		return false;
	if (v->generation != nf->generation)
		return true; /* late, and not looked at */
	if (v->zone >= nf->running.snapshot.zone_count)
		return false;
	for (uint32_t i = 0; i < v->count; i++) {
		if (v->items[i].mark != 0 && !mark_is_sound(nf, v->zone, v->items[i].mark))
			return false;
	}
	return true;
}

/*
 * Once a verdict is saved with its flow, the flow's next packets no longer come here, and would
 * overtake those that still wait. For a flow that runs already (a new generation asks about it
 * again) that is avoided: only with the queue empty.
 */
static bool may_save(struct zone *zone, uint32_t count)
{
	bool empty = count <= NETFILTER_SAVE_BATCH && zone->queue.out_count <= count &&
		     !queue_waits(&zone->queue);

	if (empty || zone->unsaved > NETFILTER_UNSAVED_MAX)
		zone->unsaved = 0;
	else
		zone->unsaved += count;
	return zone->unsaved == 0;
}

static size_t decide_verdicts(struct zone *zone, const struct packet_verdicts *v,
			      struct queue_decision *decisions)
{
	bool save = may_save(zone, v->count);
	size_t count = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		uint32_t mark = v->items[i].mark;
		uint8_t origin;

		if (!queue_out_take(&zone->queue, v->items[i].id, &origin))
			continue; /* its time was up */
		mark = admission_mark(zone, v->items[i].id, mark, origin);
		decisions[count] = (struct queue_decision){v->items[i].id, mark, QUEUE_ACCEPT};
		if (mark == 0)
			decisions[count].verdict = QUEUE_DROP;
		else if ((mark & ~PACKET_MARK_GENERATION) == PACKET_MARK_WHOLE)
			decisions[count] = (struct queue_decision){v->items[i].id, 0, QUEUE_WHOLE};
		else if (!save && (origin & PACKET_IS_ESTABLISHED) && !(mark & PACKET_MARK_DENY))
			decisions[count].mark |= PACKET_MARK_ONCE;
		count++;
	}
	return count;
}

void relay_decide(struct zone *zone, const struct packet_verdicts *v)
{
	struct queue_decision decisions[PACKET_BATCH_MAX];

	if (v->purpose == PACKET_FOR_WHOLE) {
		whole_decide(zone, v);
		return;
	}
	size_t count = decide_verdicts(zone, v, decisions);

	if (count > 0)
		(void)queue_decide(&zone->queue, decisions, count); /* see decide_ids */
	admission_sent(zone, PACKET_FOR_PACKETS);
	relay_throttle(zone->nf);
}

static int handle_verdicts(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;
	const struct packet_verdicts *v = message->body;

	if (!relay_verdicts_are_sound(nf, v) ||
	    message->body_bytes !=
		    offsetof(struct packet_verdicts, items) + v->count * sizeof(v->items[0]))
		return -ERR_PEER;
	if (v->generation != nf->generation)
		return 0; /* those packets went back to the rules when the generation changed */
	if (v->purpose == PACKET_FOR_FLOWS) {
		ahead_take(nf, v);
		return 0;
	}
	struct zone *zone = nf->running.zones[v->zone];

	if (nf->share == 0 || !share_asks(zone, v))
		relay_decide(zone, v);
	return 0;
}

static int handle_pong(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;
	const struct packet_ping *pong = message->body;

	if (nf->ping_number - pong->number > PONG_LATE_MAX)
		return 0; /* an answer that is late proves nothing */
	nf->pong_ms = netfilter_now_ms();
	nf->unanswered = 0;
	if (!nf->arbiter_answers && nf->arbiter_missed) {
		event_send(&nf->process.events, EVENT_ARBITER_BACK);
		nf->arbiter_missed = false;
	}
	nf->arbiter_answers = true;
	if (nf->share != 0)
		share_tell_alive(nf);
	return 0;
}

static int handle_use_asked(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct packet_use use = *(const struct packet_use *)message->body;

	admission_use(ctx, &use);
	/* Without room on the link the arbiter answers without it. */
	(void)channel_send(ch, PACKET_USE, &use, sizeof(use), NULL, 0);
	return 0;
}

static const struct channel_rule link_rules[] = {
	{PACKET_VERDICTS, 0, 0,
	 offsetof(struct packet_verdicts, items) + sizeof(struct packet_verdict),
	 sizeof(struct packet_verdicts), CHANNEL_ANY_STATE, handle_verdicts, "verdicts"},
	{PACKET_PONG, 0, 0, CHANNEL_EXACTLY(packet_ping), handle_pong, "pong"},
	{PACKET_USE_ASKED, 0, 0, CHANNEL_EXACTLY(packet_use), handle_use_asked, "use"},
};

int relay_serve_link(struct netfilter *nf, struct channel *link, const char *peer)
{
	const char *why = NULL;
	int got = channel_serve(link, MESSAGES_A_ROUND, &why);

	if (got == -ERR_PEER)
		event_send(&nf->process.events, EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, peer),
			   EV_TEXT(REASON, why != NULL ? why : "handler"));
	return got;
}

/* Return: as relay_serve_link; where that is an error the link is closed. */
static int serve_arbiter(struct netfilter *nf)
{
	int got = relay_serve_link(nf, &nf->link, "arbiter");

	if (got < 0)
		relay_close_link(nf); /* the supervisor brings a new one when the arbiter is back */
	if (got < 0 && got != -ERR_CLOSED)
		loop_stop(&nf->loop, 1); /* it is still there: a new link comes with a new life */
	return got;
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	(void)serve_arbiter(self->ctx); /* it has seen to an error */
}

void relay_hear(struct netfilter *nf)
{
	int got = nf->link.fd >= 0 ? MESSAGES_A_ROUND : 0;

	for (int round = 0; round < ROUNDS_FOR_ALL && got == MESSAGES_A_ROUND; round++)
		got = serve_arbiter(nf);
	if (nf->share == 0)
		shares_serve(nf);
	else
		share_hear(nf);
}

void relay_wait(struct netfilter *nf)
{
	struct pollfd link = {.fd = nf->link.fd, .events = POLLIN};
	const struct timespec wait = {.tv_nsec = 1000000};

	if (ppoll(&link, 1, &wait, NULL) > 0)
		link_ready(&nf->loop, &nf->link_fd, POLLIN);
}

void relay_serve(struct netfilter *nf)
{
	struct pollfd link = {.fd = nf->link.fd, .events = POLLIN};
	const struct timespec now = {0};

	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		struct zone *zone = &nf->zones[i];

		if (zone->used && queue_waits(&zone->queue))
			relay_queue_ready(&nf->loop, &zone->queue_fd, POLLIN);
	}
	if (nf->link.fd >= 0 && ppoll(&link, 1, &now, NULL) > 0)
		link_ready(&nf->loop, &nf->link_fd, POLLIN);
	shares_serve(nf);
}

void relay_make_way(struct netfilter *nf)
{
	if (!nf->can_offload)
		return;
	relay_serve(nf);
	relay_drain(nf);
}

void relay_drain(struct netfilter *nf)
{
	uint64_t until_ms = netfilter_now_ms() + NETFILTER_DRAIN_MS;

	while (nf->link.fd >= 0 && out_total(nf) > 0 && netfilter_now_ms() < until_ms)
		relay_wait(nf);
}

void relay_tell_generation(struct netfilter *nf)
{
	const struct packet_generation told = {.epoch = nf->running.epoch,
					       .generation = nf->generation};

	/* Without room on the link, or without it, flows that have shown something have to begin
	 * anew at the next change. */
	if (nf->link.fd >= 0 && nf->generation != 0 && nf->running.queues > 1)
		(void)channel_send(&nf->link, PACKET_GENERATION, &told, sizeof(told), NULL, 0);
}

void relay_take_link(struct netfilter *nf, int fd)
{
	const int room = LINK_BYTES;

	if (nf->link.fd >= 0)
		relay_close_link(nf);
	/* With a smaller one fewer flows are asked about at a time. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	channel_init(&nf->link, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]), nf);
	nf->link_fd = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = link_ready, .ctx = nf};
	if (loop_add(&nf->loop, &nf->link_fd) != 0) {
		channel_fini(&nf->link);
		return;
	}
	nf->unanswered = 0;
	relay_tell_generation(nf);
	relay_ping(nf);
}

static void expire_before(struct zone *zone, uint64_t before_ms, enum queue_verdict verdict,
			  uint64_t *count)
{
	uint32_t ids[QUEUE_RECEIVE_MAX], cursor = 0;
	size_t got;

	while ((got = queue_out_expire(&zone->queue, before_ms, ids, &cursor)) > 0) {
		decide_ids(zone, ids, got, verdict);
		*count += got;
	}
}

static void tell_overrun(struct netfilter *nf, const struct zone *zone, uint64_t count,
			 const char *reason)
{
	if (count > 0)
		event_send(&nf->process.events, EVENT_QUEUE_OVERRUN, EV_TEXT(ZONE, zone->name),
			   EV_NUMBER(COUNT, count), EV_TEXT(REASON, reason));
}

void relay_close_link(struct netfilter *nf)
{
	loop_remove(&nf->loop, &nf->link_fd);
	channel_fini(&nf->link);
	nf->arbiter_answers = false;
	if (!nf->arbiter_missed)
		event_send(&nf->process.events, EVENT_ARBITER_SILENT,
			   EV_TEXT(REASON, "link closed"));
	nf->arbiter_missed = true;
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		uint64_t count = 0;

		if (!nf->zones[i].used)
			continue;
		expire_before(&nf->zones[i], UINT64_MAX, QUEUE_DROP, &count);
		count += whole_expire(&nf->zones[i], UINT64_MAX, QUEUE_DROP);
		tell_overrun(nf, &nf->zones[i], count, "arbiter gone");
	}
	relay_throttle(nf);
}

void relay_ping(struct netfilter *nf)
{
	struct packet_ping ping = {.number = ++nf->ping_number};

	if (nf->link.fd < 0)
		return;
	nf->unanswered++;
	/* No room on the link is silence too. */
	(void)channel_send(&nf->link, PACKET_PING, &ping, sizeof(ping), NULL, 0);
}

void relay_expire(struct netfilter *nf, struct zone *zone)
{
	uint64_t count = 0, now_ms = netfilter_now_ms();
	uint64_t before_ms = now_ms < NETFILTER_OUT_MS ? 0 : now_ms - NETFILTER_OUT_MS;

	expire_before(zone, before_ms, QUEUE_DROP, &count);
	count += whole_expire(zone, before_ms, QUEUE_DROP);
	tell_overrun(nf, zone, count, "no verdict in time");
	if (count > 0)
		relay_throttle(nf);
}

void relay_repeat_all(struct netfilter *nf, struct zone *zone)
{
	uint64_t count = 0;

	expire_before(zone, UINT64_MAX, QUEUE_REPEAT, &count);
	(void)whole_expire(zone, UINT64_MAX, QUEUE_REPEAT); /* the count is of losses */
	relay_throttle(nf);
}

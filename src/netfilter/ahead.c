/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows that are judged ahead. After a change of policy every flow must be judged anew, and those
 * with traffic would all do so at once, each with a packet that waits for its verdict. Instead the
 * arbiter is asked about the flows that connection tracking knows, while they still run by the
 * proof they have; those that the new policy permits get the new proof. For a connection that goes
 * on a commit is then not even a delay. Those that it denies keep the old proof, which says with
 * their next packet that they were permitted before, until its generation ends.
 */
#include "netfilter/ahead.h"

#include <stddef.h>

#include "netfilter/netfilter.h"

/* The flows of all zones on their way. */
struct walk {
	struct netfilter *nf;
	struct zone *zone;
	struct ahead_batch *filling; /* NULL: none is begun */
	uint64_t until_ms;
	bool over; /* no time, or no arbiter */
};

static struct ahead_batch *find_batch(struct ahead *ahead, bool waiting)
{
	for (size_t i = 0; i < AHEAD_BATCHES; i++) {
		if (ahead->batches[i].waiting == waiting)
			return &ahead->batches[i];
	}
	return NULL;
}

/* Wait until a batch is free, or with @all until every answer is there; packets are served
 * meanwhile. */
static void await(struct walk *w, bool all)
{
	struct ahead *ahead = &w->nf->ahead;

	relay_serve(w->nf);
	while (!w->over &&
	       (all ? find_batch(ahead, true) != NULL : find_batch(ahead, false) == NULL)) {
		relay_wait(w->nf);
		w->over = !relay_can_judge(w->nf) || netfilter_now_ms() >= w->until_ms;
	}
}

/* Ask about what is collected. The number of a flow says which batch it is in. */
static void ask(struct walk *w)
{
	struct ahead *ahead = &w->nf->ahead;
	struct packet_batch *message = &ahead->message;
	struct ahead_batch *batch = w->filling;
	uint32_t first;

	w->filling = NULL;
	if (batch == NULL || w->over)
		return;
	first = (uint32_t)(batch - ahead->batches) * PACKET_BATCH_MAX;
	message->epoch = w->nf->running.epoch;
	message->generation = w->nf->generation;
	message->zone = batch->zone;
	message->count = batch->count;
	message->purpose = PACKET_FOR_FLOWS;
	for (uint32_t i = 0; i < batch->count; i++)
		ahead_item(&message->items[i], &batch->flows[i], first + i);
	batch->waiting = channel_send(&w->nf->link, PACKET_BATCH, message,
				      offsetof(struct packet_batch, items) +
					      message->count * sizeof(message->items[0]),
				      NULL, 0) == 0;
	w->over = !batch->waiting;
}

static void take_flow(void *ctx, const struct flow *flow)
{
	struct walk *w = ctx;

	/* What the second lock let in, it lets in again by itself. */
	if (w->over || (flow->mark & (PACKET_MARK_LOCK | PACKET_MARK_DENY)))
		return;
	if (w->filling == NULL) {
		await(w, false);
		w->filling = find_batch(&w->nf->ahead, false);
		if (w->over || w->filling == NULL)
			return;
		w->filling->zone = w->zone->index;
		w->filling->count = 0;
	}
	w->filling->flows[w->filling->count++] = *flow;
	if (w->filling->count == PACKET_BATCH_MAX)
		ask(w);
}

void ahead_judge(struct netfilter *nf, uint16_t before)
{
	struct walk w = {.nf = nf, .until_ms = netfilter_now_ms() + NETFILTER_AHEAD_MS};

	w.over = before == 0 || !relay_can_judge(nf);
	nf->ahead.walking = true;
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count && !w.over; i++) {
		w.zone = nf->running.zones[i];
		if (!w.zone->has_rules)
			continue;
		/* A list that ends early leaves flows to their next packet. */
		(void)flows_list(w.zone->netlink_fd, before, take_flow, &w);
		ask(&w);
	}
	await(&w, true);
	for (size_t i = 0; i < AHEAD_BATCHES; i++)
		nf->ahead.batches[i].waiting = false; /* an answer that is late finds nobody */
	nf->ahead.walking = false;
}

void ahead_take(struct netfilter *nf, const struct packet_verdicts *v)
{
	struct ahead_batch *batch =
		&nf->ahead.batches[v->items[0].id / PACKET_BATCH_MAX % AHEAD_BATCHES];
	const struct zone *zone = nf->running.zones[v->zone];
	uint32_t permitted = 0;

	if (!batch->waiting || v->zone != batch->zone || v->count != batch->count)
		return;
	batch->waiting = false;
	for (uint32_t i = 0; i < v->count; i++) {
		uint32_t mark = v->items[i].mark;

		if (mark == 0 || (mark & PACKET_MARK_DENY) || v->items[i].id != v->items[0].id + i)
			continue;
		admission_moved(nf, batch->flows[i].mark, mark);
		batch->flows[permitted] = batch->flows[i];
		batch->flows[permitted++].mark = mark;
	}
	/* A flow whose mark could not be set is judged with its next packet. */
	(void)flows_mark(zone->queue.fd, batch->flows, permitted);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that the arbiter wants to see whole. The kernel copies a fixed number of bytes of each
 * packet of a queue, and few are enough for nearly all; so a packet of which more is wanted goes on
 * into a second queue that copies more. Payload is opaque here, too.
 */
#include <linux/netlink.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/netfilter.h"

#define DATAGRAM_BYTES (PACKET_WHOLE_BYTES + 512) /* and the attributes before the payload */
#define OUT_MAX        4 /* of one zone: the link has room for their parts */

static void throttle(struct zone *zone)
{
	zone->whole_fd.events = zone->whole.out_count < OUT_MAX ? POLLIN : 0;
}

static void decide_one(struct zone *zone, uint32_t id, uint32_t mark, enum queue_verdict verdict)
{
	const struct queue_decision decision = {id, mark, verdict};

	/* A failure leaves the packet in the queue, where it passes never. */
	(void)queue_decide(&zone->whole, &decision, 1);
}

static int send_parts(struct zone *zone, const struct packet_item *item, struct span payload)
{
	struct netfilter *nf = zone->nf;
	struct packet_part *part = &nf->part;

	*part = (struct packet_part){.epoch = nf->running.epoch,
				     .generation = nf->generation,
				     .zone = zone->index,
				     .captured_bytes = (uint32_t)payload.size,
				     .item = *item};
	for (uint32_t at = 0; at < payload.size; at += part->bytes) {
		size_t left = payload.size - at;

		part->at = at;
		part->bytes = (uint32_t)(left < PACKET_PART_BYTES ? left : PACKET_PART_BYTES);
		memcpy(part->data, payload.data + at, part->bytes);
		int err = channel_send(&nf->link, PACKET_PART, part, sizeof(*part), NULL, 0);

		if (err != 0)
			return err;
	}
	return 0;
}

static void relay_one(struct zone *zone, const struct packet_item *item, struct span payload)
{
	struct netfilter *nf = zone->nf;
	bool known = queue_out_add(&zone->whole, item, netfilter_now_ms());

	if (payload.size > PACKET_WHOLE_BYTES)
		payload.size = PACKET_WHOLE_BYTES;
	if (known && relay_can_judge(nf) && zone->index != SNAPSHOT_NONE && payload.size > 0 &&
	    send_parts(zone, item, payload) == 0)
		return;
	(void)queue_out_take(&zone->whole, item->id, NULL); /* it was out, or not */
	decide_one(zone, item->id, 0, QUEUE_DROP);
}

void whole_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	__attribute__((uninitialized)) uint8_t storage[DATAGRAM_BYTES];
	struct zone *zone = self->ctx;
	struct packet_item item;
	struct span payload;

	while (zone->whole.out_count < OUT_MAX &&
	       queue_receive_whole(&zone->whole, &item, &payload, storage, sizeof(storage)) > 0)
		relay_one(zone, &item, payload);
	throttle(zone);
}

/*
 * Never saved with the flow here: smaller packets of it may still wait in the first queue, and
 * those behind would overtake them.
 */
void whole_decide(struct zone *zone, const struct packet_verdicts *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		uint32_t mark = v->items[i].mark;
		uint8_t origin;

		if (!queue_out_take(&zone->whole, v->items[i].id, &origin))
			continue; /* its time was up */
		mark = admission_mark(zone, v->items[i].id, mark, origin);
		if (mark == 0 || (mark & ~PACKET_MARK_GENERATION) == PACKET_MARK_WHOLE)
			decide_one(zone, v->items[i].id, 0, QUEUE_DROP);
		else
			decide_one(zone, v->items[i].id, mark | PACKET_MARK_ONCE, QUEUE_ACCEPT);
	}
	admission_sent(zone, PACKET_FOR_WHOLE);
	throttle(zone);
}

uint64_t whole_expire(struct zone *zone, uint64_t before_ms, enum queue_verdict verdict)
{
	uint32_t ids[QUEUE_RECEIVE_MAX], cursor = 0;
	uint64_t count = 0;
	size_t got;

	while ((got = queue_out_expire(&zone->whole, before_ms, ids, &cursor)) > 0) {
		for (size_t i = 0; i < got; i++)
			decide_one(zone, ids[i], 0, verdict);
		count += got;
	}
	throttle(zone);
	return count;
}

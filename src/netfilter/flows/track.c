/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends of flows: from the kernel's message to counts and records. */
#include "netfilter/flows/track.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "channel/packet.h"
#include "netfilter/nft/netlink.h"

#define DATAGRAM_BYTES 2048 /* of one event: the kernel writes some 300 */
#define ENDS_A_ROUND   128
#define ROOM_BYTES                                                                                 \
	(8 << 20) /* what the kernel may keep for us: some 8,000 ends; more wait in its table */
#define NS_A_MILLISECOND 1000000U

int track_subscribe(int fd)
{
	const int group = NFNLGRP_CONNTRACK_DESTROY, bytes = ROOM_BYTES, on = 1;

	/* With BROADCAST_ERROR the kernel learns that there was no room, keeps the flow that has
	 * ended, and tries again; so NO_ENOBUFS hides no loss. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
		return -ERR_SYSTEM;
	return 0;
}

void track_begin(struct track *t)
{
	_Static_assert(sizeof(struct track_generations) <= HITS_TAIL_BYTES, "room in the file");

	t->generations = hits_tail(&t->hits);
	if (t->generations == NULL)
		t->generations = &t->own_generations;
}

static void fill_book(struct track *t, struct track_book *book, const struct snapshot *s,
		      int64_t now_s)
{
	hits_begin_policy(&t->hits);
	for (uint32_t i = 0; i < s->zone_count; i++)
		memcpy(book->zones[i], s->zones[i].name, SNAPSHOT_NAME_BYTES);
	for (uint32_t i = 0; i < s->permit_count; i++) {
		const struct snapshot_permit *permit = &s->permits[i];

		book->permits[i] = (struct track_permit){
			.number = permit->number,
			.slot = hits_slot(&t->hits, s, permit, now_s),
			.from = (uint8_t)permit->from,
			.to = (uint8_t)permit->to,
			.logs = permit->flags & PERMIT_LOG,
		};
	}
}

int track_add_policy(struct track *t, const struct snapshot *s, uint64_t epoch, int64_t now_s)
{
	struct track_book *book = &t->books[t->next_book];

	free(book->permits);
	*book = (struct track_book){0};
	book->permits = calloc(s->permit_count + 1, sizeof(book->permits[0]));
	if (book->permits == NULL)
		return -ERR_NO_MEMORY;
	t->next_book = (t->next_book + 1) % TRACK_BOOKS;
	book->epoch = epoch;
	book->count = s->permit_count;
	fill_book(t, book, s, now_s);
	return 0;
}

void track_add_generation(struct track *t, uint16_t generation, uint64_t epoch)
{
	struct track_generations *g = t->generations;
	uint64_t next = g->next % TRACK_GENERATIONS, place = next;

	for (unsigned i = 0; i < TRACK_GENERATIONS; i++) {
		if (g->rows[i].generation == generation)
			place = i; /* its number is used anew */
	}
	if (place == next)
		g->next = (next + 1) % TRACK_GENERATIONS;
	g->rows[place].generation = generation;
	g->rows[place].epoch = epoch;
}

static const struct track_book *book_of(const struct track *t, uint16_t generation)
{
	for (unsigned i = 0; i < TRACK_GENERATIONS; i++) {
		if (generation == 0 || t->generations->rows[i].generation != generation)
			continue;
		for (unsigned j = 0; j < TRACK_BOOKS; j++) {
			if (t->books[j].epoch == t->generations->rows[i].epoch)
				return &t->books[j];
		}
	}
	return NULL;
}

const struct track_permit *track_permit_of(const struct track *t, uint32_t mark,
					   const struct track_book **book)
{
	uint32_t permit = mark & PACKET_MARK_PERMIT;

	*book = book_of(t, (uint16_t)(mark >> 16));
	if (*book == NULL || permit == 0 || permit > (*book)->count)
		return NULL;
	return &(*book)->permits[permit - 1];
}

static struct event_arg address_arg(enum event_key key, uint8_t family, const uint8_t *address)
{
	return (struct event_arg){key, family == 4 ? EVENT_KIND_IPV4 : EVENT_KIND_IPV6, 0, address,
				  family == 4 ? 4 : 16};
}

static void record_end(struct event_client *events, const struct track_book *book,
		       const struct track_permit *permit, const struct flow *flow)
{
	event_send(events, EVENT_FLOW_ENDED, EV_TEXT(FROM_ZONE, book->zones[permit->from]),
		   EV_TEXT(TO_ZONE, book->zones[permit->to]),
		   address_arg(FIELD_SOURCE, flow->family, flow->source),
		   address_arg(FIELD_DESTINATION, flow->family, flow->destination),
		   EV_NUMBER(PROTOCOL, flow->protocol), EV_NUMBER(SOURCE_PORT, flow->source_port),
		   EV_NUMBER(DESTINATION_PORT, flow->destination_port),
		   EV_NUMBER(PERMIT, permit->number), EV_NUMBER(DURATION_MS, flow->duration_ms),
		   EV_NUMBER(PACKETS, flow->packets), EV_NUMBER(BYTES, flow->bytes),
		   EV_NUMBER(BYTES_BACK, flow->bytes_back));
}

static void take_end(struct track *t, struct event_client *events, const struct flow *flow,
		     int64_t now_s)
{
	const struct track_book *book;

	if (flow->mark & PACKET_MARK_LOCK || !(flow->mark & PACKET_MARK_PERMIT))
		return; /* of another zone, of the gateway itself, or never permitted */
	const struct track_permit *permit = track_permit_of(t, flow->mark, &book);

	if (permit == NULL) {
		t->unknown++;
		return;
	}
	hits_add(&t->hits, permit->slot, flow->packets, flow->bytes, now_s);
	if (permit->logs)
		record_end(events, book, permit, flow);
}

static void take_datagram(struct track *t, struct event_client *events, struct span rest,
			  int64_t now_s)
{
	struct netlink_message m;
	struct flow flow;

	while (netlink_next(&rest, &m)) {
		if (m.type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE) &&
		    flow_read(&flow, &m))
			take_end(t, events, &flow, now_s);
	}
}

void track_read(struct track *t, struct event_client *events, int fd, int64_t now_s)
{
	__attribute__((uninitialized)) uint8_t datagram[DATAGRAM_BYTES];

	for (int i = 0; i < ENDS_A_ROUND; i++) {
		ssize_t got = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (got <= 0)
			break;
		take_datagram(t, events, (struct span){datagram, (size_t)got}, now_s);
	}
}

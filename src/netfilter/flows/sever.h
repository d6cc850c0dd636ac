/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending the flows of what was isolated (Z11, ADR 421). The kernel's tables are read from the event
 * loop, a piece at a time, by sockets on which nothing else waits: an intruder who has filled a
 * table holds up nobody's packets. They are read for all orders that wait; later orders are for the
 * next reading.
 */
#ifndef SEKISHO_NETFILTER_FLOWS_SEVER_H
#define SEKISHO_NETFILTER_FLOWS_SEVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "channel/packet.h"
#include "channel/stations.h"
#include "netfilter/flows/flows.h"
#include "policy/snapshot.h"

#define SEVER_ORDERS_MAX  64
#define SEVER_PIECE_BYTES 16384 /* of the table in one turn: some 50 flows */

struct netfilter;
struct zone;

struct sever_order {
	uint32_t number;                      /* of its answer; 0: nobody waits for one */
	char zone[SNAPSHOT_NAME_BYTES];       /* that is isolated; empty: it is a station */
	struct control_sever_station station; /* its addresses are sorted */
	uint64_t ended; /* of its flows, those that were open, each where it began */
};

struct sever {
	struct netfilter *nf;
	struct sever_order orders[SEVER_ORDERS_MAX]; /* in their order */
	uint32_t order_count;
	uint32_t walked; /* the first so many: what is being read is read for them */
	uint32_t zones_begun;
	bool failed;                         /* something could not be read or ended */
	struct zone *zone;                   /* whose table is read; NULL: none */
	struct loop_fd watch;                /* of its socket */
	struct loop_timer gap;               /* between two tables */
	struct flow flows[PACKET_BATCH_MAX]; /* of it, to be ended with one message */
	size_t count;
	uint8_t piece[SEVER_PIECE_BYTES];
};

void sever_init(struct sever *s, struct netfilter *nf);

/**
 * sever_zone - begin to end every flow from, to and through a zone: TCP is reset when it speaks
 * @name:   that is isolated
 * @number: CONTROL_SEVERED says it when all tables were read; 0: nobody waits. Without room for
 *	    the order it says at once that it is not whole.
 */
void sever_zone(struct sever *s, const char *name, uint32_t number);

/* The same with every flow from and to the addresses of a station; nobody waits for it. */
void sever_station(struct sever *s, const struct control_sever_station *station);

/* Another policy runs, with zones of its own: none of them is left out. */
void sever_begin_anew(struct sever *s);
/* A zone's sockets are about to be closed. */
void sever_end_zone(struct sever *s, const struct zone *zone);

/* sever.c: what an order is about, and what is recorded of it. */

/* Whether a flow of s->zone has to end for @order. */
bool sever_concerns(const struct sever *s, const struct sever_order *order,
		    const struct flow *flow);
/* An order's addresses, as they are looked for. */
void sever_sort_addresses(struct control_sever_station *station);
/* A flow is ended for @order. */
void sever_note_flow(const struct sever *s, struct sever_order *order, const struct flow *flow);
/* All were. */
void sever_note_all(const struct sever *s, const struct sever_order *order);

#endif

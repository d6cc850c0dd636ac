/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows on their way to the arbiter without a packet: state of ahead.c. */
#ifndef SEKISHO_NETFILTER_AHEAD_H
#define SEKISHO_NETFILTER_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/packet.h"
#include "netfilter/flows/flows.h"

/* Out at once, some 1,800 flows: while the machine is busy each wait for the arbiter costs as much
 * as many judgements. */
#define AHEAD_BATCHES 64

/* Flows that the arbiter is asked about with one message. */
struct ahead_batch {
	bool waiting; /* for the answer */
	uint32_t zone, count;
	struct flow flows[PACKET_BATCH_MAX];
};

struct ahead {
	struct ahead_batch batches[AHEAD_BATCHES];
	struct packet_batch message; /* that is being made */
	bool walking;                /* flows are being listed for it */
};

/**
 * ahead_item - a packet as the flow's next one might be: its headers and nothing behind them
 * @flow: addresses, protocol and ports of the flow's first packet
 * The arbiter reads it like any other; it never goes anywhere.
 */
void ahead_item(struct packet_item *item, const struct flow *flow, uint32_t id);

#endif

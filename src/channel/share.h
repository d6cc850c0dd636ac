/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The share channel: the first netfilter process <-> one that serves a share of the packets (ADR
 * 414). F -> S is from the first, which holds rules, generations, leases and limits; S has a queue
 * of every zone and an arbiter of its own, and judges only as long as F says by what.
 */
#ifndef SEKISHO_CHANNEL_SHARE_H
#define SEKISHO_CHANNEL_SHARE_H

#include <stdint.h>

#include "channel/packet.h"

enum share_type {
	SHARE_TURN = 1, /* F->S, struct share_turn: judge by this from here on */
	SHARE_TURNED,   /* S->F, the same: nothing is out any more that was judged otherwise */
	SHARE_BEAT,     /* F->S, no body: I live */
	SHARE_ALIVE,    /* S->F, struct share_alive, with each answer of its arbiter */
	SHARE_ASK,      /* S->F, struct share_verdicts: some begin a flow by a permit with a limit.
			 * Answer: SHARE_ADMIT */
	SHARE_ADMIT,    /* F->S, struct share_verdicts: the same with what may not begin denied */
	SHARE_SENT,     /* S->F, struct share_sent: behind each SHARE_ADMIT, once the kernel has the
			 * verdicts, or will never have them */
};

struct share_turn {
	uint64_t epoch;
	uint32_t generation; /* 1..65535 */
	uint32_t pad;
};

struct share_alive {
	uint64_t answered_ms; /* when its arbiter did, on the monotonic clock, which both have */
	uint32_t generation;  /* by which it judges */
	uint32_t pad;
};

struct share_verdicts {
	struct packet_verdicts verdicts;
	struct packet_admissions admissions; /* of SHARE_ADMIT; count 0: none begins a flow */
	uint8_t origins[PACKET_BATCH_MAX];   /* of SHARE_ASK: struct queue_out.origin of each */
	uint32_t pad;
};

struct share_sent {
	uint32_t generation;                /* of the verdicts */
	uint32_t count;                     /* 0..PACKET_BATCH_MAX: flows that were admitted */
	uint32_t permits[PACKET_BATCH_MAX]; /* index of the permit of each */
};

#endif

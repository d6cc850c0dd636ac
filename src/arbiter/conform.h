/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows that must still show what they are. The initiator's bytes are put together as its peer will
 * read them; until they show a conforming first message, every packet of the flow is asked about.
 *
 *   HALF_OPEN   the SYN has passed; nothing has come back to the initiator and been answered
 *   OPEN        bytes are collected and looked at
 *   SHOWN       they conform; each later copy of them must be the same, until
 *   TAKEN       the responder has acknowledged exactly those bytes: from here the flow is the
 *               kernel's. So a segment that only we see (too small a hop limit, a checksum that the
 *               responder refuses) cannot show one thing and deliver another
 *   REFUSED     denied, remembered for a while
 *
 * A flow without a record is denied: it has to begin anew. Fixed storage, no heap. When it is full,
 * the flow that makes way is one that is over, else one of the source that has most.
 */
#ifndef SEKISHO_ARBITER_CONFORM_H
#define SEKISHO_ARBITER_CONFORM_H

#include "arbiter/conform_check.h"
#include "wire/packet/ip.h"

#define CONFORM_FLOWS_MAX      1024
#define CONFORM_BUCKETS        2048
#define CONFORM_PER_SOURCE_MAX 256    /* undecided flows of one IPv4 address or IPv6 /64 */
#define CONFORM_HALF_OPEN_MS   10000  /* from the SYN to the initiator's next packet */
#define CONFORM_DEADLINE_MS    30000  /* from the SYN to a decision */
#define CONFORM_LINGER_MS      120000 /* a decided flow is remembered after its last packet */

enum conform_flow_state {
	FLOW_FREE = 0,
	FLOW_HALF_OPEN,
	FLOW_OPEN,
	FLOW_SHOWN,
	FLOW_TAKEN,
	FLOW_REFUSED
};

/* All bytes are compared: always zeroed first. In the initiator's direction. */
struct conform_key {
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
	uint8_t family;
	uint8_t zone; /* index of the initiator's */
	uint8_t pad[2];
};

struct conform_flow {
	struct conform_key key;
	uint32_t next;  /* in its bucket or the free list, index + 1; 0: none */
	uint8_t state;  /* enum conform_flow_state */
	uint8_t reason; /* enum judge_reason, REFUSED */
	uint8_t pad[2];
	uint32_t base;           /* sequence number of the stream's first byte */
	uint32_t contiguous;     /* bytes from there without a gap, 0..CONFORM_STREAM_BYTES_MAX */
	uint32_t shown_bytes;    /* SHOWN: on which the decision rests */
	uint32_t responder_base; /* sequence number of its first byte; valid with has_responder */
	bool has_responder;
	uint64_t fingerprint; /* of the rule that was shown to; see heritage.h */
	uint64_t began_ms, seen_ms;
};

/* The initiator's bytes, as far as they have come. */
struct conform_stream {
	uint8_t data[CONFORM_STREAM_BYTES_MAX];
	uint8_t have[CONFORM_STREAM_BYTES_MAX / 8];
};

struct conform {
	struct conform_flow flows[CONFORM_FLOWS_MAX];
	struct conform_stream streams[CONFORM_FLOWS_MAX];
	uint32_t buckets[CONFORM_BUCKETS];
	uint32_t free;
	uint32_t cursor; /* of the search for the source that has most */
	uint8_t scratch[CONFORM_STREAM_BYTES_MAX];
};

/* One packet of a flow under conformance. */
struct conform_packet {
	const struct ip_headers
		*headers; /* in the initiator's direction; sequence numbers its own */
	uint32_t zone;    /* the initiator's */
	bool reply, established;
	bool whole;           /* asked for a second time, with all that can be had of it */
	struct span payload;  /* as much as was captured */
	size_t payload_bytes; /* on the wire */
	struct conform_rule rule;
	uint64_t fingerprint; /* of the rule */
	uint64_t now_ms;
};

enum conform_verdict {
	CONFORM_DENY,
	CONFORM_ONCE,   /* this packet may pass; the next one is asked about again */
	CONFORM_PERMIT, /* the flow may pass */
	CONFORM_WHOLE,  /* more of the packet is wanted */
};

void conform_init(struct conform *c);

/**
 * conform_judge - decide about one packet
 * @finding: the reason and the name of a denial, and of a flow that has just shown itself
 */
enum conform_verdict conform_judge(struct conform *c, const struct conform_packet *packet,
				   struct conform_finding *finding);

/**
 * conform_tick - end what has not decided itself in time; call several times a second
 * @refused: called for each flow that is denied by that
 */
void conform_tick(struct conform *c, uint64_t now_ms,
		  void (*refused)(void *ctx, const struct conform_flow *flow), void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet channel: netfilter <-> arbiter. N -> A is from netfilter. Packets travel in batches
 * with as much of them as the kernel copied, opaque to netfilter; verdicts come back in batches,
 * each with the mark that proves it.
 *
 * The 32-bit packet mark: the generation in the high half, the verdict in the low half. Netfilter
 * makes a new generation for every commit and every start of its own; generation 0 is never used,
 * so that an unmarked packet proves nothing.
 */
#ifndef SEKISHO_CHANNEL_PACKET_H
#define SEKISHO_CHANNEL_PACKET_H

#include <stdint.h>

#define PACKET_COPY_BYTES 256 /* of each packet, from the IP header on */
#define PACKET_BATCH_MAX  28  /* packets in one message */

/* A packet that is asked for whole comes in parts; past this it is cut. */
#define PACKET_WHOLE_BYTES 16896 /* a first payload of 16 KiB, and all headers before it */
#define PACKET_PART_BYTES  7168

#define PACKET_MARK_GENERATION 0xffff0000U
#define PACKET_MARK_DENY       0x00008000U /* denied: the low bits are zero */
#define PACKET_MARK_LOCK       0x00004000U /* let in by the rules: second lock, own sockets */
#define PACKET_MARK_PERMIT     0x00003fffU /* permitted: index of the permit, plus one */
/*
 * With PACKET_MARK_DENY and a permit: this packet may pass, its flow has proved nothing yet. Saved
 * with the flow so that it is known by whose permit it came; it opens nothing.
 */
#define PACKET_MARK_ONCE PACKET_MARK_DENY
/* From the arbiter alone, never a packet's: more of the packet is wanted. */
#define PACKET_MARK_WHOLE 0x00003fffU

/* Before the verdict, the kernel's rules tell with the mark how a packet came to the queue. */
enum packet_origin {
	PACKET_IS_REPLY = 1,       /* it runs against the direction of its flow's first packet */
	PACKET_IS_ESTABLISHED = 2, /* both sides of the flow have been heard */
};

/*
 * ... in these bits of it. The others are the mark that its flow carries from an earlier verdict;
 * as far as that was no proof, its generation alone.
 */
#define PACKET_ORIGIN_SHIFT 14

enum packet_type {
	PACKET_BATCH = 1,  /* N->A, struct packet_batch, cut behind its @count items */
	PACKET_VERDICTS,   /* A->N, struct packet_verdicts, likewise */
	PACKET_PING,       /* N->A, struct packet_ping */
	PACKET_PONG,       /* A->N, struct packet_ping, the same */
	PACKET_PART,       /* N->A, struct packet_part: a packet that was asked for whole. Its
			    * verdict is PACKET_FOR_WHOLE */
	PACKET_ADMISSIONS, /* N->A, struct packet_admissions, cut behind its @count items: what
			    * became of flows whose permit has a limit */
	PACKET_USE_ASKED,  /* A->N, struct packet_use, epoch and permit: how much of the permit's
			    * limits is in use? Answer: PACKET_USE */
	PACKET_USE,        /* N->A, struct packet_use */
	PACKET_SHOW,       /* N->A, struct packet_show: a captured packet, to become a row of a
			    * console's table */
	PACKET_GENERATION, /* N->A, struct packet_generation: of which policy marks are that this
			    * arbiter has not given */
};

/* Whether a flow that the arbiter permits fits into the limits of its permit. */
enum packet_admission {
	PACKET_ADMITTED,
	PACKET_OVER_RATE,        /* it is denied: more new flows than may be in a time */
	PACKET_OVER_CONNECTIONS, /* it is denied: more flows than may be at one time */
	PACKET_NOT_COUNTED,      /* it is denied: the kernel did not tell of its flows */
	PACKET_ADMISSION_COUNT_
};

/* What a batch is asked for; the answer says it again. */
enum packet_purpose {
	PACKET_FOR_PACKETS = 0, /* each waits for its verdict */
	PACKET_FOR_FLOWS, /* none exists: the headers that a running flow's next packet would have.
			   * A denial is no event; the mark of a permit is the flow's; 0 where the
			   * packet has to be waited for */
	PACKET_FOR_WHOLE, /* one packet that came in parts */
};

struct packet_item {
	uint32_t id;             /* netfilter's number; comes back in the verdict */
	uint32_t wire_bytes;     /* length of the whole packet */
	uint16_t captured_bytes; /* valid bytes of @data, 0..PACKET_COPY_BYTES */
	uint8_t origin;          /* enum packet_origin */
	uint8_t mac_bytes;       /* 6, or 0 where the link has no such address */
	uint8_t mac[8];          /* of the sender on the zone's link */
	uint32_t before;         /* the mark that proved its flow to a generation before; 0: the
				  * flow begins. Without a permit in it: a packet of the flow has
				  * passed in that generation, and proves nothing */
	uint8_t data[PACKET_COPY_BYTES];
};

/* Parts of one packet come one after the other, with nothing between them. */
struct packet_part {
	uint64_t epoch;
	uint32_t generation;
	uint32_t zone;
	uint32_t captured_bytes; /* of the whole packet, 1..PACKET_WHOLE_BYTES */
	uint32_t at;             /* where this part belongs */
	uint32_t bytes;          /* 1..PACKET_PART_BYTES */
	uint32_t pad;
	struct packet_item item; /* its first bytes too */
	uint8_t data[PACKET_PART_BYTES];
};

struct packet_batch {
	uint64_t epoch;      /* of the policy to judge by */
	uint32_t generation; /* to put into the marks, 1..65535 */
	uint32_t zone;       /* index of the zone whose queue they wait in */
	uint32_t count;      /* 1..PACKET_BATCH_MAX */
	uint32_t purpose;    /* enum packet_purpose */
	struct packet_item items[PACKET_BATCH_MAX];
};

struct packet_verdict {
	uint32_t id;
	uint32_t mark; /* 0: the arbiter has no such policy; nothing may pass */
};

struct packet_verdicts {
	uint32_t generation; /* of the batch, as are zone and purpose */
	uint32_t zone;
	uint32_t count;
	uint32_t purpose;
	struct packet_verdict items[PACKET_BATCH_MAX];
};

struct packet_admission_item {
	uint32_t id;
	uint32_t admission; /* enum packet_admission */
};

/* After the verdicts of a batch that begin a flow by a permit with a limit. */
struct packet_admissions {
	uint32_t zone;
	uint32_t count;   /* 1..PACKET_BATCH_MAX */
	uint32_t purpose; /* PACKET_FOR_PACKETS or PACKET_FOR_WHOLE: numbers are of one queue */
	uint32_t pad;
	struct packet_admission_item items[PACKET_BATCH_MAX];
};

struct packet_use {
	uint64_t epoch;       /* of the policy that has the permit */
	uint32_t permit;      /* index */
	uint32_t known;       /* 0: netfilter has another policy, or could not count */
	uint32_t connections; /* flows at this time */
	uint32_t left;        /* flows that the rate lets begin now */
};

enum packet_show_flags {
	PACKET_SHOW_OUT = 1,   /* it left by the zone's port; else it came in by it */
	PACKET_SHOW_FIRST = 2, /* no packet: the table begins */
	PACKET_SHOW_LAST = 4,  /* no packet: it ends */
};

struct packet_show {
	uint64_t epoch;           /* of the policy under which it was captured */
	uint32_t number, console; /* of the question, as in struct control_row */
	uint32_t zone;            /* index of the zone in that policy */
	uint32_t flags;           /* enum packet_show_flags */
	int64_t time_us;          /* since 1970 */
	uint32_t captured_bytes;  /* of the packet, from the IP header on */
	uint32_t pad;
	uint8_t data[PACKET_COPY_BYTES]; /* as many of them as fit */
};

struct packet_generation {
	uint64_t epoch;
	uint32_t generation; /* 1..65535 */
	uint32_t pad;
};

struct packet_ping {
	uint64_t number;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Denials on their way into the log: the first of a kind at once, then exact counts of the same
 * kind in summaries. A source that tries many different things gets few lines of its own kind each
 * and one line with the rest. Every denied packet that is noted is in exactly one event's count.
 * Fixed storage, no heap.
 */
#ifndef SEKISHO_ARBITER_DENIALS_H
#define SEKISHO_ARBITER_DENIALS_H

#include <stdint.h>

#include "arbiter/judge.h"
#include "base/event.h"
#include "policy/snapshot.h"
#include "wire/packet/ip.h"

#define DENIALS_MAX          4096 /* kinds that are remembered at a time */
#define DENIALS_BUCKETS      4096
#define DENIALS_PER_SOURCE   16    /* kinds of one source with lines of their own */
#define DENIALS_SUMMARY_MS   10000 /* between two lines of one kind */
#define DENIALS_EVENTS_BURST 200
#define DENIALS_EVENTS_PER_S 100

/* What makes two denials one kind. All bytes are compared: always zeroed first. */
struct denial_kind {
	char from[SNAPSHOT_NAME_BYTES], to[SNAPSHOT_NAME_BYTES]; /* zone names; "" for none */
	uint8_t source[16], destination[16];
	uint16_t port;  /* destination port, ICMP type */
	uint8_t family; /* 4, 6; 0: the headers could not be read */
	uint8_t protocol;
	uint8_t reason;  /* enum judge_reason */
	uint8_t rest;    /* 1: everything else of this source */
	uint16_t permit; /* number of the permit whose limit it is; 0: none */
};

struct denial {
	struct denial_kind kind;
	uint64_t pending;    /* not yet in an event */
	uint64_t emitted_ms; /* 0: never */
	uint64_t seen_ms;
	uint32_t kinds; /* rest: how many kinds of its source have lines of their own */
	uint32_t next;  /* in its bucket or the free list, index + 1; 0: none */
};

struct denials {
	struct denial rows[DENIALS_MAX];
	uint32_t buckets[DENIALS_BUCKETS]; /* index + 1 */
	uint32_t free;
	uint32_t shares; /* arbiters that the budget of events is divided among */
	uint64_t tokens; /* events that may be sent now, in thousandths */
	uint64_t refilled_ms;
	uint64_t overflow; /* denials that found no row */
	uint64_t overflow_told;
};

void denials_init(struct denials *d, uint64_t now_ms);

/* How many arbiters have the gateway's budget of events together; 1 at first. */
void denials_set_shares(struct denials *d, uint32_t shares);

/**
 * denials_note - count one denied packet, and tell of it at once where it is the first of its kind
 * @s: names of zones; borrowed for the call
 * @h: NULL where the headers could not be read
 */
void denials_note(struct denials *d, struct event_client *events, const struct snapshot *s,
		  uint32_t from, const struct judge_verdict *verdict, const struct ip_headers *h,
		  uint64_t now_ms);

/* Send the summaries that are due; call several times a second. */
void denials_tick(struct denials *d, struct event_client *events, uint64_t now_ms);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet, one mark: the judgement, what its flow still has to show, and the events that come of
 * it.
 */
#ifndef SEKISHO_ARBITER_DECIDE_H
#define SEKISHO_ARBITER_DECIDE_H

#include "arbiter/awaited.h"
#include "arbiter/conform.h"
#include "arbiter/denials.h"
#include "arbiter/detect.h"
#include "arbiter/heritage.h"
#include "arbiter/judge.h"
#include "arbiter/watched.h"
#include "base/event.h"
#include "channel/packet.h"

#define DECIDE_DETAILS_BURST 100 /* events about single flows that did not conform */
#define DECIDE_DETAILS_PER_S 20

struct decide_question;

struct decider {
	struct event_client *events;
	struct denials denials;
	struct conform conform;
	struct heritage heritage;
	struct detect detect;
	struct awaited awaited;
	struct watched_list watched;
	/* Called where the guard of a zone wants the station of an alarm shut out; NULL: nobody. */
	void (*isolate)(const struct decide_question *q, const uint8_t mac[6], const char *kind);
	uint64_t detail_tokens; /* in thousandths */
	uint64_t refilled_ms;
};

/* A packet as netfilter asks about it. */
struct decide_question {
	const struct judge_policy *policy; /* by which to judge */
	uint32_t generation, zone;
	const struct packet_item *item; /* its data is not looked at */
	struct span data;               /* from the IP header on, as much as is at hand */
	enum packet_purpose purpose;
	int64_t now_s;   /* since 1970 */
	uint64_t now_ms; /* monotonic */
};

void decide_init(struct decider *d, struct event_client *events, uint64_t now_ms);

/**
 * decide_packet - the mark of one packet's verdict, and the events that it brings
 * Return: the mark with the question's generation; 0 only for flows that are asked about ahead of
 * their packets and must wait for one.
 */
uint32_t decide_packet(struct decider *d, const struct decide_question *q);

/**
 * decide_admission - what netfilter has counted for a flow that was permitted
 * @zone, @purpose, @id: of the packet that began it
 * A flow that is not remembered is passed over.
 */
void decide_admission(struct decider *d, uint32_t zone, enum packet_purpose purpose, uint32_t id,
		      enum packet_admission admission, uint64_t now_ms);

/* Deadlines and summaries; call several times a second. @s: the running policy, or NULL. */
void decide_tick(struct decider *d, const struct snapshot *s, uint64_t now_ms);

#endif

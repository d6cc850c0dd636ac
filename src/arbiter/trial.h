/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's `test flow`: what the running policy would say about a flow that does not exist. */
#ifndef SEKISHO_ARBITER_TRIAL_H
#define SEKISHO_ARBITER_TRIAL_H

#include "arbiter/judge.h"
#include "base/channel.h"
#include "channel/control.h"
#include "channel/packet.h"

/**
 * trial_read - read the words of a trial
 * @text: NUL-terminated: ZONE SOURCE DESTINATION tcp|udp|icmp|NUMBER [PORT]; the port is needed for
 * tcp and udp, and given for no other
 * @h:    filled with the headers of the flow's first packet; for icmp an echo request
 * @zone: index of ZONE in @s
 * Return: NULL, or a fixed text that says what is wrong and what is allowed.
 */
const char *trial_read(struct ip_headers *h, uint32_t *zone, const struct snapshot *s,
		       const char *text);

/* A question that is being answered. */
struct trial {
	const struct snapshot *snapshot; /* borrowed; NULL: nothing is left to answer */
	struct control_query query;
	uint32_t from; /* zone index */
	struct judge_verdict verdict;
};

/**
 * trial_begin - judge the flow of a query
 * @t:      receives what trial_finish needs; where the words are wrong the answer is sent whole
 * @policy: NULL: none is running; its snapshot is borrowed until trial_finish
 * Return: as channel_send.
 */
int trial_begin(struct channel *control, struct trial *t, const struct judge_policy *policy,
		const struct control_query *query, int64_t now_s);

/* Whether the permit has limits, of which netfilter knows the use. */
bool trial_needs_use(const struct trial *t);

/**
 * trial_finish - send the verdict, which ends the trial
 * @use: of the permit's limits; NULL: not known, or it has none
 * Return: as channel_send.
 */
int trial_finish(struct channel *control, struct trial *t, const struct packet_use *use);

/**
 * trial_of_candidate - the whole answer to a question about a policy that does not run
 * @fd: sealed snapshot; borrowed
 * Nobody knows the use of its limits. Return: as channel_send.
 */
int trial_of_candidate(struct channel *control, const struct control_query *query, int fd,
		       int64_t now_s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows that were permitted by a permit with a limit: whether they fit into it is counted in
 * netfilter, and only then there is something to record. Fixed storage, no heap: as many as can be
 * out for a verdict; one that is never answered makes way for later ones.
 */
#ifndef SEKISHO_ARBITER_AWAITED_H
#define SEKISHO_ARBITER_AWAITED_H

#include <stdbool.h>
#include <stdint.h>

#include "arbiter/conform.h"
#include "arbiter/judge.h"
#include "base/buf.h"
#include "wire/packet/ip.h"

#define AWAITED_MAX 256 /* more than netfilter lets be out at once */

struct awaited_flow {
	const struct judge_policy *policy; /* NULL: free */
	uint32_t zone, id, purpose;        /* the packet: a number is of one queue of a zone */
	bool tell;                         /* record it when it is admitted */
	struct judge_verdict verdict;
	struct ip_headers headers;
	char name[sizeof(((struct conform_finding *)0)->name)];
	size_t name_bytes;
};

struct awaited {
	struct awaited_flow flows[AWAITED_MAX];
	uint32_t next;
};

/* Remember a flow; the oldest makes way. @flow: its policy is borrowed until awaited_forget. */
void awaited_add(struct awaited *a, const struct awaited_flow *flow);

/**
 * awaited_take - the flow that an answer is about
 * Return: whether there is one; it is no longer remembered then.
 */
bool awaited_take(struct awaited *a, uint32_t zone, uint32_t purpose, uint32_t id,
		  struct awaited_flow *out);

/* The policy is no more: flows that it permitted are not recorded. */
void awaited_forget(struct awaited *a, const struct judge_policy *policy);

#endif

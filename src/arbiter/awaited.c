/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows whose permit has a limit, until netfilter has counted. */
#include "arbiter/awaited.h"

#include <stddef.h>

void awaited_add(struct awaited *a, const struct awaited_flow *flow)
{
	a->flows[a->next] = *flow;
	a->next = (a->next + 1) % AWAITED_MAX;
}

bool awaited_take(struct awaited *a, uint32_t zone, uint32_t purpose, uint32_t id,
		  struct awaited_flow *out)
{
	for (uint32_t i = 0; i < AWAITED_MAX; i++) {
		struct awaited_flow *flow = &a->flows[i];

		if (flow->policy == NULL || flow->zone != zone || flow->purpose != purpose ||
		    flow->id != id)
			continue;
		*out = *flow;
		flow->policy = NULL;
		return true;
	}
	return false;
}

void awaited_forget(struct awaited *a, const struct judge_policy *policy)
{
	for (uint32_t i = 0; i < AWAITED_MAX; i++) {
		if (a->flows[i].policy == policy)
			a->flows[i].policy = NULL;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the rules that the kernel has are those that a policy asks for (ADR 422). */
#ifndef SEKISHO_NETFILTER_RULES_COMPARE_H
#define SEKISHO_NETFILTER_RULES_COMPARE_H

#include <stdint.h>

#include "base/buf.h"

struct rules_compared {
	uint32_t rules;     /* of the kernel, that were compared */
	uint32_t chains;    /* of the kernel */
	uint32_t sets;      /* of the kernel */
	uint32_t elements;  /* of the kernel, in sets that a policy fills, that were compared */
	uint32_t differing; /* rules of either that the other lacks at that place; chains, sets and
			       tables that only one has; sets whose elements differ */
};

/**
 * rules_compare - hold the kernel's tables, chains and rules against those that were asked for
 * @kernel: answers to dumps of tables, sets and their elements, chains and rules
 * @asked:  the messages by which they would be put in force (ruleset_write)
 * @out:    receives a line `# ...` for each of the first 20 differences; remembers that it is full
 * Rules of a chain are compared one after the other, by their expressions; of chains the hook, the
 * priority and the policy. What counters have counted is no difference. Of sets that a policy
 * fills the elements are compared, in whatever order; those that packets fill, or whose elements
 * end by themselves, must be there. Return: 0 or -ERR_NO_MEMORY.
 */
int rules_compare(struct span kernel, struct span asked, struct bytes *out,
		  struct rules_compared *compared);

#endif

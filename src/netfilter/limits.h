/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a permit is in use, and how much it may be (Z14): flows at one time, and new flows in
 * a time, from all sources together. Arithmetic only: who asks the kernel is admission.c.
 */
#ifndef SEKISHO_NETFILTER_LIMITS_H
#define SEKISHO_NETFILTER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"

/* One permit that has a limit. */
struct limit {
	uint64_t key;         /* of its zones and its number: who it is in another policy */
	uint32_t permit;      /* index in the policy */
	uint32_t connections; /* 0: any number */
	uint32_t rate;        /* 0: any */
	uint32_t period_ms;
	uint64_t credit;    /* flows that may begin now, each worth period_ms */
	uint64_t filled_ms; /* when the credit was reckoned */
	/* Flows at one time, never fewer than there are; without @counted nobody knows. */
	uint32_t used;
	bool counted;
	uint32_t unsent; /* of them, those whose verdict the kernel does not have yet */
	uint32_t held[SNAPSHOT_QUEUES_MAX]; /* the same of those that another share gives verdicts
					     * of, by its number */
};

/* Those of a policy, ascending by key. */
struct limits {
	struct limit *rows;
	uint32_t count;
	uint32_t *row_of; /* by permit: row and one; 0: without a limit */
	uint32_t permit_count;
};

/**
 * limits_init - take the limits from a policy; nothing is counted yet
 * @full: whether as many flows may begin at once as in a period; else the credit begins at none,
 * and what began in an earlier life of this process is not given again
 * Return: 0 or -ERR_NO_MEMORY; nothing to free after an error.
 */
int limits_init(struct limits *l, const struct snapshot *s, bool full, uint64_t now_ms);
void limits_fini(struct limits *l);

/* What is left of the rates of permits that were in the policy before. */
void limits_carry(struct limits *l, const struct limits *before);

/* The limit of a permit by its index; NULL: it has none. */
struct limit *limits_of(const struct limits *l, uint32_t permit);
/* The same by zones and number. */
struct limit *limits_find(const struct limits *l, const char *from, const char *to,
			  uint32_t number);

/* Whether the rate lets one more flow begin. */
bool limit_has_credit(struct limit *limit, uint64_t now_ms);
/* One more flow has begun, by a verdict that is not with the kernel yet. */
void limit_take(struct limit *limit);
/* Flows that have begun, and that the kernel may not know of yet. */
uint32_t limit_on_the_way(const struct limit *limit);
/* A running flow has this permit now; it may have been counted already. */
void limit_join(struct limit *limit);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second lock: in the namespace of the zone that a permit leads to, the permits' addresses,
 * protocols and ports as static sets, one for each shape. Matched against the tuple of the flow's
 * first packet, so in both directions.
 */
#ifndef SEKISHO_NETFILTER_RULESET_LOCK_H
#define SEKISHO_NETFILTER_RULESET_LOCK_H

#include <stdint.h>

#include "netfilter/nft/nft.h"
#include "policy/snapshot.h"

#define LOCK_SHAPES_MAX 512 /* sets in one zone */

struct lock;

/**
 * lock_new - collect the shapes of the permits that lead into a zone
 * @s: borrowed for the life of the result
 * Return: the lock, freed by lock_free; NULL without memory or past LOCK_SHAPES_MAX.
 */
struct lock *lock_new(const struct snapshot *s, uint32_t zone);
void lock_free(struct lock *lock);

/* How many sets it needs. */
uint32_t lock_set_count(const struct lock *lock);
/* Remove the sets of an earlier lock; no rule may use them any more. */
void lock_remove_sets(struct nft_batch *b, uint32_t count);
/* Make the sets and fill them. */
void lock_put_sets(const struct lock *lock, struct nft_batch *b);
/**
 * lock_put_rules - for each set a rule: where the flow's tuple is in it, the mark is set and the
 * packet accepted
 */
void lock_put_rules(const struct lock *lock, struct nft_batch *b, const char *chain, uint32_t mark);

#endif

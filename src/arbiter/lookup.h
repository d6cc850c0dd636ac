/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The permits of a snapshot, compiled for lookup. Those of one zone pair, family and protocol are a
 * group. In each of its three dimensions (destination, source, port) the permits' ranges cut the
 * values into intervals, and each interval has the set of permits that hold there. A lookup finds
 * three intervals by halving and the first permit that is in all three sets: at most
 * SNAPSHOT_PERMITS_MAX / 64 steps, whatever the permits look like.
 */
#ifndef SEKISHO_ARBITER_LOOKUP_H
#define SEKISHO_ARBITER_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "policy/ranges.h"
#include "policy/snapshot.h"
#include "wire/packet/ip.h"

/* Words of all sets together: 64 MB. A policy with more is refused. */
#define LOOKUP_WORDS_MAX (1U << 22)

enum lookup_dimension { LOOKUP_DESTINATION, LOOKUP_SOURCE, LOOKUP_PORT, LOOKUP_DIMENSIONS };

/* 64 permits of a set, by their place in the group; words without any are left out. */
struct lookup_word {
	uint32_t number; /* of the word: places number*64 to number*64+63 */
	uint32_t pad;
	uint64_t bits;
};

/* From here up to the next interval's first value; the set is words first_word to end_word - 1. */
struct lookup_interval {
	address_number first;
	uint32_t first_word, end_word;
};

/* The intervals of one dimension, ascending; the first begins at 0. */
struct lookup_axis {
	struct lookup_interval *intervals;
	size_t count;
};

/* Sorted by key. */
struct lookup_group {
	uint32_t key;          /* zone pair, family, protocol */
	uint32_t permit_count; /* its permits, ascending: places in sets are indices here */
	uint32_t *permits;     /* indices in the snapshot */
	struct lookup_axis axes[LOOKUP_DIMENSIONS];
};

struct lookup {
	const struct snapshot *snapshot; /* borrowed */
	struct lookup_group *groups;
	size_t group_count, group_capacity;
	struct lookup_word *words;
	size_t word_count, word_capacity;
};

/* What was found: both SNAPSHOT_NONE, or neither. */
struct lookup_match {
	uint32_t permit;  /* index in the snapshot */
	uint32_t service; /* index in services: one of the permit's that matches; where more do,
			     they ask for the same conformance */
};

/**
 * lookup_init - compile the permits
 * @s: borrowed for the life of @out
 * Return: 0; -ERR_TOO_LONG past LOOKUP_WORDS_MAX; -ERR_NO_MEMORY. After an error there is nothing
 * to free.
 */
int lookup_init(struct lookup *out, const struct snapshot *s);
void lookup_fini(struct lookup *lookup);

/**
 * lookup_find - the first permit, by number, that matches a flow's first packet and that @accepts
 * @from, @to: zone indices
 * @accepts:   asked of each candidate, in ascending order: whether it is in force
 * Return: the permit and its service. No heap.
 */
struct lookup_match lookup_find(const struct lookup *lookup, uint32_t from, uint32_t to,
				const struct ip_headers *h,
				int (*accepts)(void *ctx, const struct snapshot_permit *permit),
				void *ctx);

#endif

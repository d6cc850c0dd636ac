/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The permits of a snapshot, compiled for lookup: one hash probe for each shape of match that a
 * zone pair uses (lengths of destination and source prefix, width of the port block), however many
 * permits have that shape.
 */
#ifndef SEKISHO_ARBITER_LOOKUP_H
#define SEKISHO_ARBITER_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot.h"
#include "wire/ip.h"

/* A shape: which bits of a packet count. Sorted by key, then by the lowest permit that has it. */
struct lookup_shape {
	uint32_t key; /* zone pair, family, protocol */
	uint8_t port_bits, destination_bits, source_bits;
	uint8_t pad;
	uint32_t id; /* in order of making */
	uint32_t first_permit;
};

/* One combination. Those of equal key are chained, ascending by permit. */
struct lookup_atom {
	uint32_t shape;
	uint32_t permit;      /* index in the snapshot */
	uint32_t destination; /* index of the prefix */
	uint32_t source;      /* the same, SNAPSHOT_NONE: any */
	uint32_t next;        /* atom with the same key, SNAPSHOT_NONE: none */
	uint32_t port;        /* first port of the block */
	uint32_t service;     /* index of the row in services that it is made from */
};

/* What was found: both SNAPSHOT_NONE, or neither. */
struct lookup_match {
	uint32_t permit;  /* index in the snapshot */
	uint32_t service; /* index in services: one of the permit's that matches; where more do,
			     they ask for the same conformance */
};

struct lookup {
	const struct snapshot *snapshot; /* borrowed */
	struct lookup_shape *shapes;
	size_t shape_count, shape_capacity;
	struct lookup_atom *atoms;
	size_t atom_count, atom_capacity;
	uint32_t *slots; /* atom, or SNAPSHOT_NONE; a power of two of them */
	size_t slot_mask;
};

/**
 * lookup_init - compile the permits
 * @s: borrowed for the life of @out
 * Return: 0; -ERR_TOO_LONG past POLICY_ATOMS_MAX; -ERR_NO_MEMORY. After an error there is nothing
 * to free.
 */
int lookup_init(struct lookup *out, const struct snapshot *s);
void lookup_fini(struct lookup *lookup);

/**
 * lookup_find - the first permit, by number, that matches a flow's first packet and that @accepts
 * @from, @to: zone indices
 * @accepts:   asked of each candidate, in no fixed order: whether it is in force
 * Return: the permit and its service. No heap.
 */
struct lookup_match lookup_find(const struct lookup *lookup, uint32_t from, uint32_t to,
				const struct ip_headers *h,
				int (*accepts)(void *ctx, const struct snapshot_permit *permit),
				void *ctx);

#endif

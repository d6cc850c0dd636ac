/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Permits taken apart into atoms: one destination prefix, one source prefix, one protocol, one
 * block of ports that a mask describes. The arbiter's lookup tables and the kernel's second lock
 * are both made of these.
 */
#ifndef SEKISHO_POLICY_ATOMS_H
#define SEKISHO_POLICY_ATOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"

#define POLICY_ATOMS_MAX (1U << 20) /* of one policy; one with more is refused */

struct policy_atom {
	uint32_t permit;      /* index in the snapshot */
	uint32_t destination; /* index of the prefix */
	uint32_t source;      /* the same; SNAPSHOT_NONE: any */
	uint8_t family;       /* 4 or 6 */
	uint8_t protocol;
	uint8_t port_bits; /* leading bits of the port, or of the ICMP type as a 16-bit number, that
			      count: 0..16 */
	uint8_t pad;
	uint16_t port; /* first of the block */
	uint16_t pad2;
	uint32_t service; /* index of the row in services that it is made from */
};

/**
 * policy_atoms - call @each for every atom, until it returns non-zero
 * From the last permit to the first; sources and destinations of different families make no atom.
 * Return: 0 or what @each returned.
 */
int policy_atoms(const struct snapshot *s, int (*each)(void *ctx, const struct policy_atom *atom),
		 void *ctx);

/* Whether the transport header of a protocol begins with a source and a destination port. */
bool policy_has_ports(uint8_t protocol);
/* ICMP or ICMPv6. */
bool policy_is_icmp(uint8_t protocol);

/* How many leading bits of an atom's source address count: 0 for any. */
uint8_t policy_source_bits(const struct snapshot *s, const struct policy_atom *atom);

#endif

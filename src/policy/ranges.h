/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zone an address belongs to, and through which crossing it is reached: prefixes of the
 * snapshot flattened into disjoint ranges, longest prefix first. The arbiter, the kernel's
 * anti-spoof sets and `trace` all use these.
 */
#ifndef SEKISHO_POLICY_RANGES_H
#define SEKISHO_POLICY_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot.h"

/* An address as a number, so that ranges are compared and counted; IPv4 in the low 32 bits. */
typedef unsigned __int128 address_number;

struct address_range {
	address_number first, last; /* both included */
	uint32_t zone;              /* index */
};

/* Disjoint ranges in ascending order. */
struct range_map {
	struct address_range *rows;
	size_t count;
	size_t capacity;
};

/**
 * address_to_number - network order bytes as a number
 * @family: 4 or 6; decides whether 4 or 16 bytes of @bytes are read
 */
address_number address_to_number(uint8_t family, const uint8_t *bytes);

/* The inverse: writes 4 or 16 bytes. */
void address_from_number(uint8_t family, address_number number, uint8_t *bytes);

/* The first and the last address of a prefix; host bits of its address are ignored. */
void prefix_bounds(const struct snapshot_prefix *prefix, address_number *first,
		   address_number *last);

/* The broadcast address of a network (RFC 919). Return: whether it has one: not in IPv6, nor where
 * there are no more than two addresses (RFC 3021). */
bool prefix_broadcast(const struct snapshot_prefix *prefix, address_number *broadcast);

/* The network of those that each organisation has for itself (RFC 1918 and its like; see
 * range_map_owners) in which @prefix lies, or NULL. */
const struct snapshot_prefix *prefix_bogon(const struct snapshot_prefix *prefix);

/* Whether no packet between hosts has this address, whatever networks there are: this host and
 * loopback, link-local, multicast and above (RFC 6890; RFC 4291 2.4). */
bool address_is_martian(uint8_t family, address_number address);

/**
 * range_map_owners - which zone each address belongs to
 * @out:    freed by range_map_fini; undefined after an error
 * @family: 4 or 6
 * A zone owns the networks of its own addresses, or those where its hosts stand, and the
 * destinations of its routes; of overlapping prefixes the longest decides, of equal ones the zone
 * that comes first. Nobody owns what no host has (address_is_martian), the gateway's own addresses,
 * the broadcast addresses of its networks, and, where nothing leads there but a shorter route of a
 * zone outside, what is for networks of one's own (bogons: RFC 1918, 6598, 2544, 4193, 3056, 4380).
 * Return: 0 or -ERR_NO_MEMORY.
 */
int range_map_owners(struct range_map *out, const struct snapshot *s, uint8_t family);

/**
 * range_map_ways - to which zone a packet from zone @from is forwarded
 * The model of that zone's routing table. Longest prefix first; of equal ones, in this order: the
 * networks of its own (back into itself); through each crossing, the destinations of
 * permits from it and the sources of permits towards it; its static routes; the networks of other
 * zones, which lead nowhere (rows with SNAPSHOT_NONE).
 * Return: 0 or -ERR_NO_MEMORY.
 */
int range_map_ways(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t from);

/**
 * range_map_links - on which side of its transparent crossing the addresses of a network stand
 * @zone: index of a zone of such a crossing; the rows have its index and its peer's
 * The networks of both zones, longest prefix first. Empty for any other zone.
 * Return: 0 or -ERR_NO_MEMORY.
 */
int range_map_links(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t zone);

void range_map_fini(struct range_map *map);

/* The zone of an address, or SNAPSHOT_NONE. Logarithmic in the number of ranges. */
uint32_t range_map_find(const struct range_map *map, address_number address);

#endif

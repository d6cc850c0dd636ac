/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a namespace has of addresses, routes, rules and neighbours, as the kernel says, for people
 * to read. */
#ifndef SEKISHO_SUPERVISOR_ZONES_RTNL_DUMP_H
#define SEKISHO_SUPERVISOR_ZONES_RTNL_DUMP_H

#include <stdint.h>

#include "supervisor/zones/rtnl.h"

#define RTNL_DUMP_TEXT_BYTES 192

struct rtnl_entry {
	uint32_t index;                  /* the device; 0: none in particular */
	char text[RTNL_DUMP_TEXT_BYTES]; /* without the device's name */
};

typedef void rtnl_entry_fn(const struct rtnl_entry *entry, void *ctx);

/* Each calls @each for all of the namespace, IPv4 and IPv6. Return: 0 or -ERR_SYSTEM. */
int rtnl_dump_addresses(struct rtnl *r, rtnl_entry_fn *each, void *ctx);
/* Of every table, also what the kernel has made for its own addresses. */
int rtnl_dump_routes(struct rtnl *r, rtnl_entry_fn *each, void *ctx);
/* Without the kernel's own, which have no hardware address to be found (NUD_NOARP). */
int rtnl_dump_neighbours(struct rtnl *r, rtnl_entry_fn *each, void *ctx);
/* The addresses for which the namespace answers ARP and neighbour discovery. */
int rtnl_dump_proxies(struct rtnl *r, rtnl_entry_fn *each, void *ctx);
/* Which packets are routed by which table, also the three rules that the kernel begins with. */
int rtnl_dump_rules(struct rtnl *r, rtnl_entry_fn *each, void *ctx);

#endif

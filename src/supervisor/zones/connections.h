/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table of connections in each zone (Z14): how many flows it may hold, how full it is,
 * and what it had no room for. A full table refuses new flows: it never lets one by unseen.
 */
#ifndef SEKISHO_SUPERVISOR_ZONES_CONNECTIONS_H
#define SEKISHO_SUPERVISOR_ZONES_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"
#include "supervisor/zones/rtnl.h"

/* Of one zone, as the kernel counts. */
struct connections_count {
	uint32_t flows, flows_max;
	uint32_t refused; /* packets of new flows that found no room, since the zone was made */
};

struct connections {
	struct rtnl netlink;
	bool filling;          /* that was told */
	uint32_t refused_last; /* at the last look */
	uint64_t refused_untold;
	uint64_t told_ms; /* when refusals were told of; 0: never */
};

/* Of the table that the first namespace's number is for. */
struct connections_size {
	uint64_t flows;   /* of each zone */
	uint64_t buckets; /* of the hash for all of them */
};

struct connections_table {
	struct connections_size set;   /* in the kernel, last; 0: never */
	struct connections_size found; /* the kernel's before that */
};

struct supervisor;

/* In the zone's namespace. Return: 0 or -ERR_SYSTEM. */
int connections_open(struct connections *c);
void connections_close(struct connections *c);

/* Return: 0 or -ERR_SYSTEM, where this kernel tracks no connections. */
int connections_count(struct connections *c, struct connections_count *out);

/**
 * connections_resize - have the kernel hold as many flows as a policy asks for in each zone
 * Without a number in the policy, an eighth of the memory is for flows of all zones together. The
 * kernel has one number for all namespaces, which only the first of them may change; where that is
 * another's, its number stays, and an event says so if the policy has one.
 */
void connections_resize(struct supervisor *sup, const struct snapshot *s);

/* Give the kernel back the numbers that the first resizing found, where there was one. */
void connections_restore(struct connections_table *table);

/* Look at every zone once a second from now on, and tell of tables that fill up. */
void connections_watch(struct supervisor *sup);

#endif

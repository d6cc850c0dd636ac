/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel should hold for a policy: zones, their addresses, routes and crossings. A pure
 * function of the snapshot; zones.c makes it so. Lists are sorted, so that two layouts are compared
 * in one walk.
 */
#ifndef SEKISHO_SUPERVISOR_ZONES_LAYOUT_H
#define SEKISHO_SUPERVISOR_ZONES_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot.h"

#define LAYOUT_ROUTES_MAX    65536U /* in one zone */
#define LAYOUT_CROSSINGS_MAX (SNAPSHOT_ZONES_MAX * (SNAPSHOT_ZONES_MAX - 1) / 2)

enum layout_target {
	TARGET_LINK = 1, /* where the hosts of a transparent zone stand: straight to the port */
	TARGET_PORT,     /* the configuration's own static routes */
	TARGET_CROSSING, /* what a permit names on the other side */
	TARGET_VOID,     /* everything else: judged, reported and going nowhere */
};

/*
 * Compared as bytes: every byte of it is set. The target comes first, so that in a sorted list the
 * way to a router stands before the routes that go by it.
 */
struct layout_route {
	uint32_t target;                    /* enum layout_target */
	struct snapshot_prefix destination; /* host bits zero */
	struct snapshot_prefix via;         /* TARGET_PORT: the gateway */
	char peer[SNAPSHOT_NAME_BYTES];     /* TARGET_CROSSING: the zone at the other end */
};

struct layout_routes {
	struct layout_route *rows;
	size_t count, capacity;
};

struct layout_addresses {
	struct snapshot_prefix *rows;
	size_t count, capacity;
};

/* What a zone's port is made of, where it is more than a device that is there. Compared as bytes.
 */
struct layout_base {
	char parent[SNAPSHOT_DEVICE_BYTES]; /* the port is a VLAN of this device, else empty */
	uint32_t vlan;                      /* 1..4094, 0: none */
	uint32_t bond_mode;                 /* enum bond_mode */
	uint32_t member_count; /* of the bond that the parent is, or the port where there is no
				  parent; 0: no bond */
	char members[SNAPSHOT_MEMBERS_MAX][SNAPSHOT_DEVICE_BYTES];
};

struct layout_zone {
	char name[SNAPSHOT_NAME_BYTES];
	char port[16];
	struct layout_base base;
	struct layout_addresses addresses;
	struct layout_addresses proxied; /* single ones that the gateway answers for at the port */
	struct layout_routes routes;
};

struct layout {
	struct layout_zone zones[SNAPSHOT_ZONES_MAX];
	size_t zone_count;
	struct {
		char low[SNAPSHOT_NAME_BYTES], high[SNAPSHOT_NAME_BYTES];
	} crossings[LAYOUT_CROSSINGS_MAX];
	size_t crossing_count;
};

/**
 * layout_init - what @snapshot asks for; NULL: nothing at all
 * Return: 0; -ERR_NO_MEMORY; -ERR_TOO_LONG past LAYOUT_ROUTES_MAX: @layout is empty then.
 */
int layout_init(struct layout *layout, const struct snapshot *snapshot);
void layout_fini(struct layout *layout);

/* Compare as bytes, for walks over two sorted lists. */
int layout_compare_routes(const void *a, const void *b);
int layout_compare_addresses(const void *a, const void *b);

#endif

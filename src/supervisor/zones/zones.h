/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones as network namespaces, and the crossings between them: the kernel's state is led from what
 * is there to what a layout asks for, by differences only. What did not change is not touched.
 */
#ifndef SEKISHO_SUPERVISOR_ZONES_ZONES_H
#define SEKISHO_SUPERVISOR_ZONES_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/zones/connections.h"
#include "supervisor/zones/layout.h"
#include "supervisor/zones/rtnl.h"

#define ZONES_REASON_BYTES 124 /* as in struct control_committed */

struct zone {
	bool used;
	char name[SNAPSHOT_NAME_BYTES];
	int netns_fd;
	int track_fd; /* of netfilter, kept for its next life; -1: not made yet */
	struct rtnl rtnl;
	struct connections connections;
	char port[RTNL_NAME_BYTES]; /* empty: none taken yet */
	struct layout_base base;    /* what the port was made of */
	uint32_t port_index, void_index;
	bool port_up;
	bool isolated; /* by the operator: port down, no crossing */
	bool forwarding;
	bool ipv6;                         /* the port may have a link-local address */
	struct layout_addresses addresses; /* installed, sorted */
	struct layout_addresses proxied;   /* answered for, sorted */
	struct layout_routes routes;       /* installed, sorted */
};

struct crossing {
	bool used;
	struct zone *low, *high;
	uint32_t low_index, high_index; /* the device's index in each */
	uint8_t low_mac[6], high_mac[6];
	bool up;
};

#define ZONE_FORWARDING_COUNT 2

/* The switches of forwarding, each "1" where zone.forwarding and "0" where not. */
extern const char *const zone_forwarding_switches[ZONE_FORWARDING_COUNT];

/* Told of what was made and removed, for the log. @b: the crossing's other zone, or NULL. */
enum zones_change {
	ZONES_ZONE_MADE,
	ZONES_ZONE_REMOVED,
	ZONES_CROSSING_MADE,
	ZONES_CROSSING_REMOVED
};
typedef void zones_told_fn(void *ctx, enum zones_change change, const char *a, const char *b);

/* Why all crossings are shut, and until when. */
enum zones_shut {
	ZONES_SHUT_STORM = 1,    /* until the processes of the packet path live again */
	ZONES_SHUT_ROLLBACK = 2, /* until a policy is in force whole */
	ZONES_SHUT_RECOVERY = 4, /* until a recovery is over; ports are down, too */
	ZONES_SHUT_ZEROISE = 8   /* until the machine starts anew, and is wiped; the same */
};
#define ZONES_SHUT_PORTS (ZONES_SHUT_RECOVERY | ZONES_SHUT_ZEROISE)

struct zones {
	const char *prefix; /* of the names of namespaces */
	int isolation_fd;   /* which zones are isolated: see isolation.h; borrowed */
	int home_fd;        /* the namespace that ports are taken from and returned to */
	struct rtnl home;
	unsigned shut; /* enum zones_shut; while any holds there is no crossing at all */
	struct zone zones[SNAPSHOT_ZONES_MAX *
			  2]; /* old and new ones, while one layout replaces another */
	struct crossing crossings[LAYOUT_CROSSINGS_MAX * 2];
	zones_told_fn *told;
	void *told_ctx;
	char reason[ZONES_REASON_BYTES]; /* of the last failure */
};

/**
 * zones_init - find the home namespace; remove what an earlier instance of this prefix left,
 * returning its ports
 * @prefix: borrowed
 * @isolation_fd: borrowed; zones that it holds are made isolated
 * Return: 0 or -ERR_SYSTEM with a reason.
 */
int zones_init(struct zones *zs, const char *prefix, int isolation_fd, zones_told_fn *told,
	       void *ctx);
/* Remove everything that was made; ports go home. */
void zones_fini(struct zones *zs);

/**
 * zones_prepare - make what is new in @layout without letting a packet through: all new links stay
 * down
 * Return: 0, or an error with zs->reason: then zones_converge to the old layout removes what was
 * made.
 */
int zones_prepare(struct zones *zs, const struct layout *layout);

/**
 * zones_converge - make the kernel hold @layout: remove what is no longer in it, bring links up,
 * forwarding last. The rulesets for @layout must be in force, and so its zones must have been
 * prepared.
 * Return: 0, or an error with zs->reason; may be called again with the same or another layout.
 */
int zones_converge(struct zones *zs, const struct layout *layout);

struct zone *zones_find(struct zones *zs, const char *name);
/* The crossing of a pair, in any order; NULL where there is none. */
struct crossing *zones_crossing(struct zones *zs, const char *a, const char *b);

#endif

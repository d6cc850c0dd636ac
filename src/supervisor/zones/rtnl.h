/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing netlink: the few requests that zones and crossings need, each answered before the call
 * returns. Every function returns 0 or -ERR_SYSTEM with errno set; the kernel's own words, if it
 * gave any, are in r->reason.
 */
#ifndef SEKISHO_SUPERVISOR_ZONES_RTNL_H
#define SEKISHO_SUPERVISOR_ZONES_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"

#define RTNL_NAME_BYTES 16 /* IFNAMSIZ */

struct mnl_socket;

struct rtnl {
	struct mnl_socket *socket; /* acts in the namespace where it was opened; NULL: closed */
	uint32_t sequence;
	char reason[96];
};

struct rtnl_link {
	uint32_t index;
	uint32_t flags; /* IFF_x */
	uint32_t mtu;
	char name[RTNL_NAME_BYTES];
	char kind[RTNL_NAME_BYTES]; /* "veth", "bridge", ...; empty for a physical device */
	uint32_t vlan;              /* of a VLAN: its number; else 0 */
	uint32_t master_index;      /* the bond or bridge that it is in; 0: none */
	uint32_t peer_index;        /* veth: index of the other end; 0: none */
	int32_t peer_netns; /* veth: the other end's namespace as an id of this one; -1: this one */
	uint8_t mac[6];
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped;
};

/* Open in the namespace in which the caller is now. */
int rtnl_open(struct rtnl *r);
void rtnl_close(struct rtnl *r);

/* ERR_NOT_FOUND where there is no such device. */
int rtnl_link_find(struct rtnl *r, const char *name, struct rtnl_link *out);
/* Call @each for every device; a negative return of it ends the walk and is returned. */
int rtnl_link_each(struct rtnl *r, int (*each)(const struct rtnl_link *link, void *ctx), void *ctx);
int rtnl_link_move(struct rtnl *r, uint32_t index, int netns_fd);
int rtnl_link_set_up(struct rtnl *r, uint32_t index, bool up);
int rtnl_link_delete(struct rtnl *r, uint32_t index);
/* A bridge that answers no ARP and has no ports. */
int rtnl_bridge_add(struct rtnl *r, const char *name);
/* A veth pair without ARP: this end here, the other in @peer_netns_fd; both down. */
int rtnl_veth_add(struct rtnl *r, const char *name, const uint8_t mac[6], const char *peer_name,
		  const uint8_t peer_mac[6], int peer_netns_fd);

/* An 802.1Q VLAN of a device. @vlan: 1..4094 */
int rtnl_vlan_add(struct rtnl *r, const char *name, uint32_t parent_index, uint32_t vlan);
/* Several devices as one. @mode: enum bond_mode; a member that loses its link is noticed in 100 ms.
 */
int rtnl_bond_add(struct rtnl *r, const char *name, uint32_t mode);
/* Make a device, which must be down, a member of a bond. */
int rtnl_link_set_master(struct rtnl *r, uint32_t index, uint32_t master_index);

int rtnl_address_set(struct rtnl *r, bool add, uint32_t index,
		     const struct snapshot_prefix *address);

struct rtnl_route {
	struct snapshot_prefix destination;
	struct snapshot_prefix via; /* of the same family; family 0: straight to the device */
	uint32_t index;             /* device */
	uint32_t metric;
	bool onlink; /* the gateway need not be in a connected network */
};

int rtnl_route_set(struct rtnl *r, bool add, const struct rtnl_route *route);
/* A permanent neighbour entry; IPv4 or IPv6 by the prefix's family. */
int rtnl_neighbour_add(struct rtnl *r, uint32_t index, const struct snapshot_prefix *address,
		       const uint8_t mac[6]);

/**
 * rtnl_neighbour_each - call @each for every address that a station is known to have
 * @index: the device behind which it is
 */
int rtnl_neighbour_each(struct rtnl *r, uint32_t index, const uint8_t mac[6],
			void (*each)(void *ctx, const struct snapshot_prefix *address), void *ctx);

/* Let the kernel answer ARP or neighbour discovery for a single address at a device, or no more. */
int rtnl_proxy_set(struct rtnl *r, bool add, uint32_t index, const struct snapshot_prefix *address);

/**
 * rtnl_netns_id - the id by which this namespace knows another
 * @id: -1 where it has none (no device here has its other end there)
 */
int rtnl_netns_id(struct rtnl *r, int netns_fd, int32_t *id);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What zones.c, zone.c and crossing.c share. */
#ifndef SEKISHO_SUPERVISOR_ZONES_PRIVATE_H
#define SEKISHO_SUPERVISOR_ZONES_PRIVATE_H

#include "supervisor/zones/zones.h"

/*
 * Fill zs->reason: "zone lgwan: port eth1: No such device (the kernel's own words)". Always returns
 * @err.
 */
int zones_fail(struct zones *zs, int err, const struct rtnl *r, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* zone.c: one namespace. */
int zone_make(struct zones *zs, struct zone *zone, const char *name);
void zone_remove(struct zones *zs, struct zone *zone);
int zone_take_port(struct zones *zs, struct zone *zone, const struct layout_zone *want);
int zone_return_port(struct zones *zs, struct zone *zone);
/* IPv6 at the port, or none: before the addresses of a layout that adds or drops the family. */
int zone_set_families(struct zones *zs, struct zone *zone, const struct layout_zone *want);
int zone_set_addresses(struct zones *zs, struct zone *zone, const struct layout_addresses *want);
/* Port and void up, or the port down where the zone is isolated. */
int zone_set_links(struct zones *zs, struct zone *zone);
int zone_set_routes(struct zones *zs, struct zone *zone, const struct layout_routes *want);
int zone_set_forwarding(struct zones *zs, struct zone *zone);
/* Answer at the port for the addresses of a transparent crossing's other side, and no others. */
int zone_set_proxied(struct zones *zs, struct zone *zone, const struct layout_zone *want);
/* Forget installed routes that went with a device; @peer: of a crossing, NULL: of the port. */
void zone_forget_routes(struct zone *zone, const char *peer);

/* port.c: the device that is a zone's port. */

/**
 * port_take - bring a zone's port into its namespace, down: a device from home, a VLAN of one that
 * stays at home, or a bond of devices
 */
int port_take(struct zones *zs, struct zone *zone, const struct layout_zone *want);
/* Send home what came from there, remove what was made. */
int port_return(struct zones *zs, struct zone *zone);

/* crossing.c: one veth pair. */
int crossing_make(struct zones *zs, struct crossing *crossing, struct zone *low, struct zone *high);
int crossing_set_up(struct zones *zs, struct crossing *crossing);
int crossing_remove(struct zones *zs, struct crossing *crossing);
/* False where somebody has deleted its device by hand. */
bool crossing_is_there(struct crossing *crossing);
/* The device and the neighbour of a family (4 or 6) through which @zone reaches the other end. */
uint32_t crossing_device(const struct crossing *crossing, const struct zone *zone);
struct snapshot_prefix crossing_gateway(const struct crossing *crossing, const struct zone *zone,
					uint8_t family);

#endif

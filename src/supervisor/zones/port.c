/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device that is a zone's port:
 *
 *   a device        is moved into the zone's namespace
 *   a VLAN          is made on its parent, which stays at home, up and without any address, and
 * moved;
 *                   the parent may be a bond, which then is made at home
 *   a bond          cannot be moved: its members are, and it is made in the zone's namespace
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "supervisor/zones/netns.h"
#include "supervisor/zones/private.h"

static int fail(struct zones *zs, struct zone *zone, int err, const struct rtnl *r,
		const char *device)
{
	return zones_fail(zs, err, r, "zone %s: port %s", zone->name, device);
}

/* From home into the zone, down. */
static int move_in(struct zones *zs, struct zone *zone, const char *device)
{
	struct rtnl_link link;
	int err = rtnl_link_find(&zs->home, device, &link);

	if (err == 0)
		err = rtnl_link_set_up(&zs->home, link.index, false);
	if (err == 0)
		err = rtnl_link_move(&zs->home, link.index, zone->netns_fd);
	return err < 0 ? fail(zs, zone, err, &zs->home, device) : 0;
}

/* Back home, down. A device that was unplugged cannot be returned. */
static int move_home(struct zones *zs, struct zone *zone, const char *device)
{
	struct rtnl_link link;
	int err = rtnl_link_find(&zone->rtnl, device, &link);

	if (err == 0)
		err = rtnl_link_set_up(&zone->rtnl, link.index, false);
	if (err == 0)
		err = rtnl_link_move(&zone->rtnl, link.index, zs->home_fd);
	return err < 0 && err != -ERR_NOT_FOUND ? fail(zs, zone, err, &zone->rtnl, device) : 0;
}

static int remove_device(struct rtnl *r, const char *device)
{
	struct rtnl_link link;
	int err = rtnl_link_find(r, device, &link);

	if (err == 0)
		err = rtnl_link_delete(r, link.index);
	return err == -ERR_NOT_FOUND ? 0 : err;
}

/* Make a bond where its members already are. */
static int make_bond(struct zones *zs, struct zone *zone, struct rtnl *r, const char *name,
		     const struct layout_base *base)
{
	struct rtnl_link bond, member;
	int err = rtnl_bond_add(r, name, base->bond_mode);

	if (err == 0)
		err = rtnl_link_find(r, name, &bond);
	for (uint32_t i = 0; i < base->member_count && err == 0; i++) {
		err = rtnl_link_find(r, base->members[i], &member);
		if (err == 0)
			err = rtnl_link_set_up(r, member.index, false);
		if (err == 0)
			err = rtnl_link_set_master(r, member.index, bond.index);
	}
	return err < 0 ? fail(zs, zone, err, r, name) : 0;
}

static int take_bond(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	int err = 0;

	for (uint32_t i = 0; i < want->base.member_count && err == 0; i++)
		err = move_in(zs, zone, want->base.members[i]);
	return err < 0 ? err : make_bond(zs, zone, &zone->rtnl, want->port, &want->base);
}

static bool others_use(const struct zones *zs, const struct zone *zone, const char *parent)
{
	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		const struct zone *other = &zs->zones[i];

		if (other != zone && other->used && other->port[0] &&
		    strcmp(other->base.parent, parent) == 0)
			return true;
	}
	return false;
}

/* The parent at home: up, and speaking neither IPv4 (it has no address) nor IPv6. */
static int open_parent(struct zones *zs, struct zone *zone, const struct layout_base *base,
		       struct rtnl_link *parent)
{
	char name[96];
	int err = 0;

	if (base->member_count > 0 && !others_use(zs, zone, base->parent)) {
		err = remove_device(&zs->home, base->parent); /* of an earlier instance */
		if (err == 0)
			err = make_bond(zs, zone, &zs->home, base->parent, base);
	}
	if (err == 0)
		err = rtnl_link_find(&zs->home, base->parent, parent);
	(void)snprintf(name, sizeof(name), "net/ipv6/conf/%s/disable_ipv6", base->parent);
	if (err == 0)
		err = netns_sysctl(name, "1");
	if (err == 0)
		err = rtnl_link_set_up(&zs->home, parent->index, true);
	return err < 0 ? fail(zs, zone, err, &zs->home, base->parent) : 0;
}

static int take_vlan(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	struct rtnl_link parent;
	int err = open_parent(zs, zone, &want->base, &parent);

	if (err < 0)
		return err;
	err = remove_device(&zs->home, want->port); /* what an earlier instance gave back */
	if (err == 0)
		err = rtnl_vlan_add(&zs->home, want->port, parent.index, want->base.vlan);
	return err < 0 ? fail(zs, zone, err, &zs->home, want->port) : move_in(zs, zone, want->port);
}

int port_take(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	if (want->base.vlan != 0)
		return take_vlan(zs, zone, want);
	if (want->base.member_count > 0)
		return take_bond(zs, zone, want);
	return move_in(zs, zone, want->port);
}

/* The last VLAN of a parent takes its bond with it; the parent goes down. */
static int close_parent(struct zones *zs, struct zone *zone)
{
	const char *parent = zone->base.parent;
	struct rtnl_link link;
	int err;

	if (others_use(zs, zone, parent))
		return 0;
	if (zone->base.member_count > 0) {
		err = remove_device(&zs->home, parent);
	} else {
		err = rtnl_link_find(&zs->home, parent, &link);
		if (err == 0)
			err = rtnl_link_set_up(&zs->home, link.index, false);
	}
	return err < 0 && err != -ERR_NOT_FOUND ? fail(zs, zone, err, &zs->home, parent) : 0;
}

int port_return(struct zones *zs, struct zone *zone)
{
	int err = 0;

	if (zone->base.vlan == 0 && zone->base.member_count == 0)
		return move_home(zs, zone, zone->port);
	err = remove_device(&zone->rtnl, zone->port);
	if (err < 0)
		return fail(zs, zone, err, &zone->rtnl, zone->port);
	if (zone->base.vlan != 0)
		return close_parent(zs, zone);
	for (uint32_t i = 0; i < zone->base.member_count; i++) {
		int moved = move_home(zs, zone, zone->base.members[i]);

		err = err < 0 ? err : moved; /* the others go home all the same */
	}
	return err;
}

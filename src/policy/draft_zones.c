/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of zones: ports and networks of their own, routers within reach, stations on the link. */
#include "policy/draft.h"

#include <string.h>

#include "policy/prefix.h"

static const struct snapshot_zone *zone_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_ZONES, i);
}

static const struct snapshot_prefix *prefix_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_PREFIXES, i);
}

/* A port of its own; and what one zone takes whole, no other has a VLAN of. */
static void check_device(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct tree_node *origin =
		tree_first(draft_origin(d, SECTION_ZONES, zone), ROW_ZONE_PORT);

	for (uint32_t i = 0; i < zone; i++) {
		const struct snapshot_zone *other = zone_at(d, i);

		if (strcmp(other->port, z->port) == 0)
			draft_refuse(d, origin, PROBLEM_SAME_DEVICE, z->port, other->name);
		else if (strcmp(other->parent, z->port) == 0 || strcmp(other->port, z->parent) == 0)
			draft_refuse(d, origin, PROBLEM_VLAN_OF_PORT, z->port, other->name);
	}
}

static const struct snapshot_device *device_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_DEVICES, i);
}

/* A port that a bond has belongs to nobody else: no other bond, no zone, and it is no bond itself.
 */
static void check_member(struct draft *d, uint32_t i)
{
	const char *name = device_at(d, i)->name;
	const struct tree_node *origin = draft_origin(d, SECTION_DEVICES, i);

	for (uint32_t k = 0; k < i; k++) {
		if (strcmp(device_at(d, k)->name, name) == 0)
			draft_refuse(d, origin, PROBLEM_BOND_MEMBER, name,
				     tree_value(draft_origin(d, SECTION_DEVICES, k)->parent, 0));
	}
	for (uint32_t k = 0; k < draft_count(d, SECTION_ZONES); k++) {
		if (strcmp(zone_at(d, k)->port, name) == 0 ||
		    strcmp(zone_at(d, k)->parent, name) == 0)
			draft_refuse(d, origin, PROBLEM_BOND_MEMBER, name, zone_at(d, k)->name);
	}
	if (draft_entry_node(d, ROW_BOND, name) != NULL)
		draft_refuse(d, origin, PROBLEM_BOND_MEMBER, name, name);
}

/* Where the zone's hosts stand on its link. */
static struct snapshot_range link_networks(const struct snapshot_zone *z)
{
	return z->peer != SNAPSHOT_NONE ? z->networks : z->addresses;
}

/* Routed zones have addresses of the gateway, bridged ones networks; that one is there is checked
 * on the tree. */
static void check_mode(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct tree_node *origin = draft_origin(d, SECTION_ZONES, zone);
	bool bridged = z->peer != SNAPSHOT_NONE;

	if (!bridged && z->networks.count > 0)
		draft_refuse(d, tree_first(origin, ROW_ZONE_NETWORK), PROBLEM_NETWORK_ROUTED,
			     z->name, NULL);
	if (bridged && z->addresses.count > 0)
		draft_refuse(d, tree_first(origin, ROW_ZONE_ADDRESS), PROBLEM_ADDRESS_BRIDGED,
			     z->name, NULL);
	if (bridged && z->routes.count > 0)
		draft_refuse(d, tree_first(origin, ROW_ZONE_ROUTE), PROBLEM_ADDRESS_BRIDGED,
			     z->name, NULL);
}

/* The zone of a lower index, and not the other end of its own bridge, whose networks @p touches;
 * NULL: none. */
static const struct snapshot_zone *overlapped_zone(const struct draft *d,
						   const struct snapshot_prefix *p, uint32_t below)
{
	for (uint32_t i = 0; i < below; i++) {
		struct snapshot_range own = link_networks(zone_at(d, i));

		if (zone_at(d, i)->peer == below)
			continue;

		for (uint32_t k = 0; k < own.count; k++) {
			if (prefix_overlaps(prefix_at(d, own.first + k), p))
				return zone_at(d, i);
		}
	}
	return NULL;
}

static void check_addresses(struct draft *d, uint32_t zone)
{
	struct snapshot_range own = link_networks(zone_at(d, zone));

	for (uint32_t i = own.first; i < own.first + own.count; i++) {
		const struct tree_node *origin = draft_origin(d, SECTION_PREFIXES, i);
		const struct snapshot_zone *other = overlapped_zone(d, prefix_at(d, i), zone);

		if (other != NULL)
			draft_refuse(d, origin, PROBLEM_OVERLAP, tree_value(origin, 0),
				     other->name);
		for (uint32_t k = own.first; k < i; k++) {
			if (prefix_same_address(prefix_at(d, k), prefix_at(d, i)))
				draft_refuse(d, origin, PROBLEM_SAME_ADDRESS, tree_value(origin, 0),
					     NULL);
		}
	}
}

/* Whether @p lies in one of the zone's own networks. */
static bool is_on_link(const struct draft *d, const struct snapshot_zone *z,
		       const struct snapshot_prefix *p)
{
	struct snapshot_range own = link_networks(z);

	for (uint32_t i = 0; i < own.count; i++) {
		if (prefix_covers(prefix_at(d, own.first + i), p))
			return true;
	}
	return false;
}

static bool is_own_address(const struct draft *d, const struct snapshot_zone *z,
			   const struct snapshot_prefix *p)
{
	for (uint32_t i = 0; i < z->addresses.count; i++) {
		if (prefix_same_address(prefix_at(d, z->addresses.first + i), p))
			return true;
	}
	return false;
}

/* A zone whose network a route of zone @zone would draw away: all of the destination lies in it. */
static const struct snapshot_zone *stolen_zone(const struct draft *d,
					       const struct snapshot_prefix *destination,
					       uint32_t zone)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_ZONES); i++) {
		if (i != zone && is_on_link(d, zone_at(d, i), destination))
			return zone_at(d, i);
	}
	return NULL;
}

static void check_route(struct draft *d, uint32_t zone, const struct snapshot_route *r,
			const struct tree_node *origin)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct snapshot_zone *stolen = stolen_zone(d, &r->destination, zone);
	const char *destination = tree_value(origin, 0), *router = tree_value(origin, 1);

	if (r->destination.family != r->via.family)
		draft_refuse(d, origin, PROBLEM_ROUTE_FAMILY, destination, router);
	else if (!is_on_link(d, z, &r->via))
		draft_refuse(d, origin, PROBLEM_ROUTE_ROUTER, router, z->name);
	else if (is_own_address(d, z, &r->via))
		draft_refuse(d, origin, PROBLEM_ROUTE_SELF, router, NULL);
	if (stolen != NULL)
		draft_refuse(d, origin, PROBLEM_OVERLAP, destination, stolen->name);
}

/* Routes stand sorted by destination: two of the same network are neighbours. */
static void check_routes(struct draft *d, uint32_t zone)
{
	struct snapshot_range routes = zone_at(d, zone)->routes;

	for (uint32_t i = routes.first; i < routes.first + routes.count; i++) {
		const struct snapshot_route *r = draft_row(d, SECTION_ROUTES, i);
		const struct tree_node *origin = draft_origin(d, SECTION_ROUTES, i);

		check_route(d, zone, r, origin);
		if (i > routes.first &&
		    strcmp(tree_value(origin, 0),
			   tree_value(draft_origin(d, SECTION_ROUTES, i - 1), 0)) == 0)
			draft_refuse(d, origin, PROBLEM_ROUTE_TWICE, tree_value(origin, 0), NULL);
	}
}

static void check_stations(struct draft *d, const struct snapshot_zone *z)
{
	for (uint32_t i = 0; i < z->stations.count; i++) {
		const struct snapshot_station *s =
			draft_row(d, SECTION_STATIONS, z->stations.first + i);

		for (uint32_t k = s->addresses.first; k < s->addresses.first + s->addresses.count;
		     k++) {
			const struct tree_node *origin = draft_origin(d, SECTION_PREFIXES, k);

			if (!is_on_link(d, z, prefix_at(d, k)))
				draft_refuse(d, origin, PROBLEM_NOT_ON_LINK, tree_value(origin, 0),
					     z->name);
			else if (is_own_address(d, z, prefix_at(d, k)))
				draft_refuse(d, origin, PROBLEM_OWN_ADDRESS, tree_value(origin, 0),
					     z->name);
		}
	}
}

/* Whoever is shut out must be whom the packets came from: only a list of stations that is enforced
 * says so, elsewhere anybody can send in another's name. */
static void check_isolate(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct tree_node *guard = tree_first(draft_origin(d, SECTION_ZONES, zone), ROW_GUARD);

	if (z->guard.isolate && z->station_policy != STATION_ENFORCE)
		draft_refuse(d, tree_first(guard, ROW_GUARD_ISOLATE), PROBLEM_ISOLATE_UNLISTED,
			     z->name, NULL);
}

void draft_check_zones(struct draft *d)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_ZONES); i++) {
		check_device(d, i);
		check_mode(d, i);
		check_isolate(d, i);
		check_addresses(d, i);
		check_routes(d, i);
		check_stations(d, zone_at(d, i));
	}
	for (uint32_t i = 0; i < draft_count(d, SECTION_DEVICES); i++)
		check_member(d, i);
}

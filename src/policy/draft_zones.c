/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of zones: ports and networks of their own, routers within reach, stations on the link. */
#include "policy/draft.h"

#include <stdio.h>
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

struct snapshot_range draft_link_networks(const struct snapshot_zone *z)
{
	return z->peer != SNAPSHOT_NONE ? z->networks : z->addresses;
}

/* Zones have addresses of the gateway, transparent ones networks; that one is there is checked on
 * the tree. */
static void check_mode(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct tree_node *origin = draft_origin(d, SECTION_ZONES, zone);
	bool transparent = z->peer != SNAPSHOT_NONE;

	if (!transparent && z->networks.count > 0)
		draft_refuse(d, tree_first(origin, ROW_ZONE_NETWORK), PROBLEM_NETWORK_ROUTED,
			     z->name, NULL);
	if (transparent && z->addresses.count > 0)
		draft_refuse(d, tree_first(origin, ROW_ZONE_ADDRESS), PROBLEM_ADDRESS_TRANSPARENT,
			     z->name, NULL);
}

/* The kernel is told each address of the other side. */
static void check_width(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	uint64_t count = 0;
	char most[16];

	for (uint32_t i = 0; i < z->networks.count; i++) {
		uint64_t more = prefix_count(prefix_at(d, z->networks.first + i));

		if (more <= SNAPSHOT_PROXIED_MAX && count + more <= SNAPSHOT_PROXIED_MAX) {
			count += more;
			continue;
		}
		snprintf(most, sizeof(most), "%u", SNAPSHOT_PROXIED_MAX);
		draft_refuse(d, draft_origin(d, SECTION_PREFIXES, z->networks.first + i),
			     PROBLEM_NETWORK_WIDE, z->name, most);
		return;
	}
}

/* A network that is written on both sides of a transparent crossing says nothing. */
static void check_sides(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone), *peer;

	if (z->peer == SNAPSHOT_NONE || z->peer > zone)
		return;
	peer = zone_at(d, z->peer);
	for (uint32_t i = z->networks.first; i < z->networks.first + z->networks.count; i++) {
		const struct tree_node *origin = draft_origin(d, SECTION_PREFIXES, i);

		for (uint32_t k = 0; k < peer->networks.count; k++) {
			const struct snapshot_prefix *p = prefix_at(d, peer->networks.first + k);

			if (p->bits == prefix_at(d, i)->bits && prefix_overlaps(p, prefix_at(d, i)))
				draft_refuse(d, origin, PROBLEM_NETWORK_BOTH_SIDES,
					     tree_value(origin, 0), peer->name);
		}
	}
}

/* The zone of a lower index, and not the other side of its own crossing, whose networks @p touches;
 * NULL: none. */
static const struct snapshot_zone *overlapped_zone(const struct draft *d,
						   const struct snapshot_prefix *p, uint32_t below)
{
	for (uint32_t i = 0; i < below; i++) {
		struct snapshot_range own = draft_link_networks(zone_at(d, i));

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
	struct snapshot_range own = draft_link_networks(zone_at(d, zone));

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

/* The length of the zone's longest network that has all of @p; -1: none has. */
static int longest_network(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p)
{
	struct snapshot_range own = draft_link_networks(zone_at(d, zone));
	int longest = -1;

	for (uint32_t i = 0; i < own.count; i++) {
		const struct snapshot_prefix *network = prefix_at(d, own.first + i);

		if (prefix_covers(network, p) && network->bits > longest)
			longest = network->bits;
	}
	return longest;
}

bool draft_is_on_link(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p)
{
	uint32_t peer = zone_at(d, zone)->peer;
	int longest = longest_network(d, zone, p);

	return longest >= 0 && (peer == SNAPSHOT_NONE || longest > longest_network(d, peer, p));
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
		if (i != zone && draft_is_on_link(d, i, destination))
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
	else if (!draft_is_on_link(d, zone, &r->via))
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

static void check_stations(struct draft *d, uint32_t zone)
{
	const struct snapshot_zone *z = zone_at(d, zone);

	for (uint32_t i = 0; i < z->stations.count; i++) {
		const struct snapshot_station *s =
			draft_row(d, SECTION_STATIONS, z->stations.first + i);

		for (uint32_t k = s->addresses.first; k < s->addresses.first + s->addresses.count;
		     k++) {
			const struct tree_node *origin = draft_origin(d, SECTION_PREFIXES, k);

			if (!draft_is_on_link(d, zone, prefix_at(d, k)))
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
		check_width(d, i);
		check_sides(d, i);
		check_isolate(d, i);
		check_addresses(d, i);
		check_routes(d, i);
		check_stations(d, i);
	}
	for (uint32_t i = 0; i < draft_count(d, SECTION_DEVICES); i++)
		check_member(d, i);
}

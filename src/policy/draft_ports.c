/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lowering of zones: their ports, bonds, networks, stations and guards. */
#include "policy/draft.h"

#include <string.h>

#define VLAN_MAX 4094U /* IEEE 802.1Q */

static struct snapshot_range add_routes(struct draft *d, const struct tree_node *zone)
{
	struct snapshot_range range = {draft_count(d, SECTION_ROUTES), 0};

	for (const struct tree_node *n = tree_first(zone, ROW_ZONE_ROUTE); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_route *r = draft_add(d, SECTION_ROUTES, n);

		if (r == NULL)
			break;
		r->destination = draft_value(n, 0).prefix;
		r->via = draft_value(n, 1).prefix;
		range.count++;
	}
	return range;
}

static struct snapshot_range add_stations(struct draft *d, const struct tree_node *zone)
{
	struct snapshot_range range = {draft_count(d, SECTION_STATIONS), 0};

	for (const struct tree_node *n = tree_first(zone, ROW_ZONE_STATION); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_range addresses = draft_add_prefixes(d, n, ROW_STATION_ADDRESS);
		struct snapshot_station *s = draft_add(d, SECTION_STATIONS, n);
		struct value mac = draft_value(n, 0);

		if (s == NULL)
			break;
		memcpy(s->mac, mac.mac, sizeof(s->mac));
		s->addresses = addresses;
		s->text_comment = draft_add_leaf_text(d, n, ROW_STATION_COMMENT);
		range.count++;
	}
	return range;
}

/* Sensitive and business stations learn at once that they are refused; the outside learns nothing.
 */
static uint32_t denied_answer(const struct tree_node *zone, uint32_t tier)
{
	struct value v;

	return draft_leaf(&v, zone, ROW_ZONE_DENIED) ? (uint32_t)v.number : tier != TIER_OUTSIDE;
}

/* A list that nobody enforces is a slip: with one station listed the others are shut out. */
static uint32_t station_policy(const struct tree_node *zone)
{
	struct value v;

	if (draft_leaf(&v, zone, ROW_ZONE_STATION_POLICY))
		return (uint32_t)v.number;
	return tree_first(zone, ROW_ZONE_STATION) != NULL ? STATION_ENFORCE : STATION_OFF;
}

static void set_rate(uint32_t *count, uint32_t *period_s, const struct tree_node *parent,
		     enum schema_id row)
{
	struct value v;

	if (!draft_leaf(&v, parent, row))
		return;
	*count = (uint32_t)v.number;
	*period_s = (uint32_t)v.high;
}

static void lower_guard(struct snapshot_guard *g, const struct tree_node *zone)
{
	static const struct tree_node empty;
	const struct tree_node *node = tree_first(zone, ROW_GUARD);
	const struct tree_node *from = node != NULL ? node : &empty;

	set_rate(&g->source_rate, &g->source_period_s, from, ROW_GUARD_SOURCE_RATE);
	set_rate(&g->denied_rate, &g->denied_period_s, from, ROW_GUARD_DENIED_RATE);
	set_rate(&g->flood_rate, &g->flood_period_s, from, ROW_GUARD_FLOOD_RATE);
	set_rate(&g->zone_flood_rate, &g->zone_flood_period_s, from, ROW_GUARD_ZONE_FLOOD_RATE);
	g->source_connections = (uint32_t)draft_leaf_number(from, ROW_GUARD_SOURCE_CONNECTIONS);
	g->scan_ports = (uint32_t)draft_leaf_number(from, ROW_GUARD_SCAN_PORTS);
	g->scan_hosts = (uint32_t)draft_leaf_number(from, ROW_GUARD_SCAN_HOSTS);
	g->window_s = (uint32_t)((draft_leaf_number(from, ROW_GUARD_WINDOW) + 999) / 1000);
	g->isolate = tree_first(from, ROW_GUARD_ISOLATE) != NULL;
}

/* "eth0.100" is VLAN 100 of eth0; what ends otherwise is a device's own name. */
static void lower_port(struct snapshot_zone *z, const struct tree_node *zone)
{
	struct value port;
	uint64_t vlan;
	const char *dot;

	if (!draft_leaf(&port, zone, ROW_ZONE_PORT))
		return;
	draft_copy_name(z->port, sizeof(z->port), port.text);
	dot = strrchr(port.text, '.');
	if (dot == NULL || value_parse_decimal(&vlan, span_of(dot + 1)) != 0 || vlan < 1 ||
	    vlan > VLAN_MAX)
		return;
	z->vlan = (uint32_t)vlan;
	memcpy(z->parent, port.text, (size_t)(dot - port.text)); /* shorter than the port's name */
}

static void lower_zone(struct draft *d, struct tree_node *node)
{
	struct snapshot_zone *z;

	node->index = draft_count(d, SECTION_ZONES);
	z = draft_add(d, SECTION_ZONES, node);
	if (z == NULL)
		return;
	draft_copy_name(z->name, sizeof(z->name), tree_value(node, 0));
	lower_port(z, node);
	lower_guard(&z->guard, node);
	z->tier = (uint32_t)draft_leaf_number(node, ROW_ZONE_TIER) + TIER_SENSITIVE;
	z->hold_ms = (uint32_t)draft_leaf_number(node, ROW_ZONE_HOLD);
	z->reject = denied_answer(node, z->tier);
	z->station_policy = station_policy(node);
	z->peer = SNAPSHOT_NONE; /* until a transparent crossing joins it */
	z->addresses = draft_add_prefixes(d, node, ROW_ZONE_ADDRESS);
	z->networks = draft_add_prefixes(d, node, ROW_ZONE_NETWORK);
	z->routes = add_routes(d, node);
	z->stations = add_stations(d, node);
	z->text_description = draft_add_leaf_text(d, node, ROW_ZONE_DESCRIPTION);
}

static void lower_bond(struct draft *d, const struct tree_node *node)
{
	struct snapshot_range members = {draft_count(d, SECTION_DEVICES), 0};
	struct snapshot_bond *bond;

	for (const struct tree_node *n = tree_first(node, ROW_BOND_PORT); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_device *device = draft_add(d, SECTION_DEVICES, n);

		if (device == NULL)
			return;
		draft_copy_name(device->name, sizeof(device->name), tree_value(n, 0));
		members.count++;
	}
	bond = draft_add(d, SECTION_BONDS, node);
	if (bond == NULL)
		return;
	draft_copy_name(bond->name, sizeof(bond->name), tree_value(node, 0));
	bond->mode = (uint32_t)draft_leaf_number(node, ROW_BOND_MODE);
	bond->members = members;
}

void draft_lower_ports(struct draft *d)
{
	const struct tree_node *root = d->tree->root;

	for (struct tree_node *n = tree_first(root, ROW_ZONE); n != NULL; n = tree_next(n))
		lower_zone(d, n);
	for (const struct tree_node *n = tree_first(root, ROW_BOND); n != NULL; n = tree_next(n))
		lower_bond(d, n);
}

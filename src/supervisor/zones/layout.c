/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a policy snapshot to what the kernel should hold for it. */
#include "supervisor/zones/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/proxied.h"

int layout_compare_routes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct layout_route));
}

int layout_compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct snapshot_prefix));
}

/* The network that an address stands in: host bits cleared, padding too. */
static struct snapshot_prefix network_of(const struct snapshot_prefix *address)
{
	struct snapshot_prefix network = {.family = address->family, .bits = address->bits};

	for (unsigned i = 0; i < sizeof(network.addr); i++) {
		unsigned at = i * 8, keep = address->bits > at ? address->bits - at : 0;
		uint8_t mask = keep >= 8 ? 0xff : (uint8_t)(0xff00U >> keep);

		network.addr[i] = address->addr[i] & mask;
	}
	return network;
}

static int add_route(struct layout_zone *zone, const struct snapshot_prefix *destination,
		     const struct layout_route *target)
{
	struct layout_routes *routes = &zone->routes;

	if (routes->count == LAYOUT_ROUTES_MAX)
		return -ERR_TOO_LONG;
	if (routes->count == routes->capacity) {
		size_t capacity = routes->capacity ? routes->capacity * 2 : 32;
		struct layout_route *rows = reallocarray(routes->rows, capacity, sizeof(*rows));

		if (!rows)
			return -ERR_NO_MEMORY;
		routes->rows = rows;
		routes->capacity = capacity;
	}
	routes->rows[routes->count] = *target;
	routes->rows[routes->count++].destination = network_of(destination);
	return 0;
}

static int add_address(struct layout_addresses *list, const struct snapshot_prefix *address)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 8;
		struct snapshot_prefix *rows = reallocarray(list->rows, capacity, sizeof(*rows));

		if (!rows)
			return -ERR_NO_MEMORY;
		list->rows = rows;
		list->capacity = capacity;
	}
	list->rows[list->count] =
		(struct snapshot_prefix){.family = address->family, .bits = address->bits};
	memcpy(list->rows[list->count++].addr, address->addr, sizeof(address->addr));
	return 0;
}

/*
 * The networks of zone @from, as routes in @zone: connected ones and those behind its static
 * routes.
 */
static int add_networks(struct layout_zone *zone, const struct snapshot *s,
			const struct snapshot_zone *from, const struct layout_route *target)
{
	int err = 0;

	for (uint32_t i = 0; i < from->addresses.count && err == 0; i++)
		err = add_route(zone, &s->prefixes[from->addresses.first + i], target);
	for (uint32_t i = 0; i < from->networks.count && err == 0; i++)
		err = add_route(zone, &s->prefixes[from->networks.first + i], target);
	for (uint32_t i = 0; i < from->routes.count && err == 0; i++)
		err = add_route(zone, &s->routes[from->routes.first + i].destination, target);
	return err;
}

/* A route to everything, in both families. */
static int add_everything(struct layout_zone *zone, const struct layout_route *target)
{
	static const struct snapshot_prefix all_v4 = {.family = 4}, all_v6 = {.family = 6};
	int err = add_route(zone, &all_v4, target);

	return err < 0 ? err : add_route(zone, &all_v6, target);
}

static void fill_base(struct layout_base *base, const struct snapshot *s,
		      const struct snapshot_zone *from)
{
	const char *device = from->vlan != 0 ? from->parent : from->port;

	base->vlan = from->vlan;
	if (from->vlan != 0)
		(void)snprintf(base->parent, sizeof(base->parent), "%s", from->parent);
	for (uint32_t i = 0; i < s->bond_count; i++) {
		const struct snapshot_bond *bond = &s->bonds[i];

		if (strcmp(bond->name, device) != 0)
			continue;
		base->bond_mode = bond->mode;
		base->member_count = bond->members.count;
		for (uint32_t j = 0; j < bond->members.count; j++)
			(void)snprintf(base->members[j], sizeof(base->members[j]), "%s",
				       s->devices[bond->members.first + j].name);
	}
}

static int add_proxied(void *ctx, const struct snapshot_prefix *address)
{
	return add_address(ctx, address);
}

/* Where a transparent zone's own hosts stand, and those of the other side. */
static int fill_links(struct layout_zone *zone, const struct snapshot *s, uint32_t index)
{
	const struct layout_route to_link = {.target = TARGET_LINK};
	struct snapshot_range own = s->zones[index].networks;
	int err = 0;

	for (uint32_t i = 0; i < own.count && err == 0; i++)
		err = add_route(zone, &s->prefixes[own.first + i], &to_link);
	return err < 0 ? err : proxied_each(s, index, add_proxied, &zone->proxied);
}

/*
 * The zone's own routes; then to the void: everything that has no route, and, in case the zone has
 * a default route, the networks of all other zones, so that nothing meant for them ever leaves by
 * this zone's port.
 */
static int fill_zone(struct layout_zone *zone, const struct snapshot *s, uint32_t index)
{
	const struct snapshot_zone *from = &s->zones[index];
	const struct layout_route to_void = {.target = TARGET_VOID};
	int err = 0;

	(void)snprintf(zone->name, sizeof(zone->name), "%s", from->name);
	(void)snprintf(zone->port, sizeof(zone->port), "%s", from->port);
	fill_base(&zone->base, s, from);
	for (uint32_t i = 0; i < from->addresses.count && err == 0; i++)
		err = add_address(&zone->addresses, &s->prefixes[from->addresses.first + i]);
	if (err == 0)
		err = fill_links(zone, s, index);
	for (uint32_t i = 0; i < from->routes.count && err == 0; i++) {
		const struct snapshot_route *route = &s->routes[from->routes.first + i];
		struct layout_route target = {.target = TARGET_PORT,
					      .via = {.family = route->via.family,
						      .bits = route->via.bits}};

		memcpy(target.via.addr, route->via.addr, sizeof(target.via.addr));
		err = add_route(zone, &route->destination, &target);
	}
	for (uint32_t i = 0; i < s->zone_count && err == 0; i++) {
		if (i != index)
			err = add_networks(zone, s, &s->zones[i], &to_void);
	}
	return err < 0 ? err : add_everything(zone, &to_void);
}

static int add_listed(struct layout_zone *zone, const struct snapshot *s,
		      struct snapshot_range range, const struct layout_route *target)
{
	int err = 0;

	for (uint32_t i = 0; i < range.count && err == 0; i++)
		err = add_route(zone, &s->prefixes[range.first + i], target);
	return err;
}

/* Each side learns only what the permit names on the other. */
static int add_permit(struct layout *layout, const struct snapshot *s,
		      const struct snapshot_permit *permit)
{
	struct layout_zone *from = &layout->zones[permit->from], *to = &layout->zones[permit->to];
	struct layout_route forth = {.target = TARGET_CROSSING}, back = {.target = TARGET_CROSSING};
	int err;

	memcpy(forth.peer, to->name, sizeof(forth.peer));
	memcpy(back.peer, from->name, sizeof(back.peer));
	err = add_listed(from, s, permit->destinations, &forth);
	if (err < 0)
		return err;
	if (permit->sources.count)
		return add_listed(to, s, permit->sources, &back);
	return add_networks(to, s, &s->zones[permit->from], &back);
}

static int fill_crossings(struct layout *layout, const struct snapshot *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->crossing_count && err == 0; i++) {
		const struct snapshot_crossing *crossing = &s->crossings[i];

		if (layout->crossing_count == LAYOUT_CROSSINGS_MAX)
			return -ERR_TOO_LONG;
		memcpy(layout->crossings[layout->crossing_count].low,
		       layout->zones[crossing->low].name, SNAPSHOT_NAME_BYTES);
		memcpy(layout->crossings[layout->crossing_count++].high,
		       layout->zones[crossing->high].name, SNAPSHOT_NAME_BYTES);
	}
	for (uint32_t i = 0; i < s->permit_count && err == 0; i++)
		err = add_permit(layout, s, &s->permits[i]);
	return err;
}

static void order_addresses(struct layout_addresses *list)
{
	if (list->count)
		qsort(list->rows, list->count, sizeof(list->rows[0]), layout_compare_addresses);
}

/* Sort and drop what several permits name alike. */
static void order(struct layout_zone *zone)
{
	struct layout_routes *routes = &zone->routes;
	size_t kept = 0;

	if (routes->count)
		qsort(routes->rows, routes->count, sizeof(routes->rows[0]), layout_compare_routes);
	for (size_t i = 0; i < routes->count; i++) {
		if (kept == 0 ||
		    layout_compare_routes(&routes->rows[kept - 1], &routes->rows[i]) != 0)
			routes->rows[kept++] = routes->rows[i];
	}
	routes->count = kept;
	order_addresses(&zone->addresses);
	order_addresses(&zone->proxied);
}

int layout_init(struct layout *layout, const struct snapshot *snapshot)
{
	int err = 0;

	*layout = (struct layout){0};
	if (!snapshot)
		return 0;
	layout->zone_count = snapshot->zone_count;
	for (uint32_t i = 0; i < snapshot->zone_count && err == 0; i++)
		err = fill_zone(&layout->zones[i], snapshot, i);
	if (err == 0)
		err = fill_crossings(layout, snapshot);
	if (err < 0) {
		layout_fini(layout);
		return err;
	}
	for (size_t i = 0; i < layout->zone_count; i++)
		order(&layout->zones[i]);
	return 0;
}

void layout_fini(struct layout *layout)
{
	for (size_t i = 0; i < layout->zone_count; i++) {
		free(layout->zones[i].addresses.rows);
		free(layout->zones[i].proxied.rows);
		free(layout->zones[i].routes.rows);
	}
	*layout = (struct layout){0};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes of the snapshot flattened into disjoint ranges. */
#include "policy/ranges.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

#define NESTING_MAX 129 /* prefixes of different length that can lie in each other */

/* A prefix that a zone claims; @order decides between equal ones. */
struct claim {
	address_number first, last;
	uint32_t zone;
	uint32_t order;
};

struct claims {
	struct claim *rows;
	size_t count, capacity;
	uint8_t family;
	bool failed;
};

static unsigned family_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

address_number address_to_number(uint8_t family, const uint8_t *bytes)
{
	address_number number = 0;

	for (unsigned i = 0; i < family_bits(family) / 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

void address_from_number(uint8_t family, address_number number, uint8_t *bytes)
{
	for (unsigned i = family_bits(family) / 8; i > 0; i--) {
		bytes[i - 1] = (uint8_t)number;
		number >>= 8;
	}
}

void prefix_bounds(const struct snapshot_prefix *prefix, address_number *first,
		   address_number *last)
{
	unsigned host_bits = family_bits(prefix->family) - prefix->bits;
	address_number number = address_to_number(prefix->family, prefix->addr), hosts = 0;

	if (host_bits > 0)
		hosts = ~(address_number)0 >> (128 - host_bits);
	*first = number & ~hosts;
	*last = *first | hosts;
}

static void claim_prefix(struct claims *claims, uint32_t zone, const struct snapshot_prefix *prefix)
{
	if (prefix->family != claims->family || claims->failed)
		return;
	if (claims->count == claims->capacity) {
		size_t capacity = claims->capacity == 0 ? 64 : 2 * claims->capacity;
		struct claim *rows = reallocarray(claims->rows, capacity, sizeof(*rows));

		if (rows == NULL) {
			claims->failed = true;
			return;
		}
		claims->rows = rows;
		claims->capacity = capacity;
	}
	struct claim *c = &claims->rows[claims->count];

	prefix_bounds(prefix, &c->first, &c->last);
	c->zone = zone;
	c->order = (uint32_t)claims->count++;
}

static void claim_prefixes(struct claims *claims, uint32_t zone, const struct snapshot *s,
			   struct snapshot_range range)
{
	for (uint32_t i = 0; i < range.count; i++)
		claim_prefix(claims, zone, &s->prefixes[range.first + i]);
}

static void claim_routes(struct claims *claims, uint32_t zone, const struct snapshot *s,
			 struct snapshot_range routes)
{
	for (uint32_t i = 0; i < routes.count; i++)
		claim_prefix(claims, zone, &s->routes[routes.first + i].destination);
}

/* For @zone, the networks on the link of @network_zone. */
static void claim_links(struct claims *claims, uint32_t zone, const struct snapshot *s,
			uint32_t network_zone)
{
	claim_prefixes(claims, zone, s, s->zones[network_zone].addresses);
	claim_prefixes(claims, zone, s, s->zones[network_zone].networks);
}

/* The same with those behind its static routes. */
static void claim_networks(struct claims *claims, uint32_t zone, const struct snapshot *s,
			   uint32_t network_zone)
{
	claim_links(claims, zone, s, network_zone);
	claim_routes(claims, zone, s, s->zones[network_zone].routes);
}

/* Outer ranges before the inner ones that begin with them, earlier claims before equal later ones.
 */
static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void emit(struct range_map *out, address_number first, address_number last, uint32_t zone)
{
	struct address_range *before = out->count > 0 ? &out->rows[out->count - 1] : NULL;

	if (before != NULL && before->zone == zone && before->last + 1 == first)
		before->last = last;
	else
		out->rows[out->count++] = (struct address_range){first, last, zone};
}

/* The claims that are open at one address, innermost on top, and how far the output has come. */
struct sweep {
	const struct claim *open[NESTING_MAX];
	size_t depth;
	address_number at;
	bool done; /* the last address of all is written */
};

/* Close what ends before @until, innermost first. */
static void sweep_close(struct sweep *sweep, struct range_map *out, const struct claim *until)
{
	while (sweep->depth > 0) {
		const struct claim *top = sweep->open[sweep->depth - 1];

		if (until != NULL && top->last >= until->first)
			return;
		sweep->depth--;
		if (sweep->done || sweep->at > top->last)
			continue;
		emit(out, sweep->at, top->last, top->zone);
		sweep->at = top->last + 1;
		sweep->done = sweep->at == 0;
	}
}

static void sweep_open(struct sweep *sweep, struct range_map *out, const struct claim *c)
{
	if (sweep->depth > 0) {
		const struct claim *top = sweep->open[sweep->depth - 1];

		if (top->first == c->first && top->last == c->last)
			return; /* an equal prefix came earlier */
		if (sweep->at < c->first)
			emit(out, sweep->at, c->first - 1, top->zone);
	}
	sweep->open[sweep->depth++] = c;
	sweep->at = c->first;
}

static int flatten(struct range_map *out, struct claims *claims)
{
	struct sweep sweep = {.depth = 0};

	*out = (struct range_map){0};
	if (!claims->failed && claims->count > 0) {
		/* Each claim begins one range and, where it ends inside another, lets one go on. */
		out->capacity = 2 * claims->count;
		out->rows = calloc(out->capacity, sizeof(*out->rows));
	}
	if (claims->failed || (claims->count > 0 && out->rows == NULL)) {
		free(claims->rows);
		return -ERR_NO_MEMORY;
	}
	if (claims->count > 0)
		qsort(claims->rows, claims->count, sizeof(*claims->rows), compare_claims);
	for (size_t i = 0; i < claims->count; i++) {
		sweep_close(&sweep, out, &claims->rows[i]);
		sweep_open(&sweep, out, &claims->rows[i]);
	}
	sweep_close(&sweep, out, NULL);
	free(claims->rows);
	return 0;
}

int range_map_owners(struct range_map *out, const struct snapshot *s, uint8_t family)
{
	struct claims claims = {.family = family};

	for (uint32_t zone = 0; zone < s->zone_count; zone++)
		claim_networks(&claims, zone, s, zone);
	return flatten(out, &claims);
}

static void claim_crossing(struct claims *claims, const struct snapshot *s, uint32_t from,
			   const struct snapshot_crossing *crossing)
{
	uint32_t other = crossing->low == from ? crossing->high : crossing->low;

	for (uint32_t i = 0; i < crossing->permits.count; i++) {
		const struct snapshot_permit *p = &s->permits[crossing->permits.first + i];

		if (p->from == from)
			claim_prefixes(claims, other, s, p->destinations);
		else if (p->sources.count > 0)
			claim_prefixes(claims, other, s, p->sources);
		else
			claim_networks(claims, other, s, other);
	}
}

int range_map_ways(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t from)
{
	struct claims claims = {.family = family};

	claim_links(&claims, from, s, from);
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const struct snapshot_crossing *crossing = &s->crossings[i];

		if (crossing->low == from || crossing->high == from)
			claim_crossing(&claims, s, from, crossing);
	}
	claim_routes(&claims, from, s, s->zones[from].routes);
	for (uint32_t zone = 0; zone < s->zone_count; zone++) {
		if (zone != from)
			claim_networks(&claims, SNAPSHOT_NONE, s, zone);
	}
	return flatten(out, &claims);
}

int range_map_links(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t zone)
{
	struct claims claims = {.family = family};
	uint32_t peer = s->zones[zone].peer;

	if (peer != SNAPSHOT_NONE) {
		claim_prefixes(&claims, zone, s, s->zones[zone].networks);
		claim_prefixes(&claims, peer, s, s->zones[peer].networks);
	}
	return flatten(out, &claims);
}

void range_map_fini(struct range_map *map)
{
	free(map->rows);
	*map = (struct range_map){0};
}

uint32_t range_map_find(const struct range_map *map, address_number address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct address_range *r = &map->rows[middle];

		if (address < r->first)
			high = middle;
		else if (address > r->last)
			low = middle + 1;
		else
			return r->zone;
	}
	return SNAPSHOT_NONE;
}

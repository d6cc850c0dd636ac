/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes of the snapshot flattened into disjoint ranges. */
#include "policy/ranges.h"

#include <stdlib.h>

#include "base/err.h"
#include "policy/prefix.h"

#define NESTING_MAX 129 /* prefixes of different length that can lie in each other */

static const struct snapshot_prefix martians[] = {
	{.family = 4, .bits = 8, .addr = {0}},
	{.family = 4, .bits = 8, .addr = {127}},
	{.family = 4, .bits = 16, .addr = {169, 254}},
	{.family = 4, .bits = 3, .addr = {224}},
	{.family = 6, .bits = 8, .addr = {0}},
	{.family = 6, .bits = 9, .addr = {0xfe, 0x80}}, /* link-local, site-local */
	{.family = 6, .bits = 8, .addr = {0xff}},
};

/* What is for networks of one's own, and what carries such addresses in it: nothing of this comes
 * from a network that is reached by a default route. */
static const struct snapshot_prefix bogons[] = {
	{.family = 4, .bits = 8, .addr = {10}},
	{.family = 4, .bits = 10, .addr = {100, 64}},
	{.family = 4, .bits = 12, .addr = {172, 16}},
	{.family = 4, .bits = 24, .addr = {192, 0, 0}},
	{.family = 4, .bits = 16, .addr = {192, 168}},
	{.family = 4, .bits = 15, .addr = {198, 18}},
	{.family = 6, .bits = 32, .addr = {0x20, 0x01}}, /* Teredo */
	{.family = 6, .bits = 16, .addr = {0x20, 0x02}}, /* 6to4 */
	{.family = 6, .bits = 7, .addr = {0xfc}},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A prefix that a zone claims; @order decides between equal ones. */
struct claim {
	address_number first, last;
	uint32_t zone; /* SNAPSHOT_NONE: nobody's */
	uint32_t order;
	bool bogon; /* nobody's where a zone outside claims it by a shorter prefix; else no claim */
};

struct claims {
	const struct snapshot *snapshot;
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
	c->bogon = false;
}

static void claim_prefixes(struct claims *claims, uint32_t zone, struct snapshot_range range)
{
	for (uint32_t i = 0; i < range.count; i++)
		claim_prefix(claims, zone, &claims->snapshot->prefixes[range.first + i]);
}

static void claim_routes(struct claims *claims, uint32_t zone, struct snapshot_range routes)
{
	for (uint32_t i = 0; i < routes.count; i++)
		claim_prefix(claims, zone, &claims->snapshot->routes[routes.first + i].destination);
}

/* For @zone, the networks on the link of @network_zone. */
static void claim_links(struct claims *claims, uint32_t zone, uint32_t network_zone)
{
	claim_prefixes(claims, zone, claims->snapshot->zones[network_zone].addresses);
	claim_prefixes(claims, zone, claims->snapshot->zones[network_zone].networks);
}

/* The same with those behind its static routes. */
static void claim_networks(struct claims *claims, uint32_t zone, uint32_t network_zone)
{
	claim_links(claims, zone, network_zone);
	claim_routes(claims, zone, claims->snapshot->zones[network_zone].routes);
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

static bool is_outside(const struct claims *claims, uint32_t zone)
{
	return zone != SNAPSHOT_NONE && claims->snapshot->zones[zone].tier == TIER_OUTSIDE;
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

static void sweep_open(struct sweep *sweep, struct range_map *out, const struct claims *claims,
		       const struct claim *c)
{
	if (c->bogon &&
	    (sweep->depth == 0 || !is_outside(claims, sweep->open[sweep->depth - 1]->zone)))
		return;
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
		sweep_open(&sweep, out, claims, &claims->rows[i]);
	}
	sweep_close(&sweep, out, NULL);
	free(claims->rows);
	return 0;
}

bool prefix_broadcast(const struct snapshot_prefix *prefix, address_number *broadcast)
{
	address_number first;

	prefix_bounds(prefix, &first, broadcast);
	return prefix->family == 4 && prefix->bits <= 30;
}

/* Whether one of the martian prefixes holds the whole range. */
static bool are_martians(uint8_t family, address_number from, address_number to)
{
	for (size_t i = 0; i < COUNT(martians); i++) {
		address_number first, last;

		if (martians[i].family != family)
			continue;
		prefix_bounds(&martians[i], &first, &last);
		if (from >= first && to <= last)
			return true;
	}
	return false;
}

const struct snapshot_prefix *prefix_bogon(const struct snapshot_prefix *prefix)
{
	for (size_t i = 0; i < COUNT(bogons); i++) {
		if (prefix_covers(&bogons[i], prefix))
			return &bogons[i];
	}
	return NULL;
}

bool address_is_martian(uint8_t family, address_number address)
{
	return are_martians(family, address, address);
}

/* Claims inside these are dropped, so that the longest prefix is that of nobody. */
static void claim_martians(struct claims *claims)
{
	size_t kept = 0;

	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *c = &claims->rows[i];

		if (!are_martians(claims->family, c->first, c->last))
			claims->rows[kept++] = *c;
	}
	claims->count = kept;
	for (size_t i = 0; i < COUNT(martians); i++)
		claim_prefix(claims, SNAPSHOT_NONE, &martians[i]);
}

static void claim_bogons(struct claims *claims)
{
	for (size_t i = 0; i < COUNT(bogons); i++) {
		size_t before = claims->count;

		claim_prefix(claims, SNAPSHOT_NONE, &bogons[i]);
		if (claims->count > before)
			claims->rows[before].bogon = true;
	}
}

/* An address of the gateway itself, and the broadcast address of its network. */
static void claim_own(struct claims *claims, const struct snapshot_prefix *own)
{
	struct snapshot_prefix single = *own;
	address_number broadcast;

	single.bits = (uint8_t)family_bits(own->family);
	claim_prefix(claims, SNAPSHOT_NONE, &single);
	if (!prefix_broadcast(own, &broadcast))
		return;
	address_from_number(own->family, broadcast, single.addr);
	claim_prefix(claims, SNAPSHOT_NONE, &single);
}

int range_map_owners(struct range_map *out, const struct snapshot *s, uint8_t family)
{
	struct claims claims = {.snapshot = s, .family = family};

	for (uint32_t zone = 0; zone < s->zone_count; zone++) {
		struct snapshot_range own = s->zones[zone].addresses;

		for (uint32_t i = 0; i < own.count; i++)
			claim_own(&claims, &s->prefixes[own.first + i]);
	}
	for (uint32_t zone = 0; zone < s->zone_count; zone++)
		claim_networks(&claims, zone, zone);
	claim_martians(&claims);
	claim_bogons(&claims);
	return flatten(out, &claims);
}

static void claim_crossing(struct claims *claims, uint32_t from,
			   const struct snapshot_crossing *crossing)
{
	const struct snapshot *s = claims->snapshot;
	uint32_t other = crossing->low == from ? crossing->high : crossing->low;

	for (uint32_t i = 0; i < crossing->permits.count; i++) {
		const struct snapshot_permit *p = &s->permits[crossing->permits.first + i];

		if (p->from == from)
			claim_prefixes(claims, other, p->destinations);
		else if (p->sources.count > 0)
			claim_prefixes(claims, other, p->sources);
		else
			claim_networks(claims, other, other);
	}
}

int range_map_ways(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t from)
{
	struct claims claims = {.snapshot = s, .family = family};

	claim_links(&claims, from, from);
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const struct snapshot_crossing *crossing = &s->crossings[i];

		if (crossing->low == from || crossing->high == from)
			claim_crossing(&claims, from, crossing);
	}
	claim_routes(&claims, from, s->zones[from].routes);
	for (uint32_t zone = 0; zone < s->zone_count; zone++) {
		if (zone != from)
			claim_networks(&claims, SNAPSHOT_NONE, zone);
	}
	return flatten(out, &claims);
}

int range_map_links(struct range_map *out, const struct snapshot *s, uint8_t family, uint32_t zone)
{
	struct claims claims = {.snapshot = s, .family = family};
	uint32_t peer = s->zones[zone].peer;

	if (peer != SNAPSHOT_NONE) {
		claim_prefixes(&claims, zone, s->zones[zone].networks);
		claim_prefixes(&claims, peer, s->zones[peer].networks);
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

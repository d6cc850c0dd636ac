/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the gateway answers for between the two sides of a transparent crossing. */
#include "policy/proxied.h"

#include "base/err.h"
#include "policy/ranges.h"

static int each_of_range(const struct address_range *range, uint8_t family,
			 int (*each)(void *ctx, const struct snapshot_prefix *address), void *ctx)
{
	struct snapshot_prefix address = {.family = family, .bits = family == 4 ? 32 : 128};
	int err = 0;

	for (address_number i = 0; i <= range->last - range->first && err >= 0; i++) {
		address_from_number(family, range->first + i, address.addr);
		err = each(ctx, &address);
	}
	return err;
}

int proxied_each(const struct snapshot *s, uint32_t zone,
		 int (*each)(void *ctx, const struct snapshot_prefix *address), void *ctx)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct range_map links;
		int err = range_map_links(&links, s, family, zone);

		if (err < 0)
			return err;
		for (size_t i = 0; i < links.count && err >= 0; i++) {
			if (links.rows[i].zone != zone)
				err = each_of_range(&links.rows[i], family, each, ctx);
		}
		range_map_fini(&links);
		if (err < 0)
			return err;
	}
	return 0;
}

#define ORDINARY_BITS 8U /* so many bits less in common are as good */
#define NOBODY        0U /* a score of no address */

/* How well an address stands for hosts of a network: bits in common, and whether it looks like a
 * host's. */
static unsigned score_of(address_number address, const struct snapshot_prefix *network)
{
	uint32_t differing = (uint32_t)(address ^ address_to_number(4, network->addr));
	unsigned common = differing ? (unsigned)__builtin_clz(differing) : 32;
	bool ordinary = (address & 0xff) != 0 && (address & 0xff) != 255;

	if (common > network->bits)
		common = network->bits;
	return common + (ordinary ? ORDINARY_BITS : 0) + 1;
}

static address_number clamp(address_number number, const struct address_range *range)
{
	return number < range->first ? range->first : number > range->last ? range->last : number;
}

/*
 * Most bits in common have the addresses of a range that are nearest to the network's bounds; where
 * such a one ends in 0 or 255, another is at most two away.
 */
static unsigned nearest_of_range(const struct address_range *range,
				 const struct snapshot_prefix *network, address_number *out)
{
	address_number bounds[2];
	unsigned best = NOBODY;

	prefix_bounds(network, &bounds[0], &bounds[1]);
	for (size_t i = 0; i < 2; i++) {
		address_number at = clamp(bounds[i], range);
		address_number from = at - range->first > 2 ? at - 2 : range->first;

		for (; from <= range->last && from <= at + 2; from++) {
			unsigned score = score_of(from, network);

			if (score <= best)
				continue;
			best = score;
			*out = from;
		}
	}
	return best;
}

/* Return: whether there is anybody on the other side. */
static bool find_asker(const struct range_map *links, uint32_t zone,
		       const struct snapshot_prefix *network, struct snapshot_prefix *out)
{
	unsigned best = NOBODY;

	for (size_t i = 0; i < links->count; i++) {
		address_number address = 0;
		unsigned score = links->rows[i].zone == zone
					 ? NOBODY
					 : nearest_of_range(&links->rows[i], network, &address);

		if (score <= best)
			continue;
		best = score;
		*out = (struct snapshot_prefix){.family = 4, .bits = 32};
		address_from_number(4, address, out->addr);
	}
	return best != NOBODY;
}

int proxied_each_asker(const struct snapshot *s, uint32_t zone, proxied_asker_fn *each, void *ctx)
{
	struct snapshot_range networks = s->zones[zone].networks;
	struct range_map links;
	int err = range_map_links(&links, s, 4, zone);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < networks.count; i++) {
		const struct snapshot_prefix *network = &s->prefixes[networks.first + i];
		struct snapshot_prefix asker;

		if (network->family == 4 && find_asker(&links, zone, network, &asker))
			each(ctx, network, &asker);
	}
	range_map_fini(&links);
	return 0;
}

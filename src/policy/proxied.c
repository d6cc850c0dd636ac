/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the gateway answers for between the two sides of a transparent crossing. */
#include "policy/proxied.h"

#include "base/err.h"
#include "policy/prefix.h"
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

struct nearest {
	const struct snapshot_prefix *network;
	struct snapshot_prefix *out;
	unsigned score; /* 0: nothing found yet */
};

static int keep_nearest(void *ctx, const struct snapshot_prefix *address)
{
	struct nearest *nearest = ctx;
	struct snapshot_prefix common = *address;
	bool ordinary = address->addr[3] != 0 && address->addr[3] != 255;
	unsigned score;

	if (address->family != 4)
		return 0;
	while (!prefix_overlaps(&common, nearest->network))
		common.bits--;
	if (common.bits > nearest->network->bits)
		common.bits = nearest->network->bits;
	score = common.bits + (ordinary ? ORDINARY_BITS : 0) + 1;
	if (score <= nearest->score)
		return 0;
	nearest->score = score;
	*nearest->out = *address;
	return 0;
}

int proxied_nearest(const struct snapshot *s, uint32_t zone, const struct snapshot_prefix *network,
		    struct snapshot_prefix *out)
{
	struct nearest nearest = {.network = network, .out = out};
	int err = proxied_each(s, zone, keep_nearest, &nearest);

	if (err < 0)
		return err;
	return nearest.score > 0 ? 0 : -ERR_NOT_FOUND;
}

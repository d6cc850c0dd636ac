/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relations between addresses and networks. */
#include "policy/prefix.h"

#include <string.h>

static bool same_bits(const struct snapshot_prefix *a, const struct snapshot_prefix *b,
		      unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	return a->family == b->family && memcmp(a->addr, b->addr, whole) == 0 &&
	       (rest == 0 || (a->addr[whole] & mask) == (b->addr[whole] & mask));
}

bool prefix_covers(const struct snapshot_prefix *outer, const struct snapshot_prefix *inner)
{
	return outer->bits <= inner->bits && same_bits(outer, inner, outer->bits);
}

bool prefix_overlaps(const struct snapshot_prefix *a, const struct snapshot_prefix *b)
{
	return same_bits(a, b, a->bits < b->bits ? a->bits : b->bits);
}

bool prefix_same_address(const struct snapshot_prefix *a, const struct snapshot_prefix *b)
{
	return same_bits(a, b, a->family == 4 ? 32 : 128);
}

uint64_t prefix_count(const struct snapshot_prefix *p)
{
	unsigned host_bits = (p->family == 4 ? 32U : 128U) - p->bits;

	return host_bits < 64 ? UINT64_C(1) << host_bits : UINT64_MAX;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relations between addresses and networks of a snapshot. */
#ifndef SEKISHO_POLICY_PREFIX_H
#define SEKISHO_POLICY_PREFIX_H

#include <stdbool.h>

#include "policy/snapshot.h"

/* Whether every address of @inner is one of @outer; host bits of both are ignored. */
bool prefix_covers(const struct snapshot_prefix *outer, const struct snapshot_prefix *inner);

/* Whether the two share an address. */
bool prefix_overlaps(const struct snapshot_prefix *a, const struct snapshot_prefix *b);

/* Whether the two addresses, host bits included, are the same; prefix lengths do not matter. */
bool prefix_same_address(const struct snapshot_prefix *a, const struct snapshot_prefix *b);

/* How many addresses the prefix has, 1 or more; UINT64_MAX for that many or more. */
uint64_t prefix_count(const struct snapshot_prefix *p);

#endif

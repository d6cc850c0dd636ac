/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Permits that never decide: the lowest number that matches counts, so one all of whose flows an
 * earlier permit of its crossing takes, whenever it holds, is only there to mislead its reader.
 */
#include "policy/draft.h"

#include "policy/atoms.h"
#include "policy/prefix.h"

#define STEPS_MOST (8U << 20) /* comparisons of one configuration: no console waits for more */

struct hiding {
	const struct draft *d;
	uint32_t steps; /* that are left */
};

static bool take_step(struct hiding *h)
{
	if (h->steps == 0)
		return false;
	h->steps--;
	return true;
}

static bool holds_service(const struct snapshot_service *outer,
			  const struct snapshot_service *inner)
{
	if (outer->protocol != inner->protocol)
		return false;
	if (policy_is_icmp(inner->protocol))
		return outer->icmp_type_any || (!inner->icmp_type_any && outer->low == inner->low);
	return !policy_has_ports(inner->protocol) ||
	       (outer->low <= inner->low && inner->high <= outer->high);
}

static bool is_held(struct hiding *h, enum snapshot_section section, struct snapshot_range outer,
		    uint32_t inner)
{
	for (uint32_t i = outer.first; i < outer.first + outer.count; i++) {
		const void *a = draft_row(h->d, section, i), *b = draft_row(h->d, section, inner);

		if (!take_step(h))
			return false;
		if (section == SECTION_SERVICES ? holds_service(a, b) : prefix_covers(a, b))
			return true;
	}
	return false;
}

/* Whether each row of @inner lies within one of @outer. */
static bool all_held(struct hiding *h, enum snapshot_section section, struct snapshot_range outer,
		     struct snapshot_range inner)
{
	for (uint32_t i = inner.first; i < inner.first + inner.count; i++) {
		if (!is_held(h, section, outer, i))
			return false;
	}
	return true;
}

/* Whether permit @a takes every flow of @b at every time at which @b holds. What conformance and
 * limits say comes after the choice, and so does not matter. */
static bool hides(struct hiding *h, const struct snapshot_permit *a,
		  const struct snapshot_permit *b)
{
	if (!take_step(h) || a->from != b->from || a->expires_s < b->expires_s ||
	    (a->schedule != SNAPSHOT_NONE && a->schedule != b->schedule))
		return false;
	if (a->sources.count > 0 && b->sources.count == 0)
		return false;
	return all_held(h, SECTION_SERVICES, a->services, b->services) &&
	       all_held(h, SECTION_PREFIXES, a->destinations, b->destinations) &&
	       (a->sources.count == 0 || all_held(h, SECTION_PREFIXES, a->sources, b->sources));
}

/* The first permit of the crossing that hides permit @i. Return: its index, SNAPSHOT_NONE: none. */
static uint32_t find_hiding(struct hiding *h, uint32_t first, uint32_t i)
{
	for (uint32_t k = first; k < i; k++) {
		if (hides(h, draft_row(h->d, SECTION_PERMITS, k),
			  draft_row(h->d, SECTION_PERMITS, i)))
			return k;
	}
	return SNAPSHOT_NONE;
}

/* A crossing's permits ascend by number where the tree is sorted, as a printed one is. Return:
 * whether all were looked at. */
static bool advise_crossing(struct draft *d, struct hiding *h, const struct snapshot_crossing *c)
{
	char path[TREE_PATH_BYTES], by[TREE_PATH_BYTES];

	for (uint32_t i = c->permits.first; i < c->permits.first + c->permits.count; i++) {
		const struct tree_node *origin = draft_origin(d, SECTION_PERMITS, i);
		uint32_t k = find_hiding(h, c->permits.first, i);

		tree_path(path, origin);
		if (k != SNAPSHOT_NONE) {
			tree_path(by, draft_origin(d, SECTION_PERMITS, k));
			draft_refuse(d, origin, PROBLEM_HIDDEN, path, by);
		} else if (h->steps == 0) {
			draft_refuse(d, origin, PROBLEM_HIDDEN_UNSEEN, path, NULL);
			return false;
		}
	}
	return true;
}

void draft_advise_hidden(struct draft *d)
{
	struct hiding h = {d, STEPS_MOST};

	for (uint32_t i = 0; i < draft_count(d, SECTION_CROSSINGS); i++) {
		if (!advise_crossing(d, &h, draft_row(d, SECTION_CROSSINGS, i)))
			return;
	}
}

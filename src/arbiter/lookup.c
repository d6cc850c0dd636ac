/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the compiled permits; lookup_build.c makes them. */
#include "arbiter/lookup.h"

#include <stdbool.h>

#include "arbiter/lookup_build.h"
#include "policy/atoms.h"

/* A set while it is walked. */
struct cursor {
	const struct lookup_word *at, *end;
};

static const struct lookup_group *find_group(const struct lookup *l, uint32_t key)
{
	size_t low = 0, high = l->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->groups[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->group_count && l->groups[low].key == key ? &l->groups[low] : NULL;
}

/* The set of the interval that a value lies in: the last that does not begin behind it. */
static struct cursor find_set(const struct lookup *l, const struct lookup_axis *axis,
			      address_number value)
{
	size_t low = 0, high = axis->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (axis->intervals[middle].first <= value)
			low = middle;
		else
			high = middle;
	}
	return (struct cursor){l->words + axis->intervals[low].first_word,
			       l->words + axis->intervals[low].end_word};
}

/* Pass over the words before @wanted. Return: whether one is left. */
static bool skip_to(struct cursor *set, uint32_t wanted)
{
	while (set->at < set->end && set->at->number < wanted)
		set->at++;
	return set->at < set->end;
}

/*
 * The next places that all sets have, and the word that they are in; 0: there are none. Each round
 * goes to the farthest word that any of the cursors stands at, or past the word that all have.
 */
static uint64_t next_common(struct cursor sets[LOOKUP_DIMENSIONS], uint32_t *number)
{
	uint32_t wanted = *number;

	for (;;) {
		uint64_t bits = UINT64_MAX;
		uint32_t farthest = wanted;

		for (int i = 0; i < LOOKUP_DIMENSIONS; i++) {
			if (!skip_to(&sets[i], wanted))
				return 0;
			bits &= sets[i].at->bits;
			if (sets[i].at->number > farthest)
				farthest = sets[i].at->number;
		}
		if (farthest == wanted && bits != 0) {
			*number = wanted;
			return bits;
		}
		wanted = farthest == wanted ? wanted + 1 : farthest;
	}
}

static uint32_t port_of(const struct ip_headers *h)
{
	if (h->flags & IP_HAS_PORTS)
		return h->destination_port;
	return h->flags & IP_HAS_ICMP ? h->icmp_type : 0;
}

/* Which of the permit's services it is that holds. */
static uint32_t service_of(const struct snapshot *s, uint32_t permit, uint8_t protocol,
			   uint32_t port)
{
	struct snapshot_range services = s->permits[permit].services;

	for (uint32_t i = services.first; i < services.first + services.count; i++) {
		uint32_t low, high;

		lookup_port_range(&s->services[i], &low, &high);
		if (s->services[i].protocol == protocol && port >= low && port <= high)
			return i;
	}
	return SNAPSHOT_NONE; /* not for a permit that was found by that port */
}

struct lookup_match lookup_find(const struct lookup *lookup, uint32_t from, uint32_t to,
				const struct ip_headers *h,
				int (*accepts)(void *ctx, const struct snapshot_permit *permit),
				void *ctx)
{
	const struct snapshot *s = lookup->snapshot;
	const struct lookup_group *group =
		find_group(lookup, lookup_key(from, to, h->family, h->protocol));
	const struct lookup_match none = {SNAPSHOT_NONE, SNAPSHOT_NONE};
	struct cursor sets[LOOKUP_DIMENSIONS];
	uint32_t number = 0;

	if (group == NULL)
		return none;
	sets[LOOKUP_DESTINATION] = find_set(lookup, &group->axes[LOOKUP_DESTINATION],
					    address_to_number(h->family, h->destination));
	sets[LOOKUP_SOURCE] = find_set(lookup, &group->axes[LOOKUP_SOURCE],
				       address_to_number(h->family, h->source));
	sets[LOOKUP_PORT] = find_set(lookup, &group->axes[LOOKUP_PORT], port_of(h));
	for (uint64_t bits; (bits = next_common(sets, &number)) != 0; number++) {
		for (; bits != 0; bits &= bits - 1) {
			uint32_t place = number * 64 + (uint32_t)__builtin_ctzll(bits);
			uint32_t permit = group->permits[place];

			if (accepts(ctx, &s->permits[permit]))
				return (struct lookup_match){
					permit, service_of(s, permit, h->protocol, port_of(h))};
		}
	}
	return none;
}

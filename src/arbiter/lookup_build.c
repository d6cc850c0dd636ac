/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the groups, intervals and sets of a lookup: one sweep along each axis of each group. */
#include "arbiter/lookup_build.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arbiter/lookup.h"
#include "base/err.h"
#include "policy/atoms.h"

#define SET_WORDS ((SNAPSHOT_PERMITS_MAX + 63) / 64)
#define PORT_LAST 65535U

/* Along an axis, a permit's range begins or has ended. */
struct edge {
	address_number at;
	uint32_t place; /* of the permit in its group */
	bool begins;
};

/* One axis while it is made. */
struct sweep {
	struct edge *edges;
	size_t count, capacity;
	uint32_t depth[SNAPSHOT_PERMITS_MAX]; /* how many ranges of a permit are open */
	uint64_t set[SET_WORDS];              /* the permits with any */
};

uint32_t lookup_key(uint32_t from, uint32_t to, uint8_t family, uint8_t protocol)
{
	return (from * SNAPSHOT_ZONES_MAX + to) << 16 | (uint32_t)family << 8 | protocol;
}

void lookup_port_range(const struct snapshot_service *service, uint32_t *low, uint32_t *high)
{
	bool all = !policy_has_ports(service->protocol) &&
		   (!policy_is_icmp(service->protocol) || service->icmp_type_any);

	*low = all ? 0 : service->low;
	*high = all ? PORT_LAST : service->high;
}

static int add_edge(struct sweep *w, address_number at, uint32_t place, bool begins)
{
	if (w->count == w->capacity) {
		size_t capacity = w->capacity == 0 ? 256 : 2 * w->capacity;
		struct edge *edges = reallocarray(w->edges, capacity, sizeof(*edges));

		if (edges == NULL)
			return -ERR_NO_MEMORY;
		w->edges = edges;
		w->capacity = capacity;
	}
	w->edges[w->count++] = (struct edge){at, place, begins};
	return 0;
}

/* A range up to the last value of all has no end on the axis. */
static int add_range(struct sweep *w, address_number first, address_number last, uint32_t place)
{
	int err = add_edge(w, first, place, true);

	return err != 0 || last + 1 == 0 ? err : add_edge(w, last + 1, place, false);
}

static int add_prefixes(struct sweep *w, const struct snapshot *s, struct snapshot_range range,
			uint8_t family, uint32_t place)
{
	int err = 0;

	for (uint32_t i = 0; i < range.count && err == 0; i++) {
		const struct snapshot_prefix *p = &s->prefixes[range.first + i];
		address_number first, last;

		prefix_bounds(p, &first, &last);
		if (p->family == family)
			err = add_range(w, first, last, place);
	}
	return err;
}

static int add_ports(struct sweep *w, const struct snapshot *s, struct snapshot_range services,
		     uint8_t protocol, uint32_t place)
{
	int err = 0;

	for (uint32_t i = 0; i < services.count && err == 0; i++) {
		const struct snapshot_service *service = &s->services[services.first + i];
		uint32_t low, high;

		lookup_port_range(service, &low, &high);
		if (service->protocol == protocol)
			err = add_range(w, low, high, place);
	}
	return err;
}

static int add_permit(struct sweep *w, const struct snapshot *s, const struct lookup_group *group,
		      uint32_t place, enum lookup_dimension dimension)
{
	const struct snapshot_permit *p = &s->permits[group->permits[place]];
	uint8_t family = (uint8_t)(group->key >> 8), protocol = (uint8_t)group->key;

	if (dimension == LOOKUP_PORT)
		return add_ports(w, s, p->services, protocol, place);
	if (dimension == LOOKUP_DESTINATION)
		return add_prefixes(w, s, p->destinations, family, place);
	if (p->sources.count == 0)
		return add_range(w, 0, ~(address_number)0, place);
	return add_prefixes(w, s, p->sources, family, place);
}

static int compare_edges(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	return a->at < b->at ? -1 : a->at > b->at;
}

static void take_edge(struct sweep *w, const struct edge *e)
{
	uint64_t bit = (uint64_t)1 << (e->place % 64);

	w->depth[e->place] += e->begins ? 1U : UINT32_MAX;
	if (w->depth[e->place] > 0)
		w->set[e->place / 64] |= bit;
	else
		w->set[e->place / 64] &= ~bit;
}

static int add_word(struct lookup *l, uint32_t number, uint64_t bits)
{
	if (l->word_count == LOOKUP_WORDS_MAX)
		return -ERR_TOO_LONG;
	if (l->word_count == l->word_capacity) {
		size_t capacity = l->word_capacity == 0 ? 256 : 2 * l->word_capacity;
		struct lookup_word *words = reallocarray(l->words, capacity, sizeof(*words));

		if (words == NULL)
			return -ERR_NO_MEMORY;
		l->words = words;
		l->word_capacity = capacity;
	}
	l->words[l->word_count++] = (struct lookup_word){.number = number, .bits = bits};
	return 0;
}

/* What is open from @first on becomes the next interval. */
static int add_interval(struct lookup *l, struct lookup_axis *axis, const struct sweep *w,
			uint32_t permit_count, address_number first)
{
	struct lookup_interval *interval = &axis->intervals[axis->count++];
	int err = 0;

	*interval = (struct lookup_interval){.first = first, .first_word = (uint32_t)l->word_count};
	for (uint32_t i = 0; i * 64 < permit_count && err == 0; i++) {
		if (w->set[i] != 0)
			err = add_word(l, i, w->set[i]);
	}
	interval->end_word = (uint32_t)l->word_count;
	return err;
}

/* Edges at one value are taken together; the interval before the first of them is empty. */
static int sweep_axis(struct lookup *l, struct lookup_group *group, struct lookup_axis *axis,
		      struct sweep *w)
{
	int err;

	axis->intervals = calloc(w->count + 1, sizeof(*axis->intervals));
	if (axis->intervals == NULL)
		return -ERR_NO_MEMORY;
	memset(w->depth, 0, sizeof(w->depth));
	memset(w->set, 0, sizeof(w->set));
	qsort(w->edges, w->count, sizeof(*w->edges), compare_edges);
	err = add_interval(l, axis, w, group->permit_count, 0);
	for (size_t i = 0; i < w->count && err == 0;) {
		address_number at = w->edges[i].at;

		for (; i < w->count && w->edges[i].at == at; i++)
			take_edge(w, &w->edges[i]);
		err = add_interval(l, axis, w, group->permit_count, at);
	}
	return err;
}

static int build_group(struct lookup *l, struct lookup_group *group, struct sweep *w)
{
	int err = 0;

	for (int dimension = 0; dimension < LOOKUP_DIMENSIONS && err == 0; dimension++) {
		w->count = 0;
		for (uint32_t place = 0; place < group->permit_count && err == 0; place++)
			err = add_permit(w, l->snapshot, group, place,
					 (enum lookup_dimension)dimension);
		if (err == 0)
			err = sweep_axis(l, group, &group->axes[dimension], w);
	}
	return err;
}

static bool has_family(const struct snapshot *s, struct snapshot_range range, uint8_t family)
{
	for (uint32_t i = 0; i < range.count; i++) {
		if (s->prefixes[range.first + i].family == family)
			return true;
	}
	return false;
}

/* The group of a key, which is the last one or one made before: keys come in any order. */
static struct lookup_group *intern_group(struct lookup *l, uint32_t key)
{
	for (size_t i = l->group_count; i > 0; i--) {
		if (l->groups[i - 1].key == key)
			return &l->groups[i - 1];
	}
	if (l->group_count == l->group_capacity) {
		size_t capacity = l->group_capacity == 0 ? 16 : 2 * l->group_capacity;
		struct lookup_group *groups = reallocarray(l->groups, capacity, sizeof(*groups));

		if (groups == NULL)
			return NULL;
		l->groups = groups;
		l->group_capacity = capacity;
	}
	l->groups[l->group_count] = (struct lookup_group){.key = key};
	return &l->groups[l->group_count++];
}

/* Room grows by doubling: at each power of two. A permit is in a group once, whatever the number of
 * its services. */
static int join_group(struct lookup *l, uint32_t key, uint32_t permit)
{
	struct lookup_group *group = intern_group(l, key);
	uint32_t count;

	if (group == NULL)
		return -ERR_NO_MEMORY;
	count = group->permit_count;
	if (count > 0 && group->permits[count - 1] == permit)
		return 0;
	if ((count & (count - 1)) == 0) {
		size_t room = count == 0 ? 1 : 2 * (size_t)count;
		uint32_t *permits = reallocarray(group->permits, room, sizeof(*permits));

		if (permits == NULL)
			return -ERR_NO_MEMORY;
		group->permits = permits;
	}
	group->permits[group->permit_count++] = permit;
	return 0;
}

static int join_groups(struct lookup *l, uint32_t permit, uint8_t family)
{
	const struct snapshot *s = l->snapshot;
	const struct snapshot_permit *p = &s->permits[permit];
	int err = 0;

	if (!has_family(s, p->destinations, family) ||
	    (p->sources.count > 0 && !has_family(s, p->sources, family)))
		return 0;
	for (uint32_t i = 0; i < p->services.count && err == 0; i++) {
		uint8_t protocol = s->services[p->services.first + i].protocol;

		err = join_group(l, lookup_key(p->from, p->to, family, protocol), permit);
	}
	return err;
}

static int compare_groups(const void *left, const void *right)
{
	const struct lookup_group *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

static int build(struct lookup *l, struct sweep *w)
{
	int err = 0;

	for (uint32_t i = 0; i < l->snapshot->permit_count && err == 0; i++) {
		err = join_groups(l, i, 4);
		if (err == 0)
			err = join_groups(l, i, 6);
	}
	if (l->group_count > 0)
		qsort(l->groups, l->group_count, sizeof(*l->groups), compare_groups);
	for (size_t i = 0; i < l->group_count && err == 0; i++)
		err = build_group(l, &l->groups[i], w);
	return err;
}

int lookup_init(struct lookup *out, const struct snapshot *s)
{
	struct sweep *w = calloc(1, sizeof(*w));
	int err;

	*out = (struct lookup){.snapshot = s};
	if (w == NULL)
		return -ERR_NO_MEMORY;
	err = build(out, w);
	free(w->edges);
	free(w);
	if (err != 0)
		lookup_fini(out);
	return err;
}

void lookup_fini(struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->group_count; i++) {
		free(lookup->groups[i].permits);
		for (int dimension = 0; dimension < LOOKUP_DIMENSIONS; dimension++)
			free(lookup->groups[i].axes[dimension].intervals);
	}
	free(lookup->groups);
	free(lookup->words);
	*lookup = (struct lookup){0};
}

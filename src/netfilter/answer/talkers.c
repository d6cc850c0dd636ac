/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has how many flows and bytes: flows added up by the address at one of their ends. The memory
 * is fixed: what more addresses than LISTING_TALKERS_MAX have is in the last row, so that the rows
 * of an answer always add up to all flows that it is about.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "netfilter/netfilter.h"

static struct listing_talker talker_of(const struct listing *l, const struct flow *flow,
				       const struct snapshot_permit *permit)
{
	bool by_source = l->work.flows.filter.by == LISTING_BY_SOURCE;
	struct listing_talker t = {
		.zone = by_source ? permit->from : permit->to,
		.family = flow->family,
	};

	memcpy(t.address, by_source ? flow->source : flow->destination, sizeof(t.address));
	return t;
}

static int compare(const struct listing_talker *a, const struct listing_talker *b)
{
	if (a->zone != b->zone)
		return a->zone < b->zone ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

/* The place in the order where @wanted is, or belongs. */
static size_t place_of(const struct listing_talkers *w, const struct listing_talker *wanted)
{
	size_t low = 0, high = w->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&w->found[w->order[middle]], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct listing_talker *find_or_add(struct listing_talkers *w,
					  const struct listing_talker *wanted)
{
	size_t at = place_of(w, wanted);

	if (at < w->count && compare(&w->found[w->order[at]], wanted) == 0)
		return &w->found[w->order[at]];
	if (w->count == LISTING_TALKERS_MAX)
		return &w->others;
	memmove(w->order + at + 1, w->order + at, (w->count - at) * sizeof(w->order[0]));
	w->order[at] = (uint16_t)w->count;
	w->found[w->count] = *wanted;
	return &w->found[w->count++];
}

static void add(struct listing_talker *sum, uint64_t flows, uint64_t packets, uint64_t bytes)
{
	sum->flows += flows;
	sum->packets += packets;
	sum->bytes += bytes;
}

void talkers_take(struct listing *l, const struct flow *flow, const struct snapshot_permit *permit)
{
	const struct listing_talker wanted = talker_of(l, flow, permit);

	add(find_or_add(&l->work.flows.talkers, &wanted), 1, flow->packets, flow->bytes);
}

static int by_bytes(const void *a, const void *b, void *found)
{
	const struct listing_talker *x = (struct listing_talker *)found + *(const uint16_t *)a;
	const struct listing_talker *y = (struct listing_talker *)found + *(const uint16_t *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return compare(x, y);
}

static void rank(struct listing_flows *w, uint32_t rows)
{
	struct listing_talkers *t = &w->talkers;

	qsort_r(t->order, t->count, sizeof(t->order[0]), by_bytes, t->found);
	w->top_count = w->filter.top > 0 ? w->filter.top : rows;
	if (w->top_count > t->count)
		w->top_count = t->count;
	for (size_t i = w->top_count; i < t->count; i++) {
		const struct listing_talker *left_out = &t->found[t->order[i]];

		add(&t->others, left_out->flows, left_out->packets, left_out->bytes);
	}
	w->ranked = true;
}

static void show(struct listing *l, const struct listing_talker *t, const char *zone,
		 const char *address, uint32_t flags)
{
	struct answer *a = &l->answer;

	answer_cell(a, "%s", zone);
	answer_cell(a, "%s", address);
	answer_cell(a, "%llu", (unsigned long long)t->flows);
	answer_cell(a, "%llu", (unsigned long long)t->packets);
	answer_cell(a, "%llu", (unsigned long long)t->bytes);
	listing_send(l, flags);
}

void talkers_show(struct listing *l)
{
	struct listing_flows *w = &l->work.flows;
	const struct listing_talker *t;
	char address[INET6_ADDRSTRLEN] = "?";

	if (!w->ranked)
		rank(w, l->answer.left);
	if (w->shown < w->top_count) {
		t = &w->talkers.found[w->talkers.order[w->shown++]];
		(void)inet_ntop(t->family == 4 ? AF_INET : AF_INET6, t->address, address,
				sizeof(address)); /* the family and the size are right */
		show(l, t, l->nf->running.snapshot.zones[t->zone].name, address, 0);
	} else if (w->talkers.others.flows > 0) {
		show(l, &w->talkers.others, "-", "others", CONTROL_ROW_LAST);
	} else {
		listing_send(l, CONTROL_ROW_LAST);
	}
}

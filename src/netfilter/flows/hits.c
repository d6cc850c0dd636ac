/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of permits in a mapped file. */
#include "netfilter/flows/hits.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"

_Static_assert(sizeof(struct hits) == 128, "the file's form; a change needs another name");

/* FNV-1a, continued. */
static uint64_t hash_more(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ at[i]) * 0x100000001b3U;
	return hash;
}

static const uint64_t hash_begin = 0xcbf29ce484222325U;

static uint64_t check_of(const struct hits *h)
{
	return hash_more(hash_begin, h, offsetof(struct hits, check));
}

static bool is_whole(const struct hits *h)
{
	return h->check == check_of(h) && h->sequence > 0 &&
	       memchr(h->from, '\0', sizeof(h->from)) != NULL &&
	       memchr(h->to, '\0', sizeof(h->to)) != NULL;
}

/* The newer whole copy; NULL: neither is. */
static const struct hits *current(const struct hits_record *r)
{
	bool first = is_whole(&r->copies[0]), second = is_whole(&r->copies[1]);

	if (first && second)
		return &r->copies[r->copies[1].sequence > r->copies[0].sequence];
	return first ? &r->copies[0] : second ? &r->copies[1] : NULL;
}

/* Over the older copy, which is not the one that counts until this one is whole. */
static void put(struct hits_record *r, struct hits *h)
{
	const struct hits *now = current(r);
	struct hits *place = &r->copies[now == &r->copies[0]];

	h->sequence = now != NULL ? now->sequence + 1 : 1;
	h->check = check_of(h);
	*place = *h;
}

static uint32_t *bucket_of(struct hits_table *t, const struct hits *identity)
{
	uint64_t hash = hash_more(hash_begin, identity, offsetof(struct hits, flows));

	return &t->buckets[(hash ^ hash >> 32) % HITS_BUCKETS];
}

static void enter(struct hits_table *t, uint32_t slot, const struct hits *identity)
{
	uint32_t *bucket = bucket_of(t, identity);

	t->next[slot] = *bucket;
	*bucket = slot + 1;
}

static void leave(struct hits_table *t, uint32_t slot, const struct hits *identity)
{
	uint32_t *link = bucket_of(t, identity);

	while (*link != 0 && *link != slot + 1)
		link = &t->next[*link - 1];
	if (*link != 0)
		*link = t->next[slot];
}

int hits_open(struct hits_table *t, int fd)
{
	void *at = mmap(NULL, COUNTERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	memset(t, 0, sizeof(*t));
	if (at == MAP_FAILED)
		return -ERR_SYSTEM;
	t->records = at;
	for (uint32_t i = 0; i < HITS_MAX; i++) {
		const struct hits *h = current(&t->records[i]);

		if (h == NULL)
			continue; /* empty, or damaged: it begins anew */
		enter(t, i, h);
		t->count = i + 1;
	}
	return 0;
}

void hits_begin_policy(struct hits_table *t)
{
	t->policies++;
}

static uint64_t content_of(const struct snapshot *s, const struct snapshot_permit *permit)
{
	uint64_t hash = hash_begin;

	for (uint32_t i = 0; i < permit->sources.count; i++)
		hash = hash_more(hash, &s->prefixes[permit->sources.first + i],
				 sizeof(s->prefixes[0]));
	hash = hash_more(hash, "", 1);
	for (uint32_t i = 0; i < permit->destinations.count; i++)
		hash = hash_more(hash, &s->prefixes[permit->destinations.first + i],
				 sizeof(s->prefixes[0]));
	for (uint32_t i = 0; i < permit->services.count; i++) {
		const struct snapshot_service *service = &s->services[permit->services.first + i];
		const uint16_t words[] = {service->protocol, service->icmp_type_any, service->low,
					  service->high};

		hash = hash_more(hash, words, sizeof(words));
	}
	return hash;
}

static uint32_t find(struct hits_table *t, const struct hits *identity)
{
	for (uint32_t i = *bucket_of(t, identity); i != 0; i = t->next[i - 1]) {
		const struct hits *h = current(&t->records[i - 1]);

		if (h != NULL && memcmp(h, identity, offsetof(struct hits, flows)) == 0)
			return i - 1;
	}
	return HITS_NONE;
}

/* A free record, or the one that no policy has had for longest. */
static uint32_t free_slot(struct hits_table *t)
{
	uint32_t oldest = 0;

	if (t->count < HITS_MAX)
		return t->count++;
	for (uint32_t i = 1; i < HITS_MAX; i++) {
		if (t->used[i] < t->used[oldest])
			oldest = i;
	}
	const struct hits *h = current(&t->records[oldest]);

	if (h != NULL)
		leave(t, oldest, h);
	return oldest;
}

uint32_t hits_slot(struct hits_table *t, const struct snapshot *s,
		   const struct snapshot_permit *permit, int64_t now_s)
{
	struct hits identity;

	if (t->records == NULL)
		return HITS_NONE;
	memset(&identity, 0, sizeof(identity));
	snprintf(identity.from, sizeof(identity.from), "%s", s->zones[permit->from].name);
	snprintf(identity.to, sizeof(identity.to), "%s", s->zones[permit->to].name);
	identity.number = permit->number;
	identity.content = content_of(s, permit);
	uint32_t slot = find(t, &identity);

	if (slot == HITS_NONE) {
		slot = free_slot(t);
		identity.first_s = now_s;
		put(&t->records[slot], &identity);
		enter(t, slot, &identity);
	}
	t->used[slot] = t->policies;
	return slot;
}

void hits_add(struct hits_table *t, uint32_t slot, uint64_t packets, uint64_t bytes, int64_t now_s)
{
	if (t->records == NULL || slot >= HITS_MAX)
		return;
	struct hits h = hits_read(t, slot);

	h.flows++;
	h.packets += packets;
	h.bytes += bytes;
	h.last_s = now_s > h.last_s ? now_s : h.last_s;
	put(&t->records[slot], &h);
}

void *hits_tail(const struct hits_table *t)
{
	return t->records != NULL ? (uint8_t *)t->records + (COUNTERS_BYTES - HITS_TAIL_BYTES)
				  : NULL;
}

struct hits hits_read(const struct hits_table *t, uint32_t slot)
{
	const struct hits *h = NULL;

	if (t->records != NULL && slot < HITS_MAX)
		h = current(&t->records[slot]);
	return h != NULL ? *h : (struct hits){0};
}

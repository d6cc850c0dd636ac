/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of permits: who has one, and what is left of it. */
#include "netfilter/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define MS_A_SECOND 1000U

/* FNV-1a over text with its end. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	do {
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
	} while (*text++ != '\0');
	return hash;
}

static uint64_t key_of(const char *from, const char *to, uint32_t number)
{
	uint64_t hash = hash_text(hash_text(0xcbf29ce484222325U, from), to);

	return (hash ^ number) * 0x100000001b3U;
}

static int compare(const void *left, const void *right)
{
	const struct limit *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

static uint64_t most_credit(const struct limit *limit)
{
	return (uint64_t)limit->rate * limit->period_ms;
}

static struct limit make_limit(const struct snapshot *s, uint32_t index, bool full, uint64_t now_ms)
{
	const struct snapshot_permit *p = &s->permits[index];
	struct limit limit = {
		.key = key_of(s->zones[p->from].name, s->zones[p->to].name, p->number),
		.permit = index,
		.connections = p->connections,
		.rate = p->rate,
		.period_ms = p->rate_period_s * MS_A_SECOND,
		.filled_ms = now_ms,
	};

	limit.credit = full ? most_credit(&limit) : 0;
	return limit;
}

int limits_init(struct limits *l, const struct snapshot *s, bool full, uint64_t now_ms)
{
	*l = (struct limits){.permit_count = s->permit_count};
	for (uint32_t i = 0; i < s->permit_count; i++)
		l->count += s->permits[i].rate != 0 || s->permits[i].connections != 0;
	l->rows = calloc((size_t)l->count + 1, sizeof(l->rows[0]));
	l->row_of = calloc((size_t)s->permit_count + 1, sizeof(l->row_of[0]));
	if (l->rows == NULL || l->row_of == NULL) {
		limits_fini(l);
		return -ERR_NO_MEMORY;
	}
	for (uint32_t i = 0, row = 0; i < s->permit_count; i++) {
		if (s->permits[i].rate != 0 || s->permits[i].connections != 0)
			l->rows[row++] = make_limit(s, i, full, now_ms);
	}
	qsort(l->rows, l->count, sizeof(l->rows[0]), compare);
	for (uint32_t row = 0; row < l->count; row++)
		l->row_of[l->rows[row].permit] = row + 1;
	return 0;
}

void limits_fini(struct limits *l)
{
	free(l->rows);
	free(l->row_of);
	*l = (struct limits){0};
}

static struct limit *find_key(const struct limits *l, uint64_t key)
{
	const struct limit wanted = {.key = key};

	if (l->count == 0)
		return NULL;
	return bsearch(&wanted, l->rows, l->count, sizeof(l->rows[0]), compare);
}

void limits_carry(struct limits *l, const struct limits *before)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct limit *limit = &l->rows[i];
		const struct limit *old = find_key(before, limit->key);

		if (old != NULL)
			memcpy(limit->held, old->held, sizeof(limit->held));
		if (old == NULL || old->rate == 0 || limit->rate == 0)
			continue;
		limit->filled_ms = old->filled_ms;
		limit->credit = old->credit / old->period_ms * limit->period_ms;
		if (limit->period_ms == old->period_ms)
			limit->credit = old->credit; /* and what is less than a whole flow */
		if (limit->credit > most_credit(limit))
			limit->credit = most_credit(limit);
	}
}

struct limit *limits_of(const struct limits *l, uint32_t permit)
{
	if (permit >= l->permit_count || l->row_of[permit] == 0)
		return NULL;
	return &l->rows[l->row_of[permit] - 1];
}

struct limit *limits_find(const struct limits *l, const char *from, const char *to, uint32_t number)
{
	return find_key(l, key_of(from, to, number));
}

bool limit_has_credit(struct limit *limit, uint64_t now_ms)
{
	if (limit->rate == 0)
		return true;
	limit->credit += (now_ms - limit->filled_ms) * limit->rate;
	limit->filled_ms = now_ms;
	if (limit->credit > most_credit(limit))
		limit->credit = most_credit(limit);
	return limit->credit >= limit->period_ms;
}

void limit_take(struct limit *limit)
{
	if (limit->rate != 0)
		limit->credit -= limit->period_ms;
	limit->used++;
	limit->unsent++;
}

uint32_t limit_on_the_way(const struct limit *limit)
{
	uint32_t count = limit->unsent;

	for (unsigned i = 0; i < SNAPSHOT_QUEUES_MAX; i++)
		count += limit->held[i];
	return count;
}

void limit_join(struct limit *limit)
{
	if (limit->used < UINT32_MAX)
		limit->used++;
}

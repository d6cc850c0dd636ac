/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buckets that fill evenly over a minute. */
#include "supervisor/sessions/rates.h"

#include <string.h>

#define RATES_COST 60000U /* of one: a bucket gets its limit for each millisecond of the minute */

struct rate_key rate_key_of(const char *entry, uint8_t family, const uint8_t *addr)
{
	struct rate_key key = {.family = family};

	memcpy(key.entry, entry, strnlen(entry, sizeof(key.entry) - 1));
	memcpy(key.source, addr, family == 6 ? RATES_SOURCE_BYTES : 4);
	return key;
}

static bool same_key(const struct rate_key *a, const struct rate_key *b)
{
	return a->family == b->family && memcmp(a->source, b->source, sizeof(a->source)) == 0 &&
	       memcmp(a->entry, b->entry, sizeof(a->entry)) == 0;
}

/* The row of @key; a new one takes the place of what was not heard of for longest. */
static struct rate_row *find_row(struct rate_row *rows, size_t count, const struct rate_key *key)
{
	struct rate_row *oldest = &rows[0];

	for (size_t i = 0; i < count; i++) {
		struct rate_row *row = &rows[i];

		if (same_key(&row->key, key))
			return row;
		if (row->heard_ms < oldest->heard_ms)
			oldest = row;
	}
	*oldest = (struct rate_row){.key = *key};
	for (size_t kind = 0; kind < RATE_KIND_COUNT_; kind++)
		oldest->level[kind] = UINT64_MAX; /* full: cut to the limit when it is looked at */
	return oldest;
}

static bool take(struct rate_row *row, enum rate_kind kind, uint32_t per_minute, uint64_t now_ms)
{
	uint64_t full = (uint64_t)per_minute * RATES_COST;
	uint64_t passed_ms = now_ms - row->filled_ms[kind];

	if (passed_ms > RATES_COST)
		passed_ms = RATES_COST; /* a minute fills any bucket */
	if (row->level[kind] > full)
		row->level[kind] = full;
	row->level[kind] += passed_ms * per_minute;
	if (row->level[kind] > full)
		row->level[kind] = full;
	row->filled_ms[kind] = now_ms;
	row->heard_ms = now_ms;
	if (row->level[kind] < RATES_COST)
		return false;
	row->level[kind] -= RATES_COST;
	return true;
}

bool rates_take(struct rates *rates, const struct rate_key *key, enum rate_kind kind,
		uint32_t per_minute, uint64_t now_ms)
{
	return per_minute == 0 ||
	       take(find_row(rates->rows, RATES_SOURCES_MAX, key), kind, per_minute, now_ms);
}

bool rates_take_total(struct rates *rates, const char *entry, enum rate_kind kind,
		      uint32_t per_minute, uint64_t now_ms)
{
	static const uint8_t nobody[RATES_SOURCE_BYTES];
	struct rate_key key = rate_key_of(entry, RATES_ALL, nobody);

	return per_minute == 0 ||
	       take(find_row(rates->totals, RATES_TOTALS_MAX, &key), kind, per_minute, now_ms);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zones and stations that are watched. */
#include "arbiter/watched.h"

#include <string.h>

#include "base/err.h"

/* ---- the list */

static bool is_sound(const struct watched *row)
{
	uint8_t size = row->station.size;

	return row->number != 0 && (size == 0 || size == 4 || size == 6 || size == 16) &&
	       memchr(row->name, '\0', sizeof(row->name)) != NULL &&
	       memchr(row->why, '\0', sizeof(row->why)) != NULL;
}

static size_t find_number(const struct watched_list *list, uint64_t number)
{
	size_t at = 0;

	while (at < list->count && list->rows[at].number != number)
		at++;
	return at;
}

/* Rows are by number in both lists, so that no count moves over one that is still needed. */
static void keep_counts(struct watched_list *list, const struct watched *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t before = find_number(list, rows[i].number);

		if (before < list->count)
			memmove(list->counts[i], list->counts[before], sizeof(list->counts[i]));
		else
			memset(list->counts[i], 0, sizeof(list->counts[i]));
	}
}

int watched_take(struct watched_list *list, struct span rows)
{
	struct watched taken[WATCHED_MAX];
	size_t count = rows.size / sizeof(taken[0]);

	if (rows.size % sizeof(taken[0]) != 0 || count > WATCHED_MAX)
		return -ERR_SYNTAX;
	if (count > 0)
		memcpy(taken, rows.data, rows.size);
	for (size_t i = 0; i < count; i++) {
		if (!is_sound(&taken[i]) || (i > 0 && taken[i].number <= taken[i - 1].number))
			return -ERR_SYNTAX;
	}
	keep_counts(list, taken, count);
	memcpy(list->rows, taken, count * sizeof(taken[0]));
	list->count = count;
	return 0;
}

/* ---- who is watched */

static bool has_address(const struct watched *row, uint8_t family, const uint8_t *address)
{
	size_t bytes = family == 4 ? 4 : 16;

	return row->station.size == bytes && memcmp(row->station.bytes, address, bytes) == 0;
}

static bool is_station(const struct watched *row, const struct watched_question *q)
{
	if (row->station.size == 6)
		return q->mac != NULL && memcmp(row->station.bytes, q->mac, 6) == 0;
	return !q->of_another && has_address(row, q->headers->family, q->headers->source);
}

static bool is_zone(const struct watched *row, const struct snapshot *s, uint32_t zone)
{
	return row->station.size == 0 && strcmp(row->name, s->zones[zone].name) == 0;
}

size_t watched_find(const struct watched_list *list, const struct watched_question *q)
{
	size_t found = list->count;

	for (size_t i = 0; i < list->count; i++) {
		const struct watched *row = &list->rows[i];

		if (q->now_s >= row->until_s)
			continue;
		if (is_station(row, q))
			return i;
		if (is_zone(row, q->snapshot, q->zone))
			found = i;
	}
	return found;
}

bool watched_touches(const struct watched_list *list, const struct watched_question *q)
{
	if (watched_find(list, q) < list->count)
		return true;
	for (size_t i = 0; i < list->count; i++) {
		const struct watched *row = &list->rows[i];

		if (q->now_s < row->until_s &&
		    has_address(row, q->headers->family, q->headers->destination))
			return true;
	}
	return false;
}

/* ---- what they do */

static const char *kind_name(unsigned kind)
{
	return kind == WATCHED_DENIED ? "denied" : detect_kind_name((enum detect_kind)kind);
}

static struct event_arg address_arg(enum event_key key, uint8_t family, const uint8_t *address)
{
	return (struct event_arg){key, family == 4 ? EVENT_KIND_IPV4 : EVENT_KIND_IPV6, 0, address,
				  family == 4 ? 4 : 16};
}

/* What could not be queued stays untold, so that no count is lost. */
static void tell(const struct watched *row, unsigned kind, struct watched_count *count,
		 struct event_client *events, uint64_t now_ms)
{
	const struct ip_headers *h = &count->headers;
	bool relapse = strcmp(row->why, kind_name(kind)) == 0;
	const struct event_arg args[] = {
		EV_NUMBER(WATCH, row->number),
		EV_TEXT(NAME, row->name),
		EV_TEXT(DETAIL, kind_name(kind)),
		EV_TEXT(REASON, row->why),
		EV_NUMBER(COUNT, count->untold),
		EV_TEXT(ZONE, count->zone),
		address_arg(FIELD_SOURCE, h->family, h->source),
		address_arg(FIELD_DESTINATION, h->family, h->destination),
		EV_NUMBER(PROTOCOL, h->protocol),
		EV_NUMBER(DESTINATION_PORT, h->flags & IP_HAS_PORTS ? h->destination_port : 0),
		EV_MAC(MAC, count->mac),
	};
	uint64_t lost = events->lost;

	event_emit(events, relapse ? EVENT_WATCHED_RELAPSE : EVENT_WATCHED_ACTIVE, args,
		   sizeof(args) / sizeof(args[0]) - !count->has_mac);
	if (events->lost > lost) {
		events->lost = lost;
		return;
	}
	count->untold = 0;
	count->told_ms = now_ms;
}

static bool is_due(const struct watched_count *count, uint64_t now_ms)
{
	return count->untold > 0 &&
	       (count->told_ms == 0 || now_ms - count->told_ms >= WATCHED_AGAIN_MS);
}

void watched_note(struct watched_list *list, struct event_client *events,
		  const struct watched_question *q, unsigned kind, uint64_t now_ms)
{
	const struct snapshot_zone *zone = &q->snapshot->zones[q->zone];
	size_t at = watched_find(list, q);
	struct watched_count *count;

	if (at == list->count || (kind == WATCHED_DENIED && zone->tier == TIER_OUTSIDE &&
				  list->rows[at].station.size == 0))
		return;
	count = &list->counts[at][kind];
	count->untold++;
	count->headers = *q->headers;
	count->has_mac = q->mac != NULL;
	memcpy(count->zone, zone->name, sizeof(count->zone));
	if (q->mac != NULL)
		memcpy(count->mac, q->mac, sizeof(count->mac));
	if (is_due(count, now_ms))
		tell(&list->rows[at], kind, count, events, now_ms);
}

void watched_tick(struct watched_list *list, struct event_client *events, uint64_t now_ms)
{
	for (size_t i = 0; i < list->count; i++) {
		for (unsigned kind = 0; kind < WATCHED_KIND_COUNT; kind++) {
			struct watched_count *count = &list->counts[i][kind];

			if (is_due(count, now_ms))
				tell(&list->rows[i], kind, count, events, now_ms);
		}
	}
}

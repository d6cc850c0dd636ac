/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aggregation of denials with exact counts. */
#include "arbiter/denials.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TOKEN 1000U /* one event */

void denials_init(struct denials *d, uint64_t now_ms)
{
	memset(d, 0, sizeof(*d));
	for (uint32_t i = 0; i < DENIALS_MAX; i++)
		d->rows[i].next = i + 1 < DENIALS_MAX ? i + 2 : 0;
	d->free = 1;
	d->tokens = (uint64_t)DENIALS_EVENTS_BURST * TOKEN;
	d->refilled_ms = now_ms;
	d->shares = 1;
}

void denials_set_shares(struct denials *d, uint32_t shares)
{
	d->shares = shares;
}

/* FNV-1a over all bytes. */
static uint32_t *bucket_of(struct denials *d, const struct denial_kind *kind)
{
	const uint8_t *bytes = (const uint8_t *)kind;
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < sizeof(*kind); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3U;
	return &d->buckets[(hash ^ hash >> 32) % DENIALS_BUCKETS];
}

static struct denial *find(struct denials *d, const struct denial_kind *kind)
{
	for (uint32_t i = *bucket_of(d, kind); i != 0; i = d->rows[i - 1].next) {
		if (memcmp(&d->rows[i - 1].kind, kind, sizeof(*kind)) == 0)
			return &d->rows[i - 1];
	}
	return NULL;
}

static struct denial *add(struct denials *d, const struct denial_kind *kind)
{
	uint32_t *bucket = bucket_of(d, kind), index = d->free;

	if (index == 0)
		return NULL;
	struct denial *row = &d->rows[index - 1];

	d->free = row->next;
	*row = (struct denial){.kind = *kind, .next = *bucket};
	*bucket = index;
	return row;
}

static struct denial_kind rest_of(const struct denial_kind *kind)
{
	struct denial_kind rest;

	memset(&rest, 0, sizeof(rest));
	memcpy(rest.from, kind->from, sizeof(rest.from));
	memcpy(rest.source, kind->source, sizeof(rest.source));
	if (kind->family == 6)
		memset(rest.source + 8, 0, 8); /* one sender can have a whole /64 */
	rest.family = kind->family;
	rest.rest = 1;
	return rest;
}

static void forget(struct denials *d, struct denial *row)
{
	uint32_t index = (uint32_t)(row - d->rows) + 1;
	uint32_t *link = bucket_of(d, &row->kind);

	while (*link != index)
		link = &d->rows[*link - 1].next;
	*link = row->next;
	if (!row->kind.rest) {
		struct denial_kind rest = rest_of(&row->kind);
		struct denial *source = find(d, &rest);

		if (source != NULL)
			source->kinds--;
	}
	row->next = d->free;
	d->free = index;
}

static struct event_arg address_arg(enum event_key key, uint8_t family, const uint8_t *address)
{
	return (struct event_arg){key, family == 4 ? EVENT_KIND_IPV4 : EVENT_KIND_IPV6, 0, address,
				  family == 4 ? 4 : 16};
}

static size_t describe(const struct denial *row, struct event_arg *args)
{
	const struct denial_kind *k = &row->kind;
	size_t count = 0;

	args[count++] = EV_TEXT(FROM_ZONE, k->from);
	if (k->to[0] != '\0')
		args[count++] = EV_TEXT(TO_ZONE, k->to);
	if (k->family != 0)
		args[count++] = address_arg(FIELD_SOURCE, k->family, k->source);
	if (!k->rest && k->family != 0) {
		args[count++] = address_arg(FIELD_DESTINATION, k->family, k->destination);
		args[count++] = EV_NUMBER(PROTOCOL, k->protocol);
		args[count++] = EV_NUMBER(DESTINATION_PORT, k->port);
	}
	if (!k->rest)
		args[count++] = EV_TEXT(REASON, judge_reason_name(k->reason));
	if (k->permit != 0)
		args[count++] = EV_NUMBER(PERMIT, k->permit);
	args[count++] = EV_NUMBER(COUNT, row->pending);
	return count;
}

static bool spend_token(struct denials *d, uint64_t now_ms)
{
	const uint64_t most = (uint64_t)DENIALS_EVENTS_BURST * TOKEN;
	const uint64_t price = (uint64_t)TOKEN * d->shares; /* they have one budget together */

	d->tokens += (now_ms - d->refilled_ms) * DENIALS_EVENTS_PER_S * TOKEN / 1000;
	d->refilled_ms = now_ms;
	if (d->tokens > most)
		d->tokens = most;
	if (d->tokens < price)
		return false;
	d->tokens -= price;
	return true;
}

/* What could not be queued stays pending, so that no count is lost. */
static void tell(struct denials *d, struct event_client *events, struct denial *row,
		 uint64_t now_ms)
{
	struct event_arg args[EVENT_FIELDS_MAX];
	size_t arg_count = describe(row, args);
	uint64_t lost = events->lost;

	if (!spend_token(d, now_ms))
		return;
	event_emit(events, row->kind.rest ? EVENT_FLOWS_DENIED : EVENT_FLOW_DENIED, args,
		   arg_count);
	if (events->lost > lost) {
		events->lost = lost;
		return;
	}
	row->pending = 0;
	row->emitted_ms = now_ms;
}

static struct denial_kind kind_of(const struct snapshot *s, uint32_t from,
				  const struct judge_verdict *verdict, const struct ip_headers *h)
{
	struct denial_kind kind;

	memset(&kind, 0, sizeof(kind));
	memcpy(kind.from, s->zones[from].name, sizeof(kind.from));
	if (verdict->to != SNAPSHOT_NONE)
		memcpy(kind.to, s->zones[verdict->to].name, sizeof(kind.to));
	kind.reason = (uint8_t)verdict->reason;
	if (verdict->reason >= JUDGE_LIMIT_RATE && verdict->permit != SNAPSHOT_NONE)
		kind.permit = (uint16_t)s->permits[verdict->permit].number;
	if (h == NULL)
		return kind;
	kind.family = h->family;
	kind.protocol = h->protocol;
	memcpy(kind.source, h->source, sizeof(kind.source));
	memcpy(kind.destination, h->destination, sizeof(kind.destination));
	if (h->flags & IP_HAS_PORTS)
		kind.port = h->destination_port;
	else if (h->flags & IP_HAS_ICMP)
		kind.port = h->icmp_type;
	return kind;
}

/* The row that counts a new kind: one of its own, or that of the source's rest. NULL: no row is
 * free. */
static struct denial *row_for_new(struct denials *d, const struct denial_kind *kind)
{
	struct denial_kind rest = rest_of(kind);
	struct denial *source = find(d, &rest);

	if (source == NULL)
		source = add(d, &rest);
	if (source == NULL || source->kinds >= DENIALS_PER_SOURCE)
		return source;
	struct denial *row = add(d, kind);

	if (row == NULL)
		return source;
	source->kinds++;
	return row;
}

void denials_note(struct denials *d, struct event_client *events, const struct snapshot *s,
		  uint32_t from, const struct judge_verdict *verdict, const struct ip_headers *h,
		  uint64_t now_ms)
{
	struct denial_kind kind = kind_of(s, from, verdict, h);
	struct denial *row = find(d, &kind);

	if (row == NULL)
		row = row_for_new(d, &kind);
	if (row == NULL) {
		d->overflow++;
		return;
	}
	row->pending++;
	row->seen_ms = now_ms;
	if (row->emitted_ms == 0 && !row->kind.rest)
		tell(d, events, row, now_ms);
}

static void tell_overflow(struct denials *d, struct event_client *events, uint64_t now_ms)
{
	uint64_t lost = events->lost;

	if (d->overflow == 0 || now_ms - d->overflow_told < DENIALS_SUMMARY_MS)
		return;
	event_send(events, EVENT_FLOWS_DENIED, EV_NUMBER(COUNT, d->overflow));
	if (events->lost > lost) {
		events->lost = lost;
		return;
	}
	d->overflow = 0;
	d->overflow_told = now_ms;
}

/* A row of a source's rest stays as long as the kinds that count on it. */
static bool is_stale(const struct denial *row, uint64_t now_ms)
{
	return row->pending == 0 && row->kinds == 0 && now_ms - row->seen_ms >= DENIALS_SUMMARY_MS;
}

void denials_tick(struct denials *d, struct event_client *events, uint64_t now_ms)
{
	tell_overflow(d, events, now_ms);
	for (uint32_t i = 0; i < DENIALS_MAX; i++) {
		struct denial *row = &d->rows[i];

		if (row->kind.from[0] == '\0')
			continue;
		if (row->pending > 0 && now_ms - row->emitted_ms >= DENIALS_SUMMARY_MS)
			tell(d, events, row, now_ms);
		if (is_stale(row, now_ms)) {
			forget(d, row);
			row->kind.from[0] = '\0';
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judgement of flows: which question is asked when, and what answers it. */
#include "arbiter/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/calendar.h"

enum { ICMPV6_ECHO_REQUEST = 128 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

static unsigned family_index(uint8_t family)
{
	return family == 4 ? 0 : 1;
}

static uint64_t station_key(uint32_t zone, const uint8_t mac[6])
{
	uint64_t key = zone;

	for (int i = 0; i < 6; i++)
		key = key << 8 | mac[i];
	return key;
}

static int compare_stations(const void *left, const void *right)
{
	const struct judge_station *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

static int index_stations(struct judge_policy *p)
{
	const struct snapshot *s = p->snapshot;

	p->stations = calloc((size_t)s->station_count + 1, sizeof(*p->stations));
	if (p->stations == NULL)
		return -ERR_NO_MEMORY;
	for (uint32_t zone = 0; zone < s->zone_count; zone++) {
		struct snapshot_range range = s->zones[zone].stations;

		for (uint32_t i = 0; i < range.count && p->station_count < s->station_count; i++) {
			const struct snapshot_station *station = &s->stations[range.first + i];

			p->stations[p->station_count++] = (struct judge_station){
				station_key(zone, station->mac), range.first + i};
		}
	}
	qsort(p->stations, p->station_count, sizeof(*p->stations), compare_stations);
	return 0;
}

static struct judge_binding make_binding(uint32_t zone, uint8_t family, const uint8_t address[16])
{
	struct judge_binding b = {{(uint8_t)zone, family}};

	memcpy(b.key + 2, address, 16);
	return b;
}

static int compare_bindings(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct judge_binding));
}

/* Every address that a station of a zone is bound to. */
static int index_bindings(struct judge_policy *p)
{
	const struct snapshot *s = p->snapshot;
	size_t count = 0;

	for (size_t i = 0; i < p->station_count; i++)
		count += s->stations[p->stations[i].index].addresses.count;
	p->bindings = calloc(count + 1, sizeof(*p->bindings));
	if (p->bindings == NULL)
		return -ERR_NO_MEMORY;
	for (size_t i = 0; i < p->station_count; i++) {
		uint32_t zone = (uint32_t)(p->stations[i].key >> 48);
		struct snapshot_range own = s->stations[p->stations[i].index].addresses;

		for (uint32_t k = 0; k < own.count; k++) {
			const struct snapshot_prefix *a = &s->prefixes[own.first + k];

			p->bindings[p->binding_count++] = make_binding(zone, a->family, a->addr);
		}
	}
	qsort(p->bindings, p->binding_count, sizeof(*p->bindings), compare_bindings);
	return 0;
}

static bool is_bound(const struct judge_policy *p, uint32_t zone, const struct ip_headers *h)
{
	struct judge_binding wanted = make_binding(zone, h->family, h->source);

	return bsearch(&wanted, p->bindings, p->binding_count, sizeof(wanted), compare_bindings) !=
	       NULL;
}

static int map_ranges(struct judge_policy *p)
{
	int err = 0;

	for (unsigned f = 0; f < 2 && err == 0; f++) {
		uint8_t family = f == 0 ? 4 : 6;

		err = range_map_owners(&p->owners[f], p->snapshot, family);
		for (uint32_t zone = 0; zone < p->snapshot->zone_count && err == 0; zone++)
			err = range_map_ways(&p->ways[zone][f], p->snapshot, family, zone);
	}
	return err;
}

int judge_init(struct judge_policy *out, const struct snapshot *s)
{
	*out = (struct judge_policy){.snapshot = s};
	int err = lookup_init(&out->lookup, s);

	if (err == 0)
		err = index_stations(out);
	if (err == 0)
		err = index_bindings(out);
	if (err == 0)
		err = map_ranges(out);
	if (err != 0)
		judge_fini(out);
	return err;
}

void judge_fini(struct judge_policy *policy)
{
	lookup_fini(&policy->lookup);
	free(policy->stations);
	free(policy->bindings);
	for (unsigned f = 0; f < 2; f++) {
		range_map_fini(&policy->owners[f]);
		for (unsigned zone = 0; zone < SNAPSHOT_ZONES_MAX; zone++)
			range_map_fini(&policy->ways[zone][f]);
	}
	*policy = (struct judge_policy){0};
}

/* The permit is in force, or what keeps it from being so. */
static enum judge_reason permit_state(const struct snapshot *s,
				      const struct snapshot_permit *permit, int64_t now_s)
{
	if (now_s >= permit->expires_s)
		return JUDGE_EXPIRED;
	if (permit->schedule != SNAPSHOT_NONE &&
	    !calendar_open(s, &s->schedules[permit->schedule], now_s))
		return JUDGE_SCHEDULE;
	return JUDGE_PERMITTED;
}

static enum judge_reason judge_form(const struct ip_headers *h)
{
	if (h->flags & IP_IS_FRAGMENT)
		return JUDGE_FRAGMENT;
	if (h->flags & IP_HAS_SOURCE_ROUTE)
		return JUDGE_SOURCE_ROUTE;
	if (h->flags & (IP_HAS_OPTIONS | IP_HAS_EXTENSIONS))
		return JUDGE_OPTIONS;
	/* ADR 405: connection tracking reads on behind it, and would see another flow than we. */
	if (h->protocol == IP_PROTOCOL_AUTHENTICATION)
		return JUDGE_OPTIONS;
	return JUDGE_PERMITTED;
}

static bool prefixes_hold(const struct snapshot *s, struct snapshot_range range, uint8_t family,
			  address_number address)
{
	for (uint32_t i = 0; i < range.count; i++) {
		const struct snapshot_prefix *p = &s->prefixes[range.first + i];
		address_number first, last;

		if (p->family != family)
			continue;
		prefix_bounds(p, &first, &last);
		if (address >= first && address <= last)
			return true;
	}
	return false;
}

/* A hardware address may be listed more than once, each time with other addresses. */
static enum judge_reason judge_station(const struct judge_policy *p, const struct judge_question *q,
				       address_number source)
{
	const struct snapshot *s = p->snapshot;
	uint64_t key = q->mac == NULL ? 0 : station_key(q->from, q->mac);
	size_t low = 0, high = p->station_count;
	enum judge_reason reason = JUDGE_STATION_UNKNOWN;

	if (q->mac == NULL || s->zones[q->from].station_policy != STATION_ENFORCE)
		return JUDGE_PERMITTED;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->stations[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < p->station_count && p->stations[low].key == key; low++) {
		struct snapshot_range addresses = s->stations[p->stations[low].index].addresses;

		if (addresses.count == 0 ? !is_bound(p, q->from, q->headers)
					 : prefixes_hold(s, addresses, q->headers->family, source))
			return JUDGE_PERMITTED;
		reason = JUDGE_STATION_ADDRESS;
	}
	return reason;
}

/* The gateway itself, and the broadcast addresses of its networks, which it does not forward to
 * (RFC 2644). */
static enum judge_reason judge_destination(const struct snapshot *s, uint8_t family,
					   address_number destination)
{
	for (uint32_t zone = 0; zone < s->zone_count; zone++) {
		struct snapshot_range addresses = s->zones[zone].addresses;

		for (uint32_t i = 0; i < addresses.count; i++) {
			const struct snapshot_prefix *p = &s->prefixes[addresses.first + i];
			address_number broadcast;

			if (p->family != family)
				continue;
			if (address_to_number(family, p->addr) == destination)
				return JUDGE_GATEWAY;
			if (prefix_broadcast(p, &broadcast) && broadcast == destination)
				return JUDGE_ADDRESS;
		}
	}
	return JUDGE_PERMITTED;
}

static bool crossing_joins(const struct snapshot *s, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const struct snapshot_crossing *c = &s->crossings[i];

		if ((c->low == a && c->high == b) || (c->low == b && c->high == a))
			return true;
	}
	return false;
}

static enum judge_reason judge_addresses(const struct judge_policy *p,
					 const struct judge_question *q, struct judge_verdict *v)
{
	const struct ip_headers *h = q->headers;
	unsigned family = family_index(h->family);
	address_number source = address_to_number(h->family, h->source);
	address_number destination = address_to_number(h->family, h->destination);
	enum judge_reason reason;
	uint32_t way;

	if (address_is_martian(h->family, source) || address_is_martian(h->family, destination))
		return JUDGE_ADDRESS;
	v->to = range_map_find(&p->owners[family], destination);
	if (range_map_find(&p->owners[family], source) != q->from)
		return JUDGE_SPOOFED;
	reason = judge_station(p, q, source);
	if (reason != JUDGE_PERMITTED)
		return reason;
	reason = judge_destination(p->snapshot, h->family, destination);
	if (reason != JUDGE_PERMITTED)
		return reason;
	way = range_map_find(&p->ways[q->from][family], destination);
	if (way == q->from)
		return JUDGE_SAME_ZONE;
	if (way == SNAPSHOT_NONE)
		return crossing_joins(p->snapshot, q->from, v->to) ? JUDGE_NO_PERMIT
								   : JUDGE_NO_CROSSING;
	/* A permit may name a host that its zone does not have: answers would come from nowhere. */
	if (v->to != way)
		return JUDGE_ADDRESS;
	return JUDGE_PERMITTED;
}

/* What a candidate is asked. */
struct candidate_time {
	const struct snapshot *snapshot;
	int64_t now_s;
};

static int in_force(void *ctx, const struct snapshot_permit *permit)
{
	const struct candidate_time *t = ctx;

	return permit_state(t->snapshot, permit, t->now_s) == JUDGE_PERMITTED;
}

static int at_any_time(void *ctx, const struct snapshot_permit *permit)
{
	return 1;
}

static enum judge_reason judge_permits(const struct judge_policy *p, const struct judge_question *q,
				       struct judge_verdict *v)
{
	struct candidate_time t = {p->snapshot, q->now_s};
	struct lookup_match match;

	match = lookup_find(&p->lookup, q->from, v->to, q->headers, in_force, &t);
	v->permit = match.permit;
	if (v->permit != SNAPSHOT_NONE) {
		v->conform = p->snapshot->services[match.service].conform;
		return JUDGE_PERMITTED;
	}
	match = lookup_find(&p->lookup, q->from, v->to, q->headers, at_any_time, NULL);
	v->permit = match.permit;
	if (v->permit == SNAPSHOT_NONE)
		return JUDGE_NO_PERMIT;
	return permit_state(p->snapshot, &p->snapshot->permits[v->permit], q->now_s);
}

/* The messages that ask: RFC 792, 950; RFC 4443. The kernel begins a flow with no others, but for
 * the experimental query of a host's names (RFC 4620), which is nobody's business elsewhere. */
static bool is_request(const struct ip_headers *h)
{
	static const uint8_t requests[] = {8, 13, 15, 17};

	if (h->protocol == IP_PROTOCOL_ICMP)
		return memchr(requests, h->icmp_type, sizeof(requests)) != NULL;
	return h->protocol != IP_PROTOCOL_ICMPV6 || h->icmp_type == ICMPV6_ECHO_REQUEST;
}

/* What forbids that a flow begins with this packet. */
static enum judge_reason judge_beginning(const struct ip_headers *h)
{
	if (h->protocol == IP_PROTOCOL_TCP &&
	    (h->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return JUDGE_TCP_FLAGS;
	return is_request(h) ? JUDGE_PERMITTED : JUDGE_NOT_A_REQUEST;
}

struct judge_verdict judge_flow(const struct judge_policy *policy,
				const struct judge_question *question)
{
	struct judge_verdict v = {
		.to = SNAPSHOT_NONE, .permit = SNAPSHOT_NONE, .conform = SNAPSHOT_NONE};

	v.reason = judge_form(question->headers);
	if (v.reason == JUDGE_PERMITTED)
		v.reason = judge_addresses(policy, question, &v);
	if (v.reason == JUDGE_PERMITTED && !question->established)
		v.reason = judge_beginning(question->headers);
	if (v.reason == JUDGE_PERMITTED)
		v.reason = judge_permits(policy, question, &v);
	return v;
}

const char *judge_reason_name(enum judge_reason reason)
{
	static const char *const names[JUDGE_REASON_COUNT_] = {
		[JUDGE_PERMITTED] = "permitted",
		[JUDGE_MALFORMED] = "malformed",
		[JUDGE_FRAGMENT] = "fragment",
		[JUDGE_SOURCE_ROUTE] = "source-route",
		[JUDGE_OPTIONS] = "options",
		[JUDGE_ADDRESS] = "address",
		[JUDGE_SPOOFED] = "spoofed",
		[JUDGE_STATION_UNKNOWN] = "station-unknown",
		[JUDGE_STATION_ADDRESS] = "station-address",
		[JUDGE_GATEWAY] = "gateway",
		[JUDGE_SAME_ZONE] = "same-zone",
		[JUDGE_NO_CROSSING] = "no-crossing",
		[JUDGE_TCP_FLAGS] = "tcp-flags",
		[JUDGE_NOT_A_REQUEST] = "not-a-request",
		[JUDGE_NO_PERMIT] = "no-permit",
		[JUDGE_SCHEDULE] = "schedule",
		[JUDGE_EXPIRED] = "expired",
		[JUDGE_CONFORM_PROTOCOL] = "conform-protocol",
		[JUDGE_CONFORM_SYNTAX] = "conform-syntax",
		[JUDGE_CONFORM_NAME] = "conform-name",
		[JUDGE_CONFORM_HIDDEN] = "conform-hidden",
		[JUDGE_CONFORM_TOO_LONG] = "conform-too-long",
		[JUDGE_CONFORM_DEADLINE] = "conform-deadline",
		[JUDGE_CONFORM_OVERLAP] = "conform-overlap",
		[JUDGE_CONFORM_RESPONDER] = "conform-responder",
		[JUDGE_CONFORM_UNKNOWN] = "conform-unknown",
		[JUDGE_LIMIT_RATE] = "limit-rate",
		[JUDGE_LIMIT_CONNECTIONS] = "limit-connections",
		[JUDGE_LIMIT_UNCOUNTED] = "limit-uncounted",
	};

	return (unsigned)reason < JUDGE_REASON_COUNT_ ? names[reason] : "unknown";
}

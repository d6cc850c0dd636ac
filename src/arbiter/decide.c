/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a packet to a mark. */
#include "arbiter/decide.h"

#include <string.h>

#include "base/err.h"

#define TOKEN 1000U /* one event */

/* What is known of a packet while it is decided about. */
struct work {
	struct decider *d;
	const struct decide_question *q;
	const struct snapshot *snapshot;
	bool readable, reply, established;
	struct ip_headers headers; /* in the direction of the flow's first packet */
	struct judge_verdict verdict;
};

void decide_init(struct decider *d, struct event_client *events, uint64_t now_ms)
{
	d->events = events;
	denials_init(&d->denials, now_ms);
	conform_init(&d->conform);
	d->detail_tokens = (uint64_t)DECIDE_DETAILS_BURST * TOKEN;
	d->refilled_ms = now_ms;
}

static struct event_arg address_arg(enum event_key key, uint8_t family, const uint8_t *address)
{
	return (struct event_arg){key, family == 4 ? EVENT_KIND_IPV4 : EVENT_KIND_IPV6, 0, address,
				  family == 4 ? 4 : 16};
}

/* Before this generation. A flow that has not shown yet what it has to has a mark of this one. */
static bool was_permitted(const struct work *w)
{
	uint32_t before = w->q->item->before;

	return before & PACKET_MARK_PERMIT || (before != 0 && before >> 16 != w->q->generation);
}

/* @name: of the server or host that the flow has shown; empty: none. */
static void report_permitted(struct event_client *events, const struct snapshot *s,
			     const struct judge_verdict *verdict, const struct ip_headers *h,
			     struct span name)
{
	const struct snapshot_permit *permit = &s->permits[verdict->permit];
	const struct event_arg args[] = {
		EV_TEXT(FROM_ZONE, s->zones[permit->from].name),
		EV_TEXT(TO_ZONE, s->zones[permit->to].name),
		address_arg(FIELD_SOURCE, h->family, h->source),
		address_arg(FIELD_DESTINATION, h->family, h->destination),
		EV_NUMBER(PROTOCOL, h->protocol),
		EV_NUMBER(SOURCE_PORT, h->source_port),
		EV_NUMBER(DESTINATION_PORT, h->destination_port),
		EV_NUMBER(PERMIT, permit->number),
		EV_SPAN(NAME, name.data, name.size),
	};

	event_emit(events, EVENT_FLOW_PERMITTED, args,
		   sizeof(args) / sizeof(args[0]) - (name.size == 0));
}

/* Whoever sends, as far as the packet tells. */
static struct watched_question sender_of(const struct work *w)
{
	enum judge_reason reason = w->verdict.reason;

	return (struct watched_question){
		.snapshot = w->snapshot,
		.zone = w->q->zone,
		.headers = &w->headers,
		.mac = w->q->item->mac_bytes == 6 && !w->reply ? w->q->item->mac : NULL,
		.of_another = reason == JUDGE_ADDRESS || reason == JUDGE_SPOOFED ||
			      reason == JUDGE_STATION_UNKNOWN || reason == JUDGE_STATION_ADDRESS,
		.now_s = w->q->now_s,
	};
}

/* Its permit says so, or an end of it is watched. */
static bool is_recorded(const struct work *w)
{
	const struct watched_question sender = sender_of(w);

	return w->snapshot->permits[w->verdict.permit].flags & PERMIT_LOG ||
	       watched_touches(&w->d->watched, &sender);
}

/* A flow that this packet begins by a permit with a limit: netfilter counts it. */
static bool is_counted(const struct work *w)
{
	const struct snapshot_permit *permit = &w->snapshot->permits[w->verdict.permit];

	return (permit->rate != 0 || permit->connections != 0) && !w->established && !w->reply &&
	       w->q->item->before == 0 && w->q->purpose != PACKET_FOR_FLOWS;
}

/* What is permitted is recorded, where it is counted with its count. @begins: whether this packet
 * is the one that would be recorded. */
static void note_permitted(const struct work *w, bool begins, struct span name)
{
	bool tell = begins && is_recorded(w);
	struct awaited_flow flow = {.policy = w->q->policy,
				    .zone = w->q->zone,
				    .id = w->q->item->id,
				    .purpose = w->q->purpose,
				    .tell = tell,
				    .verdict = w->verdict,
				    .headers = w->headers,
				    .name_bytes = name.size};

	if (is_counted(w)) {
		if (name.size > 0)
			memcpy(flow.name, name.data, name.size);
		awaited_add(&w->d->awaited, &flow);
	} else if (tell) {
		report_permitted(w->d->events, w->snapshot, &w->verdict, &w->headers, name);
	}
}

void decide_admission(struct decider *d, uint32_t zone, enum packet_purpose purpose, uint32_t id,
		      enum packet_admission admission, uint64_t now_ms)
{
	static const enum judge_reason reasons[PACKET_ADMISSION_COUNT_] = {
		[PACKET_OVER_RATE] = JUDGE_LIMIT_RATE,
		[PACKET_OVER_CONNECTIONS] = JUDGE_LIMIT_CONNECTIONS,
		[PACKET_NOT_COUNTED] = JUDGE_LIMIT_UNCOUNTED,
	};
	struct awaited_flow flow;

	if (!awaited_take(&d->awaited, zone, purpose, id, &flow))
		return;
	const struct snapshot *s = flow.policy->snapshot;

	if (admission != PACKET_ADMITTED) {
		flow.verdict.reason = reasons[admission];
		denials_note(&d->denials, d->events, s, zone, &flow.verdict, &flow.headers, now_ms);
	} else if (flow.tell) {
		report_permitted(d->events, s, &flow.verdict, &flow.headers,
				 (struct span){(const uint8_t *)flow.name, flow.name_bytes});
	}
}

static bool spend_detail(struct decider *d, uint64_t now_ms)
{
	const uint64_t most = (uint64_t)DECIDE_DETAILS_BURST * TOKEN;
	const uint64_t price = (uint64_t)TOKEN * d->denials.shares; /* as of other denials */

	d->detail_tokens += (now_ms - d->refilled_ms) * DECIDE_DETAILS_PER_S * TOKEN / 1000;
	d->refilled_ms = now_ms;
	if (d->detail_tokens > most)
		d->detail_tokens = most;
	if (d->detail_tokens < price)
		return false;
	d->detail_tokens -= price;
	return true;
}

/* Beside the count of denials: what one flow showed instead of what it had to. */
static void report_nonconforming(const struct work *w, const struct snapshot_conform *row,
				 const struct conform_finding *finding)
{
	const struct snapshot *s = w->snapshot;
	const struct snapshot_permit *permit = &s->permits[w->verdict.permit];
	const struct ip_headers *h = &w->headers;

	if (!spend_detail(w->d, w->q->now_ms))
		return;
	event_send(w->d->events, EVENT_FLOW_NOT_CONFORMING,
		   EV_TEXT(FROM_ZONE, s->zones[permit->from].name),
		   EV_TEXT(TO_ZONE, s->zones[permit->to].name),
		   address_arg(FIELD_SOURCE, h->family, h->source),
		   address_arg(FIELD_DESTINATION, h->family, h->destination),
		   EV_NUMBER(PROTOCOL, h->protocol), EV_NUMBER(SOURCE_PORT, h->source_port),
		   EV_NUMBER(DESTINATION_PORT, h->destination_port),
		   EV_NUMBER(PERMIT, permit->number), EV_TEXT(DETAIL, conform_kind_name(row->kind)),
		   EV_TEXT(REASON, judge_reason_name(finding->reason)),
		   EV_SPAN(NAME, finding->name, finding->name_bytes));
}

/*
 * Flows that somebody begins, and packets that are refused; of none that exists only on paper. A
 * flow that has been permitted before is no attempt: whoever is cut off by the edge of a schedule
 * or a commit has tried nothing.
 */
static void watch_source(const struct work *w, bool denied)
{
	const struct snapshot *s = w->snapshot;
	const struct packet_item *item = w->q->item;
	const struct ip_headers *h = &w->headers;
	const uint8_t *mac = item->mac_bytes == 6 ? item->mac : NULL;
	const struct watched_question sender = sender_of(w);
	struct detect_alarm alarm;

	if (!w->readable || w->reply || w->q->purpose != PACKET_FOR_PACKETS || was_permitted(w) ||
	    (w->established && !denied))
		return;
	if (denied)
		watched_note(&w->d->watched, w->d->events, &sender, WATCHED_DENIED, w->q->now_ms);
	if (!detect_note(&w->d->detect, s, w->q->zone, h, mac, denied, w->q->now_ms, &alarm))
		return;
	watched_note(&w->d->watched, w->d->events, &sender, alarm.kind, w->q->now_ms);
	event_send(w->d->events, EVENT_SCAN_DETECTED, EV_TEXT(ZONE, s->zones[w->q->zone].name),
		   address_arg(FIELD_SOURCE, h->family, h->source), EV_MAC(MAC, item->mac),
		   address_arg(FIELD_DESTINATION, h->family, h->destination),
		   EV_TEXT(DETAIL, detect_kind_name(alarm.kind)), EV_NUMBER(COUNT, alarm.count));
	if (alarm.of_station && s->zones[w->q->zone].guard.isolate && w->d->isolate != NULL)
		w->d->isolate(w->q, mac, detect_kind_name(alarm.kind));
}

static uint32_t deny(const struct work *w)
{
	watch_source(w, true);
	if (w->q->purpose != PACKET_FOR_FLOWS) /* their packets will tell */
		denials_note(&w->d->denials, w->d->events, w->snapshot, w->q->zone, &w->verdict,
			     w->readable ? &w->headers : NULL, w->q->now_ms);
	return w->q->generation << 16 | PACKET_MARK_DENY;
}

static uint32_t permit(const struct work *w)
{
	return w->q->generation << 16 | (w->verdict.permit + 1);
}

static uint32_t mark_of(struct work *w, const struct snapshot_conform *row,
			enum conform_verdict verdict, const struct conform_finding *finding)
{
	switch (verdict) {
	case CONFORM_PERMIT:
		return permit(w);
	case CONFORM_ONCE:
		return permit(w) | PACKET_MARK_ONCE;
	case CONFORM_WHOLE:
		return w->q->generation << 16 | PACKET_MARK_WHOLE;
	default:
		w->verdict.reason = finding->reason;
		report_nonconforming(w, row, finding);
		return deny(w);
	}
}

/* A flow that its permit wants to see something of first. */
static uint32_t conform(struct work *w, const struct snapshot_conform *row)
{
	const struct packet_item *item = w->q->item;
	const uint32_t wire_bytes = item->wire_bytes, at = w->headers.payload_at;
	uint64_t fingerprint = heritage_fingerprint(w->snapshot, row);
	struct conform_packet packet = {
		.headers = &w->headers,
		.zone = w->q->zone,
		.reply = w->reply,
		.established = w->established,
		.whole = w->q->purpose == PACKET_FOR_WHOLE,
		.payload_bytes = wire_bytes - at,
		.rule = {.snapshot = w->snapshot, .row = row},
		.fingerprint = fingerprint,
		.now_ms = w->q->now_ms,
	};
	struct conform_finding finding;

	if (w->established &&
	    heritage_holds(&w->d->heritage, item->before, &w->headers, fingerprint))
		return permit(w);
	if (w->q->purpose == PACKET_FOR_FLOWS)
		return 0; /* its next packet will say whether it is still shown what it has to be */
	packet.payload = (struct span){w->q->data.data + at, w->q->data.size - at};
	enum conform_verdict verdict = conform_judge(&w->d->conform, &packet, &finding);

	bool shown = finding.state == CONFORM_SHOWN && !w->reply;

	if (verdict == CONFORM_PERMIT || verdict == CONFORM_ONCE)
		note_permitted(w, shown,
			       (struct span){(const uint8_t *)finding.name,
					     shown ? finding.name_bytes : 0});
	return mark_of(w, row, verdict, &finding);
}

static uint32_t decide_readable(struct work *w)
{
	const struct decide_question *q = w->q;
	struct judge_question question = {
		.from = q->zone,
		.headers = &w->headers,
		/* A reply comes from the far zone: its hardware address is no station's. */
		.mac = q->item->mac_bytes == 6 && !w->reply ? q->item->mac : NULL,
		.established = w->established,
		.now_s = q->now_s,
	};

	w->verdict = judge_flow(q->policy, &question);
	if (w->verdict.reason != JUDGE_PERMITTED)
		return deny(w);
	watch_source(w, false);
	if (w->verdict.conform != SNAPSHOT_NONE)
		return conform(w, &w->snapshot->conforms[w->verdict.conform]);
	note_permitted(w, !w->established && !was_permitted(w), (struct span){NULL, 0});
	return permit(w);
}

uint32_t decide_packet(struct decider *d, const struct decide_question *q)
{
	struct work w = {
		.d = d,
		.q = q,
		.snapshot = q->policy->snapshot,
		.reply = q->item->origin & PACKET_IS_REPLY,
		.established = q->item->origin & PACKET_IS_ESTABLISHED,
		.verdict = {JUDGE_MALFORMED, SNAPSHOT_NONE, SNAPSHOT_NONE, SNAPSHOT_NONE},
	};

	w.readable = q->data.size <= q->item->wire_bytes &&
		     ip_read(&w.headers, q->data.data, q->data.size, q->item->wire_bytes) == 0;
	if (!w.readable)
		return deny(&w);
	if (w.reply)
		ip_swap_direction(&w.headers);
	return decide_readable(&w);
}

/* A flow whose time was up: there is no packet, but a denial all the same. */
static void note_late(void *ctx, const struct conform_flow *flow)
{
	const struct work *late = ctx;
	const struct conform_key *key = &flow->key;
	struct judge_verdict verdict = {JUDGE_CONFORM_DEADLINE, SNAPSHOT_NONE, SNAPSHOT_NONE,
					SNAPSHOT_NONE};
	struct ip_headers h = {
		.family = key->family,
		.protocol = IP_PROTOCOL_TCP,
		.flags = IP_HAS_PORTS,
		.source_port = key->source_port,
		.destination_port = key->destination_port,
	};

	memcpy(h.source, key->source, sizeof(h.source));
	memcpy(h.destination, key->destination, sizeof(h.destination));
	if (late->snapshot != NULL && key->zone < late->snapshot->zone_count)
		denials_note(&late->d->denials, late->d->events, late->snapshot, key->zone,
			     &verdict, &h, late->q->now_ms);
}

void decide_tick(struct decider *d, const struct snapshot *s, uint64_t now_ms)
{
	const struct decide_question q = {.now_ms = now_ms};
	struct work late = {.d = d, .q = &q, .snapshot = s};

	conform_tick(&d->conform, now_ms, note_late, &late);
	denials_tick(&d->denials, d->events, now_ms);
	watched_tick(&d->watched, d->events, now_ms);
}

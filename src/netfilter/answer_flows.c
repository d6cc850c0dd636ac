/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that pass now: those that a filter matches, those with most bytes, and ending them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "netfilter/answer.h"
#include "netfilter/flows.h"

#define TOP_MAX   50
#define CLEAR_MAX PACKET_BATCH_MAX /* flows that are ended with one message */

static const char usage[] = "allowed: [zone NAME] [source ADDRESS] [destination ADDRESS] [port "
			    "NUMBER] [permit NUMBER] [top 1-50]";

struct filter {
	const char *zone;                          /* "": any */
	uint8_t source_family, destination_family; /* 0: any */
	uint8_t source[16], destination[16];
	bool has_port, has_permit;
	uint64_t port, permit, top; /* top: 0: all, as they come */
};

/* Flows of one answer. */
struct listing {
	struct answer *answer;
	struct filter filter;
	struct zone *zone;
	struct flow top[TOP_MAX]; /* descending by bytes */
	size_t top_count;
	struct flow clear[CLEAR_MAX];
	size_t clear_count;
	uint64_t cleared;
	bool some_here; /* of them, in the zone that is looked at */
};

static bool read_address(const char *word, uint8_t *family, uint8_t address[16])
{
	*family = 4;
	if (inet_pton(AF_INET, word, address) == 1)
		return true;
	*family = 6;
	return inet_pton(AF_INET6, word, address) == 1;
}

static bool read_pair(struct filter *f, const char *key, const char *value)
{
	f->has_port = f->has_port || strcmp(key, "port") == 0;
	f->has_permit = f->has_permit || strcmp(key, "permit") == 0;
	if (strcmp(key, "zone") == 0) {
		f->zone = value;
		return true;
	}
	if (strcmp(key, "source") == 0)
		return read_address(value, &f->source_family, f->source);
	if (strcmp(key, "destination") == 0)
		return read_address(value, &f->destination_family, f->destination);
	if (strcmp(key, "port") == 0)
		return answer_number(value, UINT16_MAX, &f->port);
	if (strcmp(key, "permit") == 0)
		return answer_number(value, UINT16_MAX, &f->permit);
	if (strcmp(key, "top") == 0)
		return answer_number(value, TOP_MAX, &f->top) && f->top > 0;
	return false;
}

/* Pairs of words; a zone's name alone is short for `zone NAME`. */
static bool read_filter(struct filter *f, const struct answer_words *words)
{
	*f = (struct filter){.zone = ""};
	if (words->count == 1) {
		f->zone = words->words[0];
		return true;
	}
	for (size_t i = 0; i + 1 < words->count; i += 2) {
		if (!read_pair(f, words->words[i], words->words[i + 1]))
			return false;
	}
	return words->count % 2 == 0;
}

static const struct snapshot_permit *permit_of(const struct listing *l, const struct flow *flow)
{
	const struct snapshot *s = &l->answer->nf->running.snapshot;
	uint32_t permit = (flow->mark & PACKET_MARK_PERMIT) - 1;

	/* What the second lock let in is listed where it began. */
	if (flow->mark & (PACKET_MARK_LOCK | PACKET_MARK_DENY) || permit >= s->permit_count)
		return NULL;
	return &s->permits[permit];
}

static bool matches(const struct filter *f, const struct snapshot_permit *permit,
		    const struct flow *flow)
{
	if (f->source_family != 0 && (f->source_family != flow->family ||
				      memcmp(f->source, flow->source, sizeof(f->source)) != 0))
		return false;
	if (f->destination_family != 0 &&
	    (f->destination_family != flow->family ||
	     memcmp(f->destination, flow->destination, sizeof(f->destination)) != 0))
		return false;
	if (f->has_port && f->port != flow->destination_port)
		return false;
	return !f->has_permit || f->permit == permit->number;
}

static void address_text(char *out, size_t out_bytes, const struct flow *flow, bool source)
{
	const uint8_t *address = source ? flow->source : flow->destination;
	uint16_t port = source ? flow->source_port : flow->destination_port;
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(flow->family == 4 ? AF_INET : AF_INET6, address, text,
			sizeof(text)); /* the family and the size are right */
	snprintf(out, out_bytes, flow->family == 4 ? "%s:%u" : "[%s]:%u", text, port);
}

static const char *protocol_name(uint8_t protocol, char number[8])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		snprintf(number, 8, "%u", protocol);
		return number;
	}
}

static void show_flow(struct listing *l, const struct flow *flow)
{
	struct answer *a = l->answer;
	const struct snapshot *s = &a->nf->running.snapshot;
	const struct snapshot_permit *permit = permit_of(l, flow);
	char text[INET6_ADDRSTRLEN + 10], number[8];

	if (a->left == 0)
		return;
	a->left--;
	answer_cell(a, "%s", s->zones[permit->from].name);
	answer_cell(a, "%s", s->zones[permit->to].name);
	answer_cell(a, "%s", protocol_name(flow->protocol, number));
	address_text(text, sizeof(text), flow, true);
	answer_cell(a, "%s", text);
	address_text(text, sizeof(text), flow, false);
	answer_cell(a, "%s", text);
	answer_cell(a, "%u", permit->number);
	answer_cell(a, "%llu", (unsigned long long)flow->packets);
	answer_cell(a, "%llu", (unsigned long long)flow->bytes);
	answer_cell(a, "%u s", flow->timeout_s);
	answer_send(a, 0);
}

/* Keep it if it is among those with most bytes. */
static void rank_flow(struct listing *l, const struct flow *flow)
{
	size_t at = l->top_count;

	if (at == l->filter.top && flow->bytes <= l->top[at - 1].bytes)
		return;
	if (at == l->filter.top)
		at--;
	else
		l->top_count++;
	for (; at > 0 && l->top[at - 1].bytes < flow->bytes; at--)
		l->top[at] = l->top[at - 1];
	l->top[at] = *flow;
}

static void take_flow(void *ctx, const struct flow *flow)
{
	struct listing *l = ctx;
	const struct snapshot_permit *permit = permit_of(l, flow);

	if (permit == NULL || !matches(&l->filter, permit, flow))
		return;
	if (l->filter.top > 0)
		rank_flow(l, flow);
	else
		show_flow(l, flow);
}

static void each_zone(struct listing *l, void (*each)(struct listing *l))
{
	const struct policy *p = &l->answer->nf->running;

	for (uint32_t i = 0; i < p->snapshot.zone_count; i++) {
		if (l->filter.zone[0] != '\0' &&
		    strcmp(l->filter.zone, p->snapshot.zones[i].name) != 0)
			continue;
		l->zone = p->zones[i];
		each(l);
	}
}

static void list_zone(struct listing *l)
{
	if (flows_list(l->zone->netlink_fd, l->answer->nf->generation, take_flow, l) == 0)
		return;
	answer_cell(l->answer, "the flows of zone %s cannot be read", l->zone->name);
	answer_send(l->answer, CONTROL_ROW_ERROR);
}

static bool begin(struct listing *l, struct answer *a, struct answer_words *words)
{
	l->answer = a;
	if (answer_split(words, a->query->argument) == 0 && read_filter(&l->filter, words))
		return true;
	answer_refuse(a, usage);
	return false;
}

void answer_flows(struct answer *a)
{
	static const char *const headings[] = {"from",    "to",          "protocol",
					       "source",  "destination", "permit",
					       "packets", "bytes",       "left"};
	struct listing l = {0};
	struct answer_words words;

	if (!begin(&l, a, &words))
		return;
	answer_heading(a, headings, sizeof(headings) / sizeof(headings[0]));
	each_zone(&l, list_zone);
	for (size_t i = 0; i < l.top_count; i++)
		show_flow(&l, &l.top[i]);
	answer_send(a, CONTROL_ROW_LAST);
}

/* ---- ending flows */

static void flush_clear(struct listing *l)
{
	/* A flow that could not be ended is listed still, and can be cleared again. */
	if (l->clear_count > 0 && flows_end(l->zone->queue.fd, l->clear, l->clear_count) == 0) {
		l->cleared += l->clear_count;
		l->some_here = true;
	}
	l->clear_count = 0;
}

static void clear_flow(void *ctx, const struct flow *flow)
{
	struct listing *l = ctx;
	const struct snapshot_permit *permit = permit_of(l, flow);

	if (permit == NULL || !matches(&l->filter, permit, flow))
		return;
	l->clear[l->clear_count++] = *flow;
	if (l->clear_count == CLEAR_MAX)
		flush_clear(l);
}

static void clear_zone(struct listing *l)
{
	struct netfilter *nf = l->answer->nf;

	l->some_here = false;
	if (flows_list(l->zone->netlink_fd, nf->generation, clear_flow, l) != 0) {
		answer_cell(l->answer, "the flows of zone %s cannot be read", l->zone->name);
		answer_send(l->answer, CONTROL_ROW_ERROR);
	}
	flush_clear(l);
	if (l->some_here)
		zones_renew_offload(nf, l->zone->index);
}

void answer_clear(struct answer *a)
{
	struct listing l = {0};
	struct answer_words words;

	if (!begin(&l, a, &words))
		return;
	if (words.count == 0 || l.filter.top > 0) {
		answer_refuse(a, "say which: zone, source, destination, port or permit");
		return;
	}
	each_zone(&l, clear_zone);
	event_send(&a->nf->process.events, EVENT_FLOWS_CLEARED,
		   EV_NUMBER(CONSOLE, a->query->console), EV_NUMBER(COUNT, l.cleared),
		   EV_TEXT(DETAIL, a->query->argument));
	answer_cell(a, "%llu flows ended", (unsigned long long)l.cleared);
	answer_send(a, CONTROL_ROW_LAST);
}

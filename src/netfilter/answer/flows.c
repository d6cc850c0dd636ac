/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that pass now: those that a filter matches, those with most bytes, and ending them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "netfilter/netfilter.h"

static const char usage[] = "allowed: [zone NAME] [source ADDRESS] [destination ADDRESS] [port "
			    "NUMBER] [permit NUMBER] [by source|destination] [top 1-50]";

static bool read_address(const char *word, uint8_t *family, uint8_t address[16])
{
	*family = 4;
	if (inet_pton(AF_INET, word, address) == 1)
		return true;
	*family = 6;
	return inet_pton(AF_INET6, word, address) == 1;
}

static bool take_zone(struct listing *l, const char *name)
{
	const struct snapshot *s = &l->nf->running.snapshot;

	for (uint32_t i = 0; i < s->zone_count; i++) {
		if (strcmp(s->zones[i].name, name) == 0) {
			memcpy(l->only_zone, s->zones[i].name, sizeof(l->only_zone));
			return true;
		}
	}
	return false;
}

static bool read_by(enum listing_by *by, const char *word)
{
	if (strcmp(word, "source") == 0)
		*by = LISTING_BY_SOURCE;
	else if (strcmp(word, "destination") == 0)
		*by = LISTING_BY_DESTINATION;
	else
		return false;
	return true;
}

static bool read_pair(struct listing *l, const char *key, const char *value)
{
	struct listing_filter *f = &l->work.flows.filter;

	f->has_port = f->has_port || strcmp(key, "port") == 0;
	f->has_permit = f->has_permit || strcmp(key, "permit") == 0;
	if (strcmp(key, "zone") == 0)
		return take_zone(l, value);
	if (strcmp(key, "source") == 0)
		return read_address(value, &f->source_family, f->source);
	if (strcmp(key, "destination") == 0)
		return read_address(value, &f->destination_family, f->destination);
	if (strcmp(key, "port") == 0)
		return answer_number(value, UINT16_MAX, &f->port);
	if (strcmp(key, "permit") == 0)
		return answer_number(value, UINT16_MAX, &f->permit);
	if (strcmp(key, "by") == 0)
		return read_by(&f->by, value);
	if (strcmp(key, "top") == 0)
		return answer_number(value, LISTING_TOP_MAX, &f->top) && f->top > 0;
	return false;
}

/* Pairs of words; a zone's name alone is short for `zone NAME`. */
static bool read_filter(struct listing *l, const struct answer_words *words)
{
	if (words->count == 1)
		return take_zone(l, words->words[0]);
	for (size_t i = 0; i + 1 < words->count; i += 2) {
		if (!read_pair(l, words->words[i], words->words[i + 1]))
			return false;
	}
	return words->count % 2 == 0;
}

static const struct snapshot_permit *permit_of(const struct listing *l, const struct flow *flow)
{
	const struct snapshot *s = &l->nf->running.snapshot;
	uint32_t permit = (flow->mark & PACKET_MARK_PERMIT) - 1;

	/* What the second lock let in is listed where it began. */
	if (flow->mark >> 16 != l->nf->generation ||
	    flow->mark & (PACKET_MARK_LOCK | PACKET_MARK_DENY) || permit >= s->permit_count)
		return NULL;
	return &s->permits[permit];
}

static bool matches(const struct listing_filter *f, const struct snapshot_permit *permit,
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
	struct answer *a = &l->answer;
	const struct snapshot *s = &l->nf->running.snapshot;
	const struct snapshot_permit *permit = permit_of(l, flow);
	char text[INET6_ADDRSTRLEN + 10], number[8];

	if (a->left == 0) {
		listing_send(l, CONTROL_ROW_LAST); /* the others are not read any more */
		return;
	}
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
	if (flow->offloaded) /* connection tracking does not count its time */
		answer_cell(a, "-");
	else
		answer_cell(a, "%u s", flow->timeout_s);
	answer_cell(a, "%s", flow->offloaded ? "flow table" : "rules");
	listing_send(l, 0);
}

/* Keep it if it is among those with most bytes. */
static void rank_flow(struct listing_flows *w, const struct flow *flow)
{
	size_t at = w->top_count;

	if (at == w->filter.top && flow->bytes <= w->top[at - 1].bytes)
		return;
	if (at == w->filter.top)
		at--;
	else
		w->top_count++;
	for (; at > 0 && w->top[at - 1].bytes < flow->bytes; at--)
		w->top[at] = w->top[at - 1];
	w->top[at] = *flow;
}

static bool is_wanted(const struct listing *l, const struct flow *flow)
{
	const struct snapshot_permit *permit = permit_of(l, flow);

	return permit != NULL && matches(&l->work.flows.filter, permit, flow);
}

static void take_flow(struct listing *l, const struct flow *flow)
{
	if (!is_wanted(l, flow))
		return;
	if (l->work.flows.filter.by != LISTING_BY_FLOW)
		talkers_take(l, flow, permit_of(l, flow));
	else if (l->work.flows.filter.top > 0)
		rank_flow(&l->work.flows, flow);
	else
		show_flow(l, flow);
}

static bool read_question(struct listing *l, struct answer_words *words)
{
	if (answer_split(words, l->answer.query->argument) == 0 && read_filter(l, words))
		return true;
	listing_refuse(l, usage);
	return false;
}

static void begin_flows(struct listing *l)
{
	static const char *const headings[] = {"from",        "to",     "protocol", "source",
					       "destination", "permit", "packets",  "bytes",
					       "left",        "path"};
	static const char *const by_address[] = {"zone", "address", "flows", "packets", "bytes"};
	struct answer_words words;

	if (!read_question(l, &words))
		return;
	if (l->work.flows.filter.by != LISTING_BY_FLOW)
		listing_heading(l, by_address, sizeof(by_address) / sizeof(by_address[0]));
	else
		listing_heading(l, headings, sizeof(headings) / sizeof(headings[0]));
}

static void close_flows(struct listing *l)
{
	struct listing_flows *w = &l->work.flows;

	if (w->filter.by != LISTING_BY_FLOW)
		talkers_show(l);
	else if (w->shown < w->top_count)
		show_flow(l, &w->top[w->shown++]);
	else
		listing_send(l, CONTROL_ROW_LAST);
}

const struct listing_kind answer_flows = {
	.begin = begin_flows, .take = take_flow, .close = close_flows};

/* ---- ending flows */

static void begin_clear(struct listing *l)
{
	const struct listing_filter *f = &l->work.flows.filter;
	struct answer_words words;

	if (read_question(l, &words) &&
	    (words.count == 0 || f->top > 0 || f->by != LISTING_BY_FLOW))
		listing_refuse(l, "say which: zone, source, destination, port or permit");
}

static void flush_clear(struct listing *l)
{
	struct listing_flows *w = &l->work.flows;

	/* A flow that could not be ended is listed still, and can be cleared again. */
	if (w->clear_count > 0 && flows_end(l->zone->queue.fd, w->clear, w->clear_count) == 0) {
		w->cleared += w->clear_count;
		w->some_here = true;
	}
	w->clear_count = 0;
}

static void clear_flow(struct listing *l, const struct flow *flow)
{
	struct listing_flows *w = &l->work.flows;

	if (!is_wanted(l, flow))
		return;
	w->clear[w->clear_count++] = *flow;
	if (w->clear_count == sizeof(w->clear) / sizeof(w->clear[0]))
		flush_clear(l);
}

static void end_zone_clear(struct listing *l)
{
	flush_clear(l);
	if (l->work.flows.some_here)
		zones_renew_offload(l->nf, l->zone->index);
	l->work.flows.some_here = false;
}

static void record_clear(struct listing *l)
{
	if (l->zone != NULL)
		end_zone_clear(l);
	event_send(&l->nf->process.events, EVENT_FLOWS_CLEARED,
		   EV_PERSON(USER, l->answer.query->person, l->answer.query->console),
		   EV_NUMBER(COUNT, l->work.flows.cleared),
		   EV_TEXT(DETAIL, l->answer.query->argument));
}

static void close_clear(struct listing *l)
{
	record_clear(l);
	answer_cell(&l->answer, "%llu flows ended", (unsigned long long)l->work.flows.cleared);
	listing_send(l, CONTROL_ROW_LAST);
}

const struct listing_kind answer_clear = {.begin = begin_clear,
					  .take = clear_flow,
					  .end_zone = end_zone_clear,
					  .close = close_clear,
					  .record = record_clear};

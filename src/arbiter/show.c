/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured packets as rows. */
#include "arbiter/show.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/err.h"

#define DAY_S     86400
#define US_PER_S  1000000
#define FLAGS_MAX 48

static const char *const headings[] = {"time",        "port",  "protocol", "source",
				       "destination", "flags", "bytes",    "verdict"};

static void time_cell(struct row *row, const struct snapshot *s, int64_t time_us)
{
	int64_t day_s = (time_us / US_PER_S + s->header->utc_offset_s) % DAY_S;

	row_cell(row, "%02d:%02d:%02d.%06d", (int)(day_s / 3600), (int)(day_s / 60 % 60),
		 (int)(day_s % 60), (int)(time_us % US_PER_S));
}

static void protocol_cell(struct row *row, uint8_t protocol)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{IP_PROTOCOL_TCP, "tcp"},
		     {IP_PROTOCOL_UDP, "udp"},
		     {IP_PROTOCOL_ICMP, "icmp"},
		     {IP_PROTOCOL_ICMPV6, "icmp6"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == protocol) {
			row_cell(row, "%s", names[i].name);
			return;
		}
	}
	row_cell(row, "%u", protocol);
}

static void end_cell(struct row *row, const struct ip_headers *h, const uint8_t address[16],
		     uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(h->family == 4 ? AF_INET : AF_INET6, address, text,
			sizeof(text)); /* the family and the size are right */
	if (!(h->flags & IP_HAS_PORTS))
		row_cell(row, "%s", text);
	else
		row_cell(row, h->family == 4 ? "%s:%u" : "[%s]:%u", text, port);
}

static void flags_cell(struct row *row, const struct ip_headers *h)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg"};
	char text[FLAGS_MAX] = "";
	size_t used = 0;

	if (h->flags & IP_HAS_ICMP)
		used = (size_t)snprintf(text, sizeof(text), "type %u code %u", h->icmp_type,
					h->icmp_code);
	if (h->flags & IP_IS_FRAGMENT)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "fragment ");
	for (unsigned bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++) {
		if (h->tcp_flags & 1U << bit)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used ? " " : "", names[bit]);
	}
	row_cell(row, "%s", text);
}

static struct judge_verdict judge_from(const struct judge_policy *policy, uint32_t from,
				       const struct ip_headers *h, int64_t now_s)
{
	const struct judge_question q = {
		.from = from, .headers = h, .established = true, .now_s = now_s};

	return judge_flow(policy, &q);
}

static uint32_t permit_number(const struct judge_policy *policy, const struct judge_verdict *v)
{
	return policy->snapshot->permits[v->permit].number;
}

/* What the policy does not judge, and who does. RFC 792, RFC 4443 2.1, RFC 4861 4. */
static const char *not_judged(const struct ip_headers *h)
{
	bool v4 = h->family == 4;
	uint8_t type = h->icmp_type;

	if (!(h->flags & IP_HAS_ICMP))
		return NULL;
	if (!v4 && type >= 133 && type <= 137)
		return "link"; /* neighbour discovery goes no further */
	if (v4 ? (type >= 3 && type <= 5) || type == 11 || type == 12 : type < 128)
		return "as its flow"; /* an error; connection tracking knows of which */
	return NULL;
}

/* A packet may begin a flow, or answer in one that its other end began. */
static void verdict_cell(struct row *row, const struct judge_policy *policy,
			 const struct packet_show *shown, const struct ip_headers *h)
{
	int64_t now_s = shown->time_us / US_PER_S;
	uint32_t zone = shown->zone;
	bool out = shown->flags & PACKET_SHOW_OUT;
	struct ip_headers back = *h;

	ip_swap_direction(&back);
	/* One end is of the zone at hand; of which zone the other is the policy says. */
	const struct judge_verdict here = judge_from(policy, zone, out ? &back : h, now_s);
	struct judge_verdict there = {.reason = JUDGE_NO_PERMIT, .permit = SNAPSHOT_NONE};

	if (here.to != SNAPSHOT_NONE)
		there = judge_from(policy, here.to, out ? h : &back, now_s);
	const struct judge_verdict *forth = out ? &there : &here, *answered = out ? &here : &there;

	if (here.reason == JUDGE_GATEWAY)
		row_cell(row, "gateway");
	else if (forth->reason == JUDGE_PERMITTED)
		row_cell(row, "permit %u", permit_number(policy, forth));
	else if (answered->reason == JUDGE_PERMITTED)
		row_cell(row, "answer, permit %u", permit_number(policy, answered));
	else
		row_cell(row, "deny %s", judge_reason_name(forth->reason));
}

/* Time, protocol, ends and verdict want the policy. */
static void fill_unknown(struct row *row, const struct packet_show *shown)
{
	row_cell(row, "?");
	row_cell(row, shown->flags & PACKET_SHOW_OUT ? "out" : "in");
	for (unsigned i = 0; i < 4; i++)
		row_cell(row, "?");
	row_cell(row, "%u", shown->captured_bytes);
	row_cell(row, "?");
}

void show_fill(struct row *row, const struct judge_policy *policy, const struct packet_show *shown)
{
	struct ip_headers h;
	size_t at_hand = shown->captured_bytes < sizeof(shown->data) ? shown->captured_bytes
								     : sizeof(shown->data);

	if (policy == NULL || shown->zone >= policy->snapshot->zone_count) {
		fill_unknown(row, shown);
		return;
	}
	time_cell(row, policy->snapshot, shown->time_us);
	row_cell(row, shown->flags & PACKET_SHOW_OUT ? "out" : "in");
	if (ip_read(&h, shown->data, at_hand, shown->captured_bytes) != 0) {
		for (unsigned i = 0; i < 4; i++)
			row_cell(row, "?");
		row_cell(row, "%u", shown->captured_bytes);
		row_cell(row, "deny malformed");
		return;
	}
	protocol_cell(row, h.protocol);
	end_cell(row, &h, h.source, h.source_port);
	end_cell(row, &h, h.destination, h.destination_port);
	flags_cell(row, &h);
	row_cell(row, "%u", shown->captured_bytes);
	if (not_judged(&h) != NULL)
		row_cell(row, "%s", not_judged(&h));
	else
		verdict_cell(row, policy, shown, &h);
}

int show_packet(struct channel *control, const struct judge_policy *policy,
		const struct packet_show *shown)
{
	struct row row;

	row_begin(&row, shown->number, shown->console);
	if (shown->flags & PACKET_SHOW_FIRST) {
		(void)row_headings(&row, control, headings, sizeof(headings) / sizeof(headings[0]));
		return 0;
	}
	if (shown->flags & PACKET_SHOW_LAST) {
		(void)row_send(&row, control, CONTROL_ROW_LAST);
		return 0;
	}
	if (shown->time_us < 0)
		return -ERR_PEER;
	show_fill(&row, policy, shown);
	(void)row_send(&row, control, 0);
	return 0;
}

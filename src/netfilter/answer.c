/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to the console: the flows that pass now, by the permit that let them. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/flows.h"
#include "netfilter/netfilter.h"

#define ROWS_DEFAULT 200
#define ROW_WAIT_MS  20

/* An answer under way: the row that is being filled. */
struct answer {
	struct netfilter *nf;
	const struct control_query *query;
	struct control_row row;
	size_t used;
	uint32_t left; /* rows that may still be sent */
	int err;
};

static void row_begin(struct answer *a)
{
	memset(&a->row, 0, sizeof(a->row));
	a->row.number = a->query->number;
	a->row.console = a->query->console;
	a->used = 0;
}

__attribute__((format(printf, 2, 3))) static void row_cell(struct answer *a, const char *format,
							   ...)
{
	size_t room = sizeof(a->row.text) - a->used;
	va_list args;

	if (a->row.cell_count == CONTROL_ROW_CELLS || room < 2)
		return;
	va_start(args, format);
	int length = vsnprintf(a->row.text + a->used, room, format, args);

	va_end(args);
	if (length < 0)
		return;
	a->used += (size_t)length < room ? (size_t)length + 1 : room;
	a->row.cell_count++;
}

static void row_send(struct answer *a, uint32_t flags)
{
	a->row.flags = flags;
	if (a->err == 0)
		a->err = channel_send_wait(&a->nf->process.control, CONTROL_ROW, &a->row,
					   sizeof(a->row), NULL, 0, ROW_WAIT_MS);
	row_begin(a);
}

static void address_text(char *out, size_t out_bytes, const struct flow *flow, bool source)
{
	const uint8_t *address = source ? flow->source : flow->destination;
	uint16_t port = source ? flow->source_port : flow->destination_port;
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(flow->family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
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

/* Flows carry the index of their permit; those that the second lock let in are listed where they
 * began. */
static void take_flow(void *ctx, const struct flow *flow)
{
	struct answer *a = ctx;
	const struct snapshot *s = &a->nf->running.snapshot;
	uint32_t permit = (flow->mark & PACKET_MARK_PERMIT) - 1;
	char text[INET6_ADDRSTRLEN + 10], number[8];

	if (flow->mark & (PACKET_MARK_LOCK | PACKET_MARK_DENY) || permit >= s->permit_count)
		return;
	const struct snapshot_permit *p = &s->permits[permit];

	if (a->left == 0)
		return;
	a->left--;
	row_cell(a, "%s", s->zones[p->from].name);
	row_cell(a, "%s", s->zones[p->to].name);
	row_cell(a, "%s", protocol_name(flow->protocol, number));
	address_text(text, sizeof(text), flow, true);
	row_cell(a, "%s", text);
	address_text(text, sizeof(text), flow, false);
	row_cell(a, "%s", text);
	row_cell(a, "%u", p->number);
	row_cell(a, "%llu", (unsigned long long)flow->packets);
	row_cell(a, "%llu", (unsigned long long)flow->bytes);
	row_cell(a, "%u s", flow->timeout_s);
	row_send(a, 0);
}

static void answer_flows(struct answer *a)
{
	static const char *const headings[] = {"from",    "to",          "protocol",
					       "source",  "destination", "permit",
					       "packets", "bytes",       "left"};
	const struct policy *p = &a->nf->running;
	uint32_t heading_count = sizeof(headings) / sizeof(headings[0]);

	for (uint32_t i = 0; i < heading_count; i++)
		row_cell(a, "%s", headings[i]);
	row_send(a, CONTROL_ROW_HEADING);
	for (uint32_t i = 0; i < p->snapshot.zone_count; i++) {
		const char *only = a->query->argument;

		if (only[0] != '\0' && strcmp(only, p->snapshot.zones[i].name) != 0)
			continue;
		if (flows_list(p->zones[i]->netlink_fd, a->nf->generation, take_flow, a) != 0) {
			row_cell(a, "the flows of zone %s cannot be read",
				 p->snapshot.zones[i].name);
			row_send(a, CONTROL_ROW_ERROR);
		}
	}
}

int answer_query(struct netfilter *nf, const struct control_query *query)
{
	struct answer a = {
		.nf = nf, .query = query, .left = query->limit > 0 ? query->limit : ROWS_DEFAULT};

	if (memchr(query->argument, '\0', sizeof(query->argument)) == NULL)
		return -ERR_PEER;
	row_begin(&a);
	if (query->kind == QUERY_FLOWS) {
		answer_flows(&a);
		row_send(&a, CONTROL_ROW_LAST);
	} else {
		row_cell(&a, "netfilter does not answer this");
		row_send(&a, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
	}
	return a.err == -ERR_TIMEOUT ? 0 : a.err;
}

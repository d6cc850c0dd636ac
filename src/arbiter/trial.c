/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial: words to headers, headers to a verdict, the verdict to rows. The judgement itself is
 * judge_flow's. */
#include "arbiter/trial.h"

#include <string.h>

#include "arbiter/row.h"
#include "base/err.h"
#include "policy/value.h"

#define WORDS_MAX 5

enum { ICMP_ECHO = 8, ICMPV6_ECHO = 128, HOP_LIMIT = 64, TCP_SYN = 2 };

/* Split at blanks; WORDS_MAX + 1 where there are more. */
static size_t split(struct span words[WORDS_MAX], const char *text)
{
	size_t count = 0;

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		if (count == WORDS_MAX)
			return WORDS_MAX + 1;
		words[count].data = (const uint8_t *)text;
		words[count++].size = strcspn(text, " ");
		text += strcspn(text, " ");
	}
	return count;
}

static bool read_address(struct span word, uint8_t *family, uint8_t address[16])
{
	static const struct value_form form = {.type = TYPE_ADDRESS};
	struct value v;

	if (value_parse(&v, &form, word) != 0)
		return false;
	*family = v.prefix.family;
	memcpy(address, v.prefix.addr, sizeof(v.prefix.addr));
	return true;
}

static bool read_number(struct span word, uint64_t low, uint64_t high, uint64_t *out)
{
	return value_parse_decimal(out, word) == 0 && *out >= low && *out <= high;
}

static void set_ports(struct ip_headers *h, uint64_t port)
{
	h->flags = IP_HAS_PORTS;
	h->source_port = UINT16_MAX; /* permits do not look at it */
	h->destination_port = (uint16_t)port;
}

static void set_echo(struct ip_headers *h)
{
	h->protocol = h->family == 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
	h->icmp_type = h->family == 4 ? ICMP_ECHO : ICMPV6_ECHO;
	h->flags = IP_HAS_ICMP;
}

/* The protocol, and the port that tcp and udp need. @port: NULL where none was given. */
static const char *read_protocol(struct ip_headers *h, struct span protocol,
				 const struct span *port)
{
	bool tcp = span_equal(protocol, span_of("tcp"));
	bool has_ports = tcp || span_equal(protocol, span_of("udp"));
	uint64_t number = 0;

	if (has_ports != (port != NULL))
		return has_ports ? "tcp and udp need a port; allowed: 1 to 65535"
				 : "only tcp and udp have a port";
	if (has_ports) {
		if (!read_number(*port, 1, UINT16_MAX, &number))
			return "this is not a port; allowed: 1 to 65535";
		h->protocol = tcp ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP;
		h->tcp_flags = tcp ? TCP_SYN : 0;
		set_ports(h, number);
	} else if (span_equal(protocol, span_of("icmp"))) {
		set_echo(h);
	} else if (read_number(protocol, 0, UINT8_MAX, &number)) {
		h->protocol = (uint8_t)number;
	} else {
		return "unknown protocol; allowed: tcp, udp, icmp, or a number 0 to 255";
	}
	return NULL;
}

static bool find_zone(const struct snapshot *s, struct span name, uint32_t *zone)
{
	for (*zone = 0; *zone < s->zone_count; (*zone)++) {
		if (span_equal(span_of(s->zones[*zone].name), name))
			return true;
	}
	return false;
}

const char *trial_read(struct ip_headers *h, uint32_t *zone, const struct snapshot *s,
		       const char *text)
{
	struct span words[WORDS_MAX];
	size_t count = split(words, text);
	uint8_t family;

	*h = (struct ip_headers){.hop_limit = HOP_LIMIT};
	if (count < 4 || count > WORDS_MAX)
		return "allowed: ZONE SOURCE DESTINATION tcp|udp|icmp|NUMBER [PORT]";
	if (!find_zone(s, words[0], zone))
		return "no zone has this name; see show zones";
	if (!read_address(words[1], &h->family, h->source) ||
	    !read_address(words[2], &family, h->destination))
		return "this is not an address; allowed: an IPv4 or IPv6 unicast address";
	if (family != h->family)
		return "source and destination must be of one address family";
	return read_protocol(h, words[3], count == WORDS_MAX ? &words[4] : NULL);
}

static int send_error(struct channel *control, const struct control_query *query,
		      const char *reason)
{
	struct row row;

	row_begin(&row, query->number, query->console);
	row_cell(&row, "%s", reason);
	return row_send(&row, control, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
}

static int send_heading(struct channel *control, const struct control_query *query)
{
	static const char *const heading[] = {"verdict", "reason", "from", "to",
					      "permit",  "now",    "new"};
	struct row row;

	row_begin(&row, query->number, query->console);
	return row_headings(&row, control, heading, sizeof(heading) / sizeof(heading[0]));
}

/* What a limit that is used up makes of a permission. */
static enum judge_reason reason_of(const struct judge_verdict *v,
				   const struct snapshot_permit *permit,
				   const struct packet_use *use)
{
	if (v->reason != JUDGE_PERMITTED || use == NULL)
		return v->reason;
	if (!use->known)
		return permit->connections != 0 ? JUDGE_LIMIT_UNCOUNTED : v->reason;
	if (permit->rate != 0 && use->left == 0)
		return JUDGE_LIMIT_RATE;
	if (permit->connections != 0 && use->connections >= permit->connections)
		return JUDGE_LIMIT_CONNECTIONS;
	return v->reason;
}

static void use_cells(struct row *row, const struct snapshot_permit *permit,
		      const struct packet_use *use)
{
	const char *unit = permit->rate_period_s == 1 ? "s" : "m";
	bool known = use != NULL && use->known;

	if (permit->connections == 0)
		row_cell(row, "any");
	else if (known)
		row_cell(row, "%u of %u", use->connections, permit->connections);
	else
		row_cell(row, "unknown, of %u", permit->connections);
	if (permit->rate == 0)
		row_cell(row, "any");
	else if (known)
		row_cell(row, "%u of %u/%s", use->left, permit->rate, unit);
	else
		row_cell(row, "unknown, of %u/%s", permit->rate, unit);
}

int trial_finish(struct channel *control, struct trial *t, const struct packet_use *use)
{
	const struct snapshot *s = t->snapshot;
	const struct judge_verdict *v = &t->verdict;
	const struct snapshot_permit *permit =
		v->permit == SNAPSHOT_NONE ? NULL : &s->permits[v->permit];
	enum judge_reason reason = reason_of(v, permit, use);
	struct row row;

	t->snapshot = NULL;
	row_begin(&row, t->query.number, t->query.console);
	row_cell(&row, "%s", reason == JUDGE_PERMITTED ? "permit" : "deny");
	row_cell(&row, "%s", judge_reason_name(reason));
	row_cell(&row, "%s", s->zones[t->from].name);
	row_cell(&row, "%s", v->to == SNAPSHOT_NONE ? "nowhere" : s->zones[v->to].name);
	if (permit == NULL) {
		row_cell(&row, "none");
	} else {
		row_cell(&row, "%u", permit->number);
		use_cells(&row, permit, use);
	}
	return row_send(&row, control, CONTROL_ROW_LAST);
}

int trial_begin(struct channel *control, struct trial *t, const struct judge_policy *policy,
		const struct control_query *query, int64_t now_s)
{
	struct ip_headers headers;
	struct judge_question question = {.headers = &headers, .now_s = now_s};
	char text[sizeof(query->argument) + 1] = {0};
	const char *why;

	t->snapshot = NULL;
	memcpy(text, query->argument, sizeof(query->argument));
	if (policy == NULL)
		return send_error(control, query, "no policy is running");
	why = trial_read(&headers, &question.from, policy->snapshot, text);
	if (why != NULL)
		return send_error(control, query, why);
	*t = (struct trial){.snapshot = policy->snapshot,
			    .query = *query,
			    .from = question.from,
			    .verdict = judge_flow(policy, &question)};
	return send_heading(control, query);
}

static int answer_by(struct channel *control, const struct control_query *query,
		     const struct snapshot *snapshot, int64_t now_s)
{
	struct judge_policy policy;
	struct trial t;
	int err;

	if (judge_init(&policy, snapshot) != 0)
		return send_error(
			control, query,
			"the candidate cannot be compiled: too many combinations, or no memory");
	err = trial_begin(control, &t, &policy, query, now_s);
	if (err == 0 && t.snapshot != NULL)
		err = trial_finish(control, &t, NULL);
	judge_fini(&policy);
	return err;
}

int trial_of_candidate(struct channel *control, const struct control_query *query, int fd,
		       int64_t now_s)
{
	struct snapshot snapshot;
	int err;

	if (snapshot_load(&snapshot, fd) != 0)
		return send_error(control, query, "the candidate cannot be read");
	err = answer_by(control, query, &snapshot, now_s);
	snapshot_unload(&snapshot);
	return err;
}

bool trial_needs_use(const struct trial *t)
{
	const struct snapshot_permit *permit;

	if (t->snapshot == NULL || t->verdict.reason != JUDGE_PERMITTED)
		return false;
	permit = &t->snapshot->permits[t->verdict.permit];
	return permit->connections != 0 || permit->rate != 0;
}

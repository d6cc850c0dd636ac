/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho trace: what the arbiter would decide about the first packet of a flow, from the arbiter's
 * own code. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arbiter/judge.h"
#include "base/err.h"
#include "tools/config_file.h"
#include "tools/flow_file.h"
#include "tools/tools.h"
#include "tools/verdict.h"

enum { STATUS_PERMIT = 0, STATUS_DENY = 1, STATUS_USAGE = 2 };
enum { TCP_SYN = 2, ICMP_ECHO = 8, ICMPV6_ECHO = 128, HOP_LIMIT = 64 };

struct trace {
	const char *config, *from, *source, *destination, *protocol, *at, *mac, *flows;
	struct ip_headers headers;
	uint8_t mac_bytes[6];
	int64_t at_s;
};

static bool read_options(struct trace *t, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"from", required_argument, NULL, 'f'},
		{"src", required_argument, NULL, 's'},
		{"dst", required_argument, NULL, 'd'},
		{"proto", required_argument, NULL, 'p'},
		{"at", required_argument, NULL, 'a'},
		{"mac", required_argument, NULL, 'm'},
		{"flows", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	const char **const values[] = {
		['c'] = &t->config,   ['f'] = &t->from, ['s'] = &t->source, ['d'] = &t->destination,
		['p'] = &t->protocol, ['a'] = &t->at,   ['m'] = &t->mac,    ['l'] = &t->flows};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		*values[option] = optarg;
	}
	if (optind != argc || t->config == NULL)
		return false;
	if (t->flows != NULL)
		return t->from == NULL && t->source == NULL && t->destination == NULL &&
		       t->protocol == NULL && t->mac == NULL;
	return t->from != NULL && t->source != NULL && t->destination != NULL &&
	       t->protocol != NULL;
}

/* A number of at most @max, and nothing behind it. */
static bool read_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	*out = strtoul(text, &end, 10);
	return *end == '\0' && *out <= max;
}

/* IP, IPv4:PORT or [IPv6]:PORT. */
static bool read_endpoint(const char *text, uint8_t *family, uint8_t address[16], uint16_t *port)
{
	char copy[80];
	unsigned long number = 0;
	char *colon;

	if (strlen(text) >= sizeof(copy))
		return false;
	memcpy(copy, text, strlen(text) + 1);
	char *host = copy;

	if (copy[0] == '[') {
		char *close = strchr(copy, ']');

		if (close == NULL)
			return false;
		host = copy + 1;
		colon = close[1] == ':' ? close + 1 : NULL;
		*close = '\0';
	} else {
		colon = strchr(copy, ':') == strrchr(copy, ':') ? strchr(copy, ':') : NULL;
	}
	if (colon != NULL) {
		if (!read_number(colon + 1, UINT16_MAX, &number))
			return false;
		*colon = '\0';
	}
	*port = (uint16_t)number;
	memset(address, 0, 16);
	*family = strchr(host, ':') != NULL ? 6 : 4;
	return inet_pton(*family == 4 ? AF_INET : AF_INET6, host, address) == 1;
}

static bool read_endpoints(struct trace *t)
{
	struct ip_headers *h = &t->headers;
	uint8_t family;

	if (!read_endpoint(t->source, &h->family, h->source, &h->source_port) ||
	    !read_endpoint(t->destination, &family, h->destination, &h->destination_port)) {
		fprintf(stderr, "sekisho trace: an address or port is not well-formed\n");
		return false;
	}
	if (family != h->family)
		fprintf(stderr, "sekisho trace: --src and --dst must be of one address family\n");
	return family == h->family;
}

static bool read_icmp(struct ip_headers *h, const char *type)
{
	unsigned long number = h->family == 4 ? ICMP_ECHO : ICMPV6_ECHO;

	h->protocol = h->family == 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
	h->flags = IP_HAS_ICMP;
	if (*type == '/' && !read_number(type + 1, UINT8_MAX, &number))
		return false;
	h->icmp_type = (uint8_t)number;
	return *type == '/' || *type == '\0';
}

static bool read_protocol(struct trace *t)
{
	struct ip_headers *h = &t->headers;
	unsigned long number;

	h->hop_limit = HOP_LIMIT;
	if (strncmp(t->protocol, "icmp", 4) == 0)
		return read_icmp(h, t->protocol + (strncmp(t->protocol, "icmpv6", 6) == 0 ? 6 : 4));
	if (strcmp(t->protocol, "tcp") == 0)
		h->protocol = IP_PROTOCOL_TCP;
	else if (strcmp(t->protocol, "udp") == 0)
		h->protocol = IP_PROTOCOL_UDP;
	else if (read_number(t->protocol, UINT8_MAX, &number))
		h->protocol = (uint8_t)number;
	else
		return false;
	if (h->protocol == IP_PROTOCOL_TCP)
		h->tcp_flags = TCP_SYN;
	if (h->protocol == IP_PROTOCOL_TCP || h->protocol == IP_PROTOCOL_UDP ||
	    h->protocol == IP_PROTOCOL_SCTP || h->protocol == IP_PROTOCOL_DCCP)
		h->flags = IP_HAS_PORTS;
	return true;
}

static bool read_mac(struct trace *t)
{
	uint8_t *m = t->mac_bytes;
	int end = 0;

	if (t->mac == NULL)
		return true;
	return sscanf(t->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m[0], &m[1], &m[2], &m[3],
		      &m[4], &m[5], &end) == 6 &&
	       t->mac[end] == '\0';
}

/* A time of the configuration's own clock; now without --at. */
static bool read_time(struct trace *t, int32_t utc_offset_s)
{
	t->at_s = time(NULL);
	return t->at == NULL || config_file_time(&t->at_s, t->at, utc_offset_s) == 0;
}

static bool find_zone(const struct snapshot *s, const char *name, uint32_t *zone)
{
	bool found = outcome_find_zone(s, name, zone);

	if (!found)
		fprintf(stderr, "sekisho trace: no such zone: %s\n", name);
	return found;
}

static int trace_in(struct trace *t, const struct snapshot *s)
{
	struct judge_policy policy;
	struct judge_question question = {.headers = &t->headers,
					  .mac = t->mac != NULL ? t->mac_bytes : NULL};

	if (!read_time(t, s->header->utc_offset_s))
		return tool_usage("trace");
	question.now_s = t->at_s;
	if (!find_zone(s, t->from, &question.from))
		return STATUS_USAGE;
	int err = judge_init(&policy, s);

	if (err != 0) {
		fprintf(stderr, "sekisho trace: the policy cannot be compiled: %s\n",
			err_name(err));
		return STATUS_USAGE;
	}
	struct judge_verdict verdict = judge_flow(&policy, &question);

	judge_fini(&policy);
	verdict_print(s, question.from, &verdict, &t->headers);
	return outcome_permits(s, question.from, &verdict, &t->headers) ? STATUS_PERMIT
									: STATUS_DENY;
}

/* Flows from a file, each with its verdict. */
struct batch {
	const struct snapshot *snapshot;
	struct judge_policy policy;
	int64_t now_s; /* of flows that tell no time */
};

static int trace_line(void *ctx, struct flow_line *line)
{
	const struct batch *b = ctx;
	struct judge_question q = {.headers = &line->headers,
				   .mac = line->has_mac ? line->mac : NULL,
				   .now_s = line->has_time ? line->at_s : b->now_s};
	struct judge_verdict v;

	if (!find_zone(b->snapshot, line->from, &q.from))
		return -ERR_NOT_FOUND;
	v = judge_flow(&b->policy, &q);
	verdict_print(b->snapshot, q.from, &v, &line->headers);
	return 0;
}

/* Return: STATUS_PERMIT where every flow of the file was judged, whatever the verdicts. */
static int trace_flows(struct trace *t, const struct snapshot *s)
{
	struct batch b = {.snapshot = s};
	int err;

	if (!read_time(t, s->header->utc_offset_s))
		return tool_usage("trace");
	b.now_s = t->at_s;
	err = judge_init(&b.policy, s);
	if (err == 0)
		err = flow_file_read(t->flows, s->header->utc_offset_s, trace_line, &b);
	judge_fini(&b.policy);
	return err == 0 ? STATUS_PERMIT : STATUS_USAGE;
}

int tool_trace(int argc, char **argv)
{
	struct trace t = {0};
	struct snapshot s;
	struct bytes block;
	int status = STATUS_USAGE;

	if (!read_options(&t, argc, argv))
		return tool_usage("trace");
	if (t.flows == NULL && !read_endpoints(&t))
		return STATUS_USAGE;
	if (t.flows == NULL && (!read_protocol(&t) || !read_mac(&t)))
		return tool_usage("trace");
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	if (config_file_compile(&s, &block, t.config) == 0)
		status = t.flows != NULL ? trace_flows(&t, &s) : trace_in(&t, &s);
	bytes_fini(&block);
	return status;
}

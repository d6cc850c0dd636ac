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
#include "policy/sockets.h"
#include "tools/config_file.h"
#include "tools/tools.h"

enum { STATUS_PERMIT = 0, STATUS_DENY = 1, STATUS_USAGE = 2 };
enum { TCP_SYN = 2, ICMP_ECHO = 8, ICMPV6_ECHO = 128, HOP_LIMIT = 64 };

struct trace {
	const char *config, *from, *source, *destination, *protocol, *at, *mac;
	struct ip_headers headers;
	uint8_t mac_bytes[6];
	int64_t at_s;
};

static int usage(void)
{
	fprintf(stderr,
		"usage: sekisho trace --config F --from ZONE --src IP[:PORT] --dst IP[:PORT]\n"
		"           --proto tcp|udp|icmp[/TYPE]|NUMBER [--at YYYY-MM-DDTHH:MM] [--mac M]\n"
		"  an IPv6 address with a port is written [ADDRESS]:PORT\n");
	return STATUS_USAGE;
}

static bool read_options(struct trace *t, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"from", required_argument, NULL, 'f'},
		{"src", required_argument, NULL, 's'},    {"dst", required_argument, NULL, 'd'},
		{"proto", required_argument, NULL, 'p'},  {"at", required_argument, NULL, 'a'},
		{"mac", required_argument, NULL, 'm'},    {NULL, 0, NULL, 0},
	};
	const char **const values[] = {
		['c'] = &t->config,   ['f'] = &t->from, ['s'] = &t->source, ['d'] = &t->destination,
		['p'] = &t->protocol, ['a'] = &t->at,   ['m'] = &t->mac};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		*values[option] = optarg;
	}
	return optind == argc && t->config != NULL && t->from != NULL && t->source != NULL &&
	       t->destination != NULL && t->protocol != NULL;
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
	struct tm tm = {0};

	t->at_s = time(NULL);
	if (t->at == NULL)
		return true;
	const char *end = strptime(t->at, "%Y-%m-%dT%H:%M", &tm);

	if (end == NULL || *end != '\0')
		return false;
	t->at_s = (int64_t)timegm(&tm) - utc_offset_s;
	return true;
}

static bool find_zone(const struct snapshot *s, const char *name, uint32_t *zone)
{
	for (*zone = 0; *zone < s->zone_count; (*zone)++) {
		if (strcmp(s->zones[*zone].name, name) == 0)
			return true;
	}
	fprintf(stderr, "sekisho trace: no such zone: %s\n", name);
	return false;
}

static const char *zone_name(const struct snapshot *s, uint32_t zone)
{
	return zone == SNAPSHOT_NONE ? "nowhere" : s->zones[zone].name;
}

static int is_wanted_listener(void *ctx, const struct policy_listener *listener)
{
	const struct ip_headers *h = ctx;

	if (listener->protocol != h->protocol || listener->port != h->destination_port)
		return 0;
	printf("permit: the gateway's own %s %s listens on port %u\n", listener->service,
	       listener->name, listener->port);
	return 1;
}

/* An address of the gateway in that very zone: its own sockets answer there, nothing else. */
static bool reaches_listener(const struct snapshot *s, uint32_t from, struct ip_headers *h)
{
	struct snapshot_range own = s->zones[from].addresses;
	size_t bytes = h->family == 4 ? 4 : 16;

	for (uint32_t i = 0; i < own.count; i++) {
		const struct snapshot_prefix *p = &s->prefixes[own.first + i];

		if (p->family == h->family && memcmp(p->addr, h->destination, bytes) == 0)
			return policy_listeners(s, from, is_wanted_listener, h) != 0;
	}
	return false;
}

static int report(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		  struct ip_headers *h)
{
	const char *to = zone_name(s, v->to);

	if (v->reason == JUDGE_GATEWAY && reaches_listener(s, from, h))
		return STATUS_PERMIT;
	if (v->reason == JUDGE_PERMITTED) {
		const struct snapshot_permit *p = &s->permits[v->permit];
		const struct snapshot_crossing *c = &s->crossings[p->crossing];

		printf("permit %u of crossing %s %s: %s -> %s\n", p->number, s->zones[c->low].name,
		       s->zones[c->high].name, s->zones[from].name, to);
		return STATUS_PERMIT;
	}
	printf("deny: %s: %s -> %s", judge_reason_name(v->reason), s->zones[from].name, to);
	if (v->permit != SNAPSHOT_NONE)
		printf(" (permit %u at another time)", s->permits[v->permit].number);
	putchar('\n');
	return STATUS_DENY;
}

static int trace_in(struct trace *t, const struct snapshot *s)
{
	struct judge_policy policy;
	struct judge_question question = {.headers = &t->headers,
					  .mac = t->mac != NULL ? t->mac_bytes : NULL};

	if (!read_time(t, s->header->utc_offset_s))
		return usage();
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
	return report(s, question.from, &verdict, &t->headers);
}

int tool_trace(int argc, char **argv)
{
	struct trace t = {0};
	struct snapshot s;
	struct bytes block;
	int status = STATUS_USAGE;

	if (!read_options(&t, argc, argv))
		return usage();
	if (!read_endpoints(&t))
		return STATUS_USAGE;
	if (!read_protocol(&t) || !read_mac(&t))
		return usage();
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	if (config_file_compile(&s, &block, t.config) == 0)
		status = trace_in(&t, &s);
	bytes_fini(&block);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts in words. */
#include "tools/verdict.h"

#include <stdio.h>
#include <string.h>

#include "policy/sockets.h"

/* What is asked of the gateway's own sockets. */
struct wanted {
	const struct ip_headers *headers;
	struct policy_listener found;
};

static int is_wanted(void *ctx, const struct policy_listener *listener)
{
	struct wanted *w = ctx;

	if (listener->protocol != w->headers->protocol ||
	    listener->port != w->headers->destination_port)
		return 0;
	w->found = *listener;
	return 1;
}

/* An address of the gateway in that very zone: its own sockets answer there, nothing else. */
static bool reaches_listener(const struct snapshot *s, uint32_t from, struct wanted *w)
{
	struct snapshot_range own = s->zones[from].addresses;
	size_t bytes = w->headers->family == 4 ? 4 : 16;

	for (uint32_t i = 0; i < own.count; i++) {
		const struct snapshot_prefix *p = &s->prefixes[own.first + i];

		if (p->family == w->headers->family &&
		    memcmp(p->addr, w->headers->destination, bytes) == 0)
			return policy_listeners(s, from, is_wanted, w) != 0;
	}
	return false;
}

bool verdict_permits(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		     struct ip_headers *headers)
{
	struct wanted w = {.headers = headers};

	return v->reason == JUDGE_PERMITTED ||
	       (v->reason == JUDGE_GATEWAY && reaches_listener(s, from, &w));
}

static const char *zone_name(const struct snapshot *s, uint32_t zone)
{
	return zone == SNAPSHOT_NONE ? "nowhere" : s->zones[zone].name;
}

static void print_permit(const struct snapshot *s, uint32_t from, const struct judge_verdict *v)
{
	static const char *const kinds[] = {
		[CONFORM_TLS] = "tls", [CONFORM_HTTP] = "http", [CONFORM_DNS] = "dns",
		[CONFORM_SSH] = "ssh", [CONFORM_SMTP] = "smtp", [CONFORM_RDP] = "rdp"};
	const struct snapshot_permit *p = &s->permits[v->permit];
	const struct snapshot_crossing *c = &s->crossings[p->crossing];

	printf("permit %u of crossing %s %s: %s -> %s", p->number, s->zones[c->low].name,
	       s->zones[c->high].name, s->zones[from].name, zone_name(s, v->to));
	if (v->conform != SNAPSHOT_NONE)
		printf(", if it shows %s", kinds[s->conforms[v->conform].kind]);
	if (p->connections != 0)
		printf(", at most %u at one time", p->connections);
	if (p->rate != 0)
		printf(", at most %u new ones a %s", p->rate,
		       p->rate_period_s == 60 ? "minute" : "second");
	putchar('\n');
}

void verdict_print(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		   struct ip_headers *headers)
{
	struct wanted w = {.headers = headers};

	if (v->reason == JUDGE_PERMITTED) {
		print_permit(s, from, v);
		return;
	}
	if (v->reason == JUDGE_GATEWAY && reaches_listener(s, from, &w)) {
		printf("permit: the gateway's own %s %s listens on port %u\n", w.found.service,
		       w.found.name, w.found.port);
		return;
	}
	printf("deny: %s: %s -> %s", judge_reason_name(v->reason), s->zones[from].name,
	       zone_name(s, v->to));
	if (v->permit != SNAPSHOT_NONE)
		printf(" (permit %u at another time)", s->permits[v->permit].number);
	putchar('\n');
}

bool verdict_zone(const struct snapshot *s, const char *name, uint32_t *zone)
{
	for (*zone = 0; *zone < s->zone_count; (*zone)++) {
		if (strcmp(s->zones[*zone].name, name) == 0)
			return true;
	}
	return false;
}

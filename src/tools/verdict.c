/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts in words. */
#include "tools/verdict.h"

#include <stdio.h>

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
		   const struct ip_headers *headers)
{
	struct policy_listener own;

	if (v->reason == JUDGE_PERMITTED) {
		print_permit(s, from, v);
		return;
	}
	if (v->reason == JUDGE_GATEWAY && outcome_listener(s, from, headers, &own)) {
		printf("permit: the gateway's own %s %s listens on port %u\n", own.service,
		       own.name, own.port);
		return;
	}
	printf("deny: %s: %s -> %s", judge_reason_name(v->reason), s->zones[from].name,
	       zone_name(s, v->to));
	if (v->permit != SNAPSHOT_NONE)
		printf(" (permit %u at another time)", s->permits[v->permit].number);
	putchar('\n');
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateway's own sockets, and the zones by their names. */
#include "arbiter/outcome.h"

#include <string.h>

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
bool outcome_listener(const struct snapshot *s, uint32_t from, const struct ip_headers *headers,
		      struct policy_listener *found)
{
	struct snapshot_range own = s->zones[from].addresses;
	struct wanted w = {.headers = headers};
	size_t bytes = headers->family == 4 ? 4 : 16;

	for (uint32_t i = 0; i < own.count; i++) {
		const struct snapshot_prefix *p = &s->prefixes[own.first + i];

		if (p->family != headers->family ||
		    memcmp(p->addr, headers->destination, bytes) != 0)
			continue;
		if (policy_listeners(s, from, is_wanted, &w) == 0)
			return false;
		*found = w.found;
		return true;
	}
	return false;
}

bool outcome_permits(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		     const struct ip_headers *headers)
{
	struct policy_listener found;

	return v->reason == JUDGE_PERMITTED ||
	       (v->reason == JUDGE_GATEWAY && outcome_listener(s, from, headers, &found));
}

bool outcome_find_zone(const struct snapshot *s, const char *name, uint32_t *zone)
{
	for (*zone = 0; *zone < s->zone_count; (*zone)++) {
		if (strcmp(s->zones[*zone].name, name) == 0)
			return true;
	}
	return false;
}

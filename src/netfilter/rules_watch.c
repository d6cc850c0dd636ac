/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the rules that the kernel has are held against the policy, and what follows (ADR 814). The
 * kernel tells of what others change (ADR 419), at once; this finds what was changed by netfilter's
 * own socket, or by nobody: a step of netfilter's that went wrong, memory that lost a bit.
 */
#include "netfilter/rules_watch.h"

#include <stdio.h>

#include "netfilter/netfilter.h"

#define PLACE_BYTES 200 /* of the first difference */
#define COUNT_BYTES 120

uint64_t rules_watch_wait_ms(uint32_t differing)
{
	uint64_t wait_ms = RULES_WATCH_SOON_MS;

	while (differing-- > 1 && wait_ms < RULES_WATCH_PERIOD_MS)
		wait_ms *= 2;
	return wait_ms < RULES_WATCH_PERIOD_MS ? wait_ms : RULES_WATCH_PERIOD_MS;
}

static void compare_soon(struct netfilter *nf, uint64_t wait_ms)
{
	nf->rules_watch.soon = true;
	loop_arm(&nf->loop, &nf->rules_watch.timer, wait_ms);
}

/* A commit is under way, or there is none yet, or proofs of the generation before it still count.
 */
static bool is_changing(const struct netfilter *nf)
{
	return nf->running.epoch == 0 || nf->next.epoch != 0 || nf->ending != 0;
}

static bool is_due(uint64_t last_ms)
{
	return last_ms == 0 || netfilter_now_ms() - last_ms >= RULES_WATCH_RECORD_MS;
}

/* Once a day. @zone: empty: none alone. */
static void tell_missed(struct netfilter *nf, uint64_t *last_ms, const char *zone,
			const char *reason)
{
	if (!is_due(*last_ms))
		return;
	*last_ms = netfilter_now_ms();
	event_send(&nf->process.events, EVENT_RULES_NOT_COMPARED, EV_TEXT(ZONE, zone),
		   EV_NUMBER(EPOCH, nf->running.epoch), EV_TEXT(REASON, reason));
}

static void compare(struct loop *loop, struct loop_timer *self)
{
	struct netfilter *nf = self->ctx;
	struct rules_watch *w = &nf->rules_watch;

	if (is_changing(nf)) {
		compare_soon(nf, RULES_WATCH_SOON_MS);
		return;
	}
	if (w->begun)
		tell_missed(nf, &w->missed_ms, "", "it did not come to its end");
	w->soon = false;
	w->begun = true;
	/* Where it does not come to its end, it is begun again. */
	loop_arm(loop, self, RULES_WATCH_RETRY_MS);
	listing_ask_own(&nf->listing, &answer_rules_watch);
}

void rules_watch_init(struct netfilter *nf)
{
	nf->rules_watch.timer = (struct loop_timer){.fire = compare, .ctx = nf};
}

void rules_watch_due(struct netfilter *nf)
{
	nf->rules_watch.changes++;
	nf->rules_watch.begun = false; /* a load has cut it off */
	if (!nf->rules_watch.soon)
		compare_soon(nf, rules_watch_wait_ms(nf->rules_watch.differing));
}

void rules_watch_begin_anew(struct netfilter *nf)
{
	nf->rules_watch.changes++;
	nf->rules_watch.begun = false; /* cut off by this */
	nf->rules_watch.differing = 0;
	compare_soon(nf, RULES_WATCH_SOON_MS);
}

void rules_watch_same(struct zone *zone, const struct rules_compared *compared)
{
	struct netfilter *nf = zone->nf;
	char found[COUNT_BYTES];

	zone->missed_ms = 0;
	if (!is_due(zone->compared_ms))
		return;
	snprintf(found, sizeof(found), "%u rules in %u chains, %u elements in %u sets",
		 compared->rules, compared->chains, compared->elements, compared->sets);
	zone->compared_ms = netfilter_now_ms();
	event_send(&nf->process.events, EVENT_RULES_COMPARED, EV_TEXT(ZONE, zone->name),
		   EV_NUMBER(EPOCH, nf->running.epoch), EV_TEXT(DETAIL, found));
}

void rules_watch_differs(struct zone *zone, const struct rules_compared *compared,
			 const char *first)
{
	struct netfilter *nf = zone->nf;
	struct rules_watch *w = &nf->rules_watch;
	char place[PLACE_BYTES], found[COUNT_BYTES];

	/* Where even this fails the next beat tries again. */
	(void)zone_shut(zone);
	zone->restore_in = 1;
	if (!w->differs && w->differing < UINT32_MAX)
		w->differing++;
	w->differs = true;
	snprintf(place, sizeof(place), "%s", first);
	snprintf(found, sizeof(found), "%u times", compared->differing);
	event_send(&nf->process.events, EVENT_RULES_DIFFER, EV_TEXT(ZONE, zone->name),
		   EV_NUMBER(EPOCH, nf->running.epoch), EV_TEXT(REASON, place),
		   EV_TEXT(DETAIL, found));
}

void rules_watch_missed(struct zone *zone, const char *reason)
{
	struct netfilter *nf = zone->nf;

	nf->rules_watch.missed = true;
	tell_missed(nf, &zone->missed_ms, zone->name, reason);
}

void rules_watch_end(struct netfilter *nf)
{
	struct rules_watch *w = &nf->rules_watch;

	w->begun = false;
	w->missed_ms = 0;
	if (!w->differs && !w->missed)
		w->differing = 0;
	if (!w->soon)
		loop_arm(&nf->loop, &w->timer,
			 w->missed ? RULES_WATCH_RETRY_MS : RULES_WATCH_PERIOD_MS);
}

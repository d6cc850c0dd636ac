/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and sets of every zone, held against the running policy without anybody asking (ADR 814).
 */
#ifndef SEKISHO_NETFILTER_RULES_WATCH_H
#define SEKISHO_NETFILTER_RULES_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "netfilter/rules_compare.h"

#define RULES_WATCH_SOON_MS   2000     /* behind a load: the flows are taken over by then */
#define RULES_WATCH_RETRY_MS  60000    /* behind a comparison that did not end */
#define RULES_WATCH_PERIOD_MS 3600000  /* between two comparisons when nothing is loaded */
#define RULES_WATCH_RECORD_MS 86400000 /* between two records of a zone where nothing differs */

struct netfilter;
struct zone;

struct rules_watch {
	struct loop_timer timer;
	bool soon;          /* it is armed for a load or a list of isolated stations */
	bool begun;         /* and did not come to its end yet */
	bool missed;        /* a zone could not be compared, in the comparison under way */
	bool differs;       /* a zone differs, in the comparison under way */
	uint64_t missed_ms; /* when it was told last that one did not come to its end; 0: not */
	uint32_t differing; /* comparisons in a row that found a difference */
	uint32_t changes;   /* of what rules are asked for: of what is due since the start */
};

/**
 * rules_watch_wait_ms - how long to wait for a comparison behind a load
 * @differing: comparisons in a row that found a difference
 * Return: RULES_WATCH_SOON_MS at first, twice as much with each difference behind the first,
 * RULES_WATCH_PERIOD_MS at most: a comparison that is wrong by itself, each of which shuts a zone,
 * does not hold a network up again and again.
 */
uint64_t rules_watch_wait_ms(uint32_t differing);

void rules_watch_init(struct netfilter *nf);
/* Rules were loaded, or a list changed that they have: compare soon. What is due sooner stays. */
void rules_watch_due(struct netfilter *nf);
/* A configuration was put in force: what differed before was of another one. */
void rules_watch_begin_anew(struct netfilter *nf);

/* rules.c of the answers, about one zone that was read: */

/* The kernel has what the policy asks for. */
void rules_watch_same(struct zone *zone, const struct rules_compared *compared);
/* It has not, at two readings in a row: the zone is shut, and gets its rules anew. @first: the
 * first difference, a line. */
void rules_watch_differs(struct zone *zone, const struct rules_compared *compared,
			 const char *first);
/* It could not be told, and why. */
void rules_watch_missed(struct zone *zone, const char *reason);
/* Every zone was read. */
void rules_watch_end(struct netfilter *nf);

#endif

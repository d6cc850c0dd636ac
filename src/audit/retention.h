/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long records stay in the local log (L1): the policies want them kept for a period, and the
 * log's limit is one of size. What was removed before its time, and what by the rate of the last
 * day will be, is said; nothing is removed because it is old.
 */
#ifndef SEKISHO_AUDIT_RETENTION_H
#define SEKISHO_AUDIT_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/store.h"
#include "base/event.h"
#include "base/loop.h"

#define RETENTION_LOOK_MS      60000U /* between two looks */
#define RETENTION_RATE_S       86400  /* over how long the rate is taken, at least */
#define RETENTION_RATE_S_LEAST 3600   /* where the log is younger than that */
#define RETENTION_SAY_LOOKS    1440U  /* looks between two records of the figures: a day */

/* What the log's files say, in seconds. */
struct retention_figures {
	int64_t reach_s; /* age of the oldest record; 0: not known */
	int64_t lasts_s; /* until the limit is reached from nothing; 0: not known */
};

struct retention {
	const struct store *store;
	/* Tells the log what was found. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	void *ctx;
	struct loop_timer timer;
	uint32_t keep_s;  /* how long records are to be kept; 0: not watched */
	bool is_short;    /* and the log says so */
	uint64_t removed; /* of store.removed, what is judged */
	uint32_t looks;
};

/**
 * retention_measure - how far the log reaches back, and for how long its limit lasts
 * @now_s: since 1970
 * The rate is that of the newest files that reach back a day; of all, where the log is younger, but
 * not of less than an hour, unless older files have been removed. Times are those that the records
 * have: while the clock was wrong, so are the figures.
 */
struct retention_figures retention_measure(const struct store *s, int64_t now_s);

/* Look for the first time in a minute, then each minute. @loop: borrowed. */
void retention_start(struct retention *r, struct loop *loop);

/* From now on records are to be kept for so long; where that is another period, the log is judged
 * and the figures are said at once. */
void retention_set(struct retention *r, uint32_t keep_s);

/* Judge the log now. */
void retention_look(struct retention *r, int64_t now_s);

#endif

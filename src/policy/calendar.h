/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy's times: which schedules are open at a second, and when the next answer changes.
 * Pure functions of the snapshot and the time; local time is the configuration's own offset.
 */
#ifndef SEKISHO_POLICY_CALENDAR_H
#define SEKISHO_POLICY_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"

/* No edge past here is looked for: a schedule of holidays may have years between two. */
#define CALENDAR_HORIZON_S (400LL * 86400)

/**
 * calendar_open - whether a schedule's windows hold at a time
 * @schedule: of @s
 * @now_s:    seconds since 1970, may be negative
 */
bool calendar_open(const struct snapshot *s, const struct snapshot_schedule *schedule,
		   int64_t now_s);

/**
 * calendar_next_open - when a schedule's windows hold next
 * Return: @now_s where they hold then; the first second of the next minute in which they do; or
 * INT64_MAX where that is not within CALENDAR_HORIZON_S.
 */
int64_t calendar_next_open(const struct snapshot *s, const struct snapshot_schedule *schedule,
			   int64_t now_s);

/* The time around a moment in which no permit begins or ends to hold. */
struct calendar_span {
	int64_t first_s; /* the first second of it */
	int64_t end_s;   /* the first second behind it: the next edge */
};

/**
 * calendar_span_at - how long what holds at @now_s has held and will hold
 * Looks at the schedules that permits use and at their last days, within CALENDAR_HORIZON_S on both
 * sides; where there is no edge, the horizon is the edge. Between two moments of one span no
 * judgement differs.
 */
struct calendar_span calendar_span_at(const struct snapshot *s, int64_t now_s);

/* Whether a moment lies in a span. A clock set forward or back leaves it. */
static inline bool calendar_span_holds(const struct calendar_span *span, int64_t now_s)
{
	return now_s >= span->first_s && now_s < span->end_s;
}

/* Whether any permit depends on the time at all. */
bool calendar_matters(const struct snapshot *s);

#endif

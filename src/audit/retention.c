/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holding the log's files against the period that their records are to be kept. */
#include "audit/retention.h"

#define NS_PER_S 1000000000
#define DAY_S    86400
#define ARGS_MAX 3
#define EASED(s)                                                                                   \
	((s) + (s) / 10) /* behind an alarm a tenth more is wanted, so that it does not flap */

/* ---- what the files say */

/* The newest file from which on there is at least a day; else the oldest. */
static size_t first_of_rate(const struct store *s, int64_t now_s)
{
	size_t i = s->segment_count - 1;

	while (i > 0 && now_s - s->segments[i].begun_s < RETENTION_RATE_S)
		i--;
	return i;
}

static int64_t seconds_of_limit(const struct store *s, int64_t now_s)
{
	size_t first = first_of_rate(s, now_s);
	int64_t span_s = now_s - s->segments[first].begun_s;
	bool some_removed = s->segments[0].first_sequence > 1;
	uint64_t bytes = 0;

	for (size_t i = first; i < s->segment_count; i++)
		bytes += s->segments[i].size_bytes;
	if (s->segments[first].begun_s == 0 || bytes == 0 || span_s <= 0 ||
	    (span_s < RETENTION_RATE_S_LEAST && !some_removed))
		return 0;
	return (int64_t)((double)s->limit_bytes / (double)bytes * (double)span_s);
}

struct retention_figures retention_measure(const struct store *s, int64_t now_s)
{
	int64_t begun_s = s->segments[0].begun_s;

	return (struct retention_figures){
		.reach_s = begun_s > 0 && now_s > begun_s ? now_s - begun_s : 0,
		.lasts_s = seconds_of_limit(s, now_s),
	};
}

/* ---- what is said */

static void say(const struct retention *r, enum event_id id, struct retention_figures found)
{
	struct event_arg args[ARGS_MAX] = {EV_NUMBER(REACH_DAYS, (uint64_t)found.reach_s / DAY_S)};
	size_t count = 1;

	if (found.lasts_s > 0)
		args[count++] =
			(struct event_arg)EV_NUMBER(LASTS_DAYS, (uint64_t)found.lasts_s / DAY_S);
	if (r->keep_s > 0)
		args[count++] = (struct event_arg)EV_NUMBER(KEEP_DAYS, r->keep_s / DAY_S);
	r->event(r->ctx, id, args, count);
}

/* What has gone since the last look: its youngest was about as old as the oldest that is left. */
static void judge_removed(struct retention *r, struct retention_figures found)
{
	uint64_t removed = r->store->removed - r->removed;

	r->removed = r->store->removed;
	if (removed == 0 || r->keep_s == 0 || found.reach_s >= (int64_t)r->keep_s)
		return;
	r->event(r->ctx, EVENT_LOG_RETENTION_CUT,
		 (const struct event_arg[]){EV_NUMBER(COUNT, removed),
					    EV_NUMBER(REACH_DAYS, (uint64_t)found.reach_s / DAY_S),
					    EV_NUMBER(KEEP_DAYS, r->keep_s / DAY_S)},
		 3);
}

static void judge_rate(struct retention *r, struct retention_figures found)
{
	int64_t wanted_s = r->is_short ? EASED((int64_t)r->keep_s) : (int64_t)r->keep_s;
	bool is_short = r->keep_s > 0 && found.lasts_s < wanted_s;

	if (found.lasts_s == 0 && r->keep_s > 0)
		return; /* not known */
	if (is_short != r->is_short)
		say(r, is_short ? EVENT_LOG_RETENTION_SHORT : EVENT_LOG_RETENTION_KEPT, found);
	r->is_short = is_short;
}

void retention_look(struct retention *r, int64_t now_s)
{
	struct retention_figures found = retention_measure(r->store, now_s);
	bool was_short = r->is_short;

	judge_removed(r, found);
	judge_rate(r, found);
	if (r->looks++ % RETENTION_SAY_LOOKS != 0)
		return;
	say(r, EVENT_LOG_REACH, found);
	if (was_short && r->is_short) /* a month's report looks at the records of that month */
		say(r, EVENT_LOG_RETENTION_SHORT, found);
}

static int64_t now_s(const struct retention *r)
{
	return clock_wall_ns(r->store->form->clock) / NS_PER_S;
}

void retention_set(struct retention *r, uint32_t keep_s)
{
	if (keep_s == r->keep_s)
		return;
	r->keep_s = keep_s;
	r->looks = 0;
	retention_look(r, now_s(r));
}

static void on_look(struct loop *loop, struct loop_timer *timer)
{
	struct retention *r = timer->ctx;

	retention_look(r, now_s(r));
	loop_arm(loop, timer, RETENTION_LOOK_MS);
}

void retention_start(struct retention *r, struct loop *loop)
{
	r->timer = (struct loop_timer){.fire = on_look, .ctx = r};
	loop_arm(loop, &r->timer, RETENTION_LOOK_MS);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is worth telling in the reports of time-source: a pure function of them and of the time. */
#ifndef SEKISHO_SUPERVISOR_TIME_WATCH_H
#define SEKISHO_SUPERVISOR_TIME_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/clock.h"

#define TIME_WATCH_DRIFTS_NS 1000000000 /* the clock is off by so much: an alarm */
#define TIME_WATCH_STEADY_NS 500000000  /* until it is off by less than so much */
#define TIME_WATCH_PPM       300        /* the clock's own error: most of what can be corrected */

enum time_news {
	TIME_NEWS_SYNCHRONISED = 1,
	TIME_NEWS_LOST = 2,
	TIME_NEWS_DRIFTS = 4,
	TIME_NEWS_STEADY = 8,
};

struct time_watch {
	bool synchronised, lost, drifting; /* as was told last */
	uint64_t updates;                  /* of the last report */
	uint64_t believed_ms;              /* when a measurement was believed last */
	uint32_t false_servers;            /* bit mask */
};

/* From @now_ms on servers are asked. */
void time_watch_begin(struct time_watch *watch, uint64_t now_ms);

/**
 * time_watch_look - judge the newest report, or that there is none
 * @state: NULL: time-source has said nothing lately
 * @lost_after_ms: so long without a measurement that is believed
 * @false_servers: set to the servers that have become false, a bit each
 * Return: what to tell, a mask of enum time_news; each thing once until it changes.
 */
unsigned time_watch_look(struct time_watch *watch, const struct control_time *state,
			 uint64_t lost_after_ms, uint64_t now_ms, uint32_t *false_servers);

/* The server that the clock follows; NULL: none. */
const struct clock_server *time_watch_used(const struct control_time *state);
/* The same; without one, a server whose answers contradict its own earlier ones; NULL: neither. */
const struct clock_server *time_watch_heeded(const struct control_time *state);

#endif

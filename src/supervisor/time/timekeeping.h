/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of this machine (L2): what time-source may do to it, and what its reports mean. Two
 * processes, so that whoever reads a time server's packets cannot set the clock (ADR 205).
 */
#ifndef SEKISHO_SUPERVISOR_TIME_TIMEKEEPING_H
#define SEKISHO_SUPERVISOR_TIME_TIMEKEEPING_H

#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/clock.h"
#include "policy/snapshot_base.h"
#include "policy/snapshot.h"
#include "supervisor/time/watch.h"

#define CLOCK_STEPS_MAX    4 /* within CLOCK_STEPS_MS */
#define CLOCK_STEPS_MS     3600000U
#define CLOCK_REFUSALS_MAX 8 /* steps that one process may ask for in vain: each is a record */
#define CLOCK_TEXT_BYTES   32

struct child;
struct supervisor;

/* Which servers are asked: what time-source was started with. */
struct time_servers {
	uint32_t count;
	char zone[SNAPSHOT_NAME_BYTES];
	struct snapshot_time_server rows[CLOCK_SERVERS_MAX];
};

struct timekeeping {
	int rtc_fd;                        /* the RTC's seconds since 1970 as text; -1: none */
	int64_t built_s;                   /* when this system was built: no time is before it */
	int64_t behind_s;                  /* what the clock was behind that at the start */
	uint64_t step_ms[CLOCK_STEPS_MAX]; /* when the clock was stepped, by turns */
	uint32_t step_count;
	uint32_t refusals; /* of steps, since time-source was last outfitted */
	bool settled;      /* these servers were followed once: from now on the clock is turned */
	struct time_servers servers;
	struct control_time report; /* the newest */
	uint64_t report_ms;         /* when it came; 0: never */
	struct time_watch watch;
	struct loop_timer tick;
};

/* clock.c: the one place that sets the clock. */

/* Before privileges are given up: find the RTC; set a clock that cannot be right forward. */
void clock_open(struct supervisor *sup);
/* Tell what clock_open had to do. */
void clock_say_start(struct supervisor *sup);
int clock_handle_change(struct channel *ch, void *ctx, const struct channel_message *message);
/* Seconds since 1970 that the RTC shows. Return: 0 or -ERR_NOT_FOUND. */
int clock_read_rtc(const struct timekeeping *time, int64_t *out_s);
/* "+0.001234 s" */
void clock_offset_text(char out[CLOCK_TEXT_BYTES], int64_t offset_ns);

/* timekeeping.c: the process, and what is told of its reports. */

/* Have time-source ask the servers of the running policy: start it, renew its sockets or it. */
void time_follow(struct supervisor *sup);
void time_outfit(struct child *source);
int time_handle_report(struct channel *ch, void *ctx, const struct channel_message *message);
/* The newest report, NULL where there is none of these seconds. */
const struct control_time *time_report(const struct supervisor *sup);

#endif

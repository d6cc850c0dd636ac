/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of time-source. chrony's hooks carry no context: they find the process's one state
 * here. */
#ifndef SEKISHO_TIME_SOURCE_TIME_SOURCE_H
#define SEKISHO_TIME_SOURCE_TIME_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/process.h"
#include "channel/clock.h"
#include "policy/snapshot.h"

struct time_source {
	struct process process;
	struct snapshot policy;         /* that it was started with */
	int sockets[CLOCK_SERVERS_MAX]; /* connected, by server of the policy; -1: no way to it */
	struct control_clock_done done; /* the supervisor's last answer */
	bool answered;
	uint64_t updates;
	int64_t updated_s, updated_ns; /* chrony's time of the last one */
};

/* main.c */
extern struct time_source time_source;
/* Serve the supervisor's channel once; ends the process where that has gone or broken the rules. */
void time_source_serve(void);

/* engine.c: prepare chrony for the servers of the policy; @sets_clock: else the clock is only
 * compared. Then it runs in engine_run, which returns after engine_stop. */
void engine_prepare(bool sets_clock);
void engine_run(void);
void engine_stop(void);

/* servers.c: what the servers say, for the supervisor. */
void servers_report(struct control_time *out);

/**
 * driver_ask - have the supervisor change the clock, and wait for its answer (2 s at most)
 * Return: 0; an errno value where it refused; ETIMEDOUT. The correction that holds now is at
 * time_source.done.frequency.
 */
int driver_ask(enum clock_change change, int64_t value, int64_t estimated_us, int64_t maximum_us);
/* Make the supervisor chrony's way to the clock. */
void driver_begin(void);

#endif

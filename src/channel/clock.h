/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * time-source and the supervisor: what the clock shall do, and what the time servers say. Messages
 * of the control channel. time-source reads packets and cannot touch the clock; the supervisor
 * touches the clock, within bounds of its own, and reads no packet.
 */
#ifndef SEKISHO_CHANNEL_CLOCK_H
#define SEKISHO_CHANNEL_CLOCK_H

#include <stdint.h>

#define CLOCK_SERVERS_MAX 8 /* as SNAPSHOT_NTP_MAX */

/* A frequency is in units of 2^-16 parts per million, as struct timex has it; positive: faster. */
#define CLOCK_PPM       65536
#define CLOCK_PPM_LIMIT 500 /* of a correction, to either side; adjtimex(2) */

enum clock_change {
	CLOCK_ASK,       /* whether the clock is this gateway's to set */
	CLOCK_FREQUENCY, /* @value: the correction from now on */
	CLOCK_STEP,      /* @value: nanoseconds forward */
	CLOCK_STATE,     /* @value: 1: it is right within the errors; 0: nobody knows */
};

struct control_clock {
	uint32_t change; /* enum clock_change */
	uint32_t pad;
	int64_t value;
	int64_t estimated_us, maximum_us; /* CLOCK_STATE: errors, not negative */
};

struct control_clock_done {
	int32_t error; /* 0, or an errno value: nothing was changed */
	uint32_t pad;
	int64_t frequency; /* the correction now */
};

enum clock_server_state {
	CLOCK_SERVER_SILENT, /* no answer lately */
	CLOCK_SERVER_UNFIT,  /* answers, cannot be used (yet) */
	CLOCK_SERVER_FALSE,  /* contradicts the others */
	CLOCK_SERVER_UNSTEADY,
	CLOCK_SERVER_FIT, /* could be used, another one is better */
	CLOCK_SERVER_USED,
	CLOCK_SERVER_STATES_
};

struct clock_server {
	uint32_t state;    /* enum clock_server_state */
	uint32_t stratum;  /* 0: unknown */
	uint32_t reach;    /* answers to the last eight questions, the newest in bit 0 */
	uint32_t heard_s;  /* since its last answer; UINT32_MAX: never */
	int64_t offset_ns; /* of its last answer: the clock is ahead by so much */
};

/* Each second. */
struct control_time {
	uint32_t synchronised; /* 1: the clock follows a server */
	uint32_t stratum;      /* of this clock then */
	uint64_t updates;      /* measurements that were believed, since the process began */
	int64_t offset_ns;     /* not corrected yet: the clock is ahead by so much */
	int64_t frequency;     /* CLOCK_PPM; what the clock is fast by itself */
	uint32_t server_count;
	uint32_t pad;
	struct clock_server servers[CLOCK_SERVERS_MAX]; /* in the order of the policy */
};

#endif

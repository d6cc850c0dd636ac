/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `replay`: recorded flows against the candidate. Messages of the control channel:
 *
 *   config  -> S             CONTROL_CANDIDATE, struct control_candidate; descriptor: sealed
 *                            snapshot memfd of the candidate of the console's editor
 *                            ... or of what another person proposes and the console's may approve
 *   console -> S             CONTROL_QUERY, QUERY_REPLAY, which names the request for which config
 *                            compiled, and the days; it may be read before the candidate, which
 *                            was sent before
 *   S -> arbiter             CONTROL_REPLAY, struct control_replay; descriptor: the candidate
 *   S -> audit               CONTROL_QUERY
 *   audit -> S -> arbiter    CONTROL_REPLAYED, struct control_replayed; descriptor: sealed memfd
 *                            with records, a line each, as the log has them, oldest first
 *   arbiter -> S -> audit    CONTROL_REPLAY_NEXT, struct control_replay: these are judged
 *   S -> arbiter, audit      CONTROL_WITHDRAW: nobody waits any more
 *
 * QUERY_TEST_CANDIDATE asks the arbiter for one flow: CONTROL_QUERY with the candidate.
 *
 * Rows come from the arbiter; audit sends one only where there is nothing to read, and empty ones
 * as signs of life. So whoever reads the log judges nothing, whoever judges reads no file, and no
 * console touches a policy.
 */
#ifndef SEKISHO_CHANNEL_REPLAY_H
#define SEKISHO_CHANNEL_REPLAY_H

#include <stdint.h>

#define REPLAY_PART_BYTES (1U << 20) /* of records, in one memfd */
#define REPLAY_DAYS_MAX   366U
#define REPLAY_TIME_BYTES 24

struct control_candidate {
	uint32_t console;
	uint32_t request; /* serial of the console's request that it was compiled for */
};

struct control_replay {
	uint32_t number; /* of the query, as the receiver knows it */
	uint32_t console;
	uint32_t japanese;
	uint32_t pad;
};

struct control_replayed {
	uint32_t number;
	uint32_t console;
	uint32_t last; /* 1: there are no more */
	uint32_t cut;  /* 1: there were older ones of these days, not read or gone */
	char since[REPLAY_TIME_BYTES]; /* time of the first record that was read, as it is written,
					* NUL-terminated; empty: none was */
};

#endif

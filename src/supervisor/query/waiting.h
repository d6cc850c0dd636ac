/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of consoles that wait for something before they are answered. */
#ifndef SEKISHO_SUPERVISOR_QUERY_WAITING_H
#define SEKISHO_SUPERVISOR_QUERY_WAITING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "channel/query.h"
#include "policy/snapshot.h"

struct supervisor;

/* An isolated zone whose old connections are being ended, before it is connected again. */
struct restore {
	struct supervisor *sup;
	uint32_t serial;  /* of the console's question (struct asking); 0: none */
	uint32_t console; /* its number */
	uint32_t signs_sent;
	bool all;                       /* the isolated zones behind @zone follow it */
	char zone[SNAPSHOT_NAME_BYTES]; /* under way */
	struct loop_timer signs;        /* of life, to the console */
};

/* What config has compiled for the console that asks for a replay of it next. */
struct replay_candidate {
	int fd;                     /* sealed memfd; -1: none */
	uint32_t console, request;  /* for which it was compiled */
	pid_t owner;                /* that console's process */
	struct control_query asked; /* that waits for its candidate; number 0: none does */
	pid_t asker;
};

/* Whether there is one, and a question asks about it: not about another, of which one before was
 * interrupted. */
bool replay_candidate_is_of(const struct replay_candidate *candidate,
			    const struct control_query *question, pid_t asker);

#endif

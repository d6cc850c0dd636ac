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
	int fd; /* sealed memfd; -1: none */
	uint32_t console;
	struct control_query asked; /* that came first; number 0: none has */
	pid_t asker;
};

#endif

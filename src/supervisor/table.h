/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process table: every role of the gateway, what it runs as and what it is given. The
 * supervisor starts processes from this and from nothing else; the documentation prints it.
 */
#ifndef SEKISHO_SUPERVISOR_TABLE_H
#define SEKISHO_SUPERVISOR_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "channel/control.h"

enum table_restart {
	RESTART_ALWAYS, /* at once, then with growing pauses; a storm raises an alarm */
	RESTART_TTY,    /* as RESTART_ALWAYS on a terminal; never for a connection to the console
			   socket */
	RESTART_NEVER,  /* ends with its session or message */
};

/* Of urgent processes: their nice value (all others have 0), and what they ask to run at a time. */
#define TABLE_URGENT          (-10)
#define TABLE_URGENT_SLICE_NS 100000U /* the least that the scheduler gives */

struct table_role {
	const char
		*program; /* below libexec/, also its name in events; NULL: the supervisor itself */
	uint32_t uid;     /* and gid */
	bool net_admin;   /* keeps CAP_NET_ADMIN, ambient; no other capability for anybody */
	bool holds_policy; /* takes part in PREPARE and APPLY */
	bool urgent; /* verdicts wait for it: scheduled before all that sessions do (TABLE_URGENT)
		      */
	enum table_restart restart;
	uint32_t ping_ms;    /* 0: not pinged, its lifetime is bounded instead */
	uint32_t silent_ms;  /* unanswered for so long: killed */
	uint32_t life_ms;    /* killed after; 0: no limit */
	uint32_t files_max;  /* RLIMIT_NOFILE */
	uint32_t memory_mib; /* RLIMIT_AS */
	uint32_t file_mib;   /* RLIMIT_FSIZE, for those that may make a memfd; 0: no limit */
	uint32_t cpu_s;      /* RLIMIT_CPU; 0: no limit */
	uint32_t in_reserve; /* started ahead of their sessions, where there is mail (reserve.h) */
	const char
		*given; /* for the documentation: descriptors besides control, events and stderr */
	const char *reads; /* for the documentation: whose bytes it reads */
};

/* Indexed by enum role. */
extern const struct table_role table_roles[ROLE_COUNT_];

/* The process table as Markdown, for the documentation. */
void table_print(FILE *out);

#endif

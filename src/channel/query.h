/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of a console, and the rows of their answers: messages of the control channel. */
#ifndef SEKISHO_CHANNEL_QUERY_H
#define SEKISHO_CHANNEL_QUERY_H

#include <stdint.h>

enum query_kind {
	QUERY_SEPARATION = 1,
	QUERY_ZONES,
	QUERY_FLOWS,
	QUERY_CROSSINGS,
	QUERY_MAIL,
	QUERY_SCREEN,
	QUERY_LOG,
	QUERY_PROCESSES,
	QUERY_ISOLATE,
	QUERY_RESTORE,
	QUERY_PERMITS,         /* argument: [unused DAYS] [ZONE] */
	QUERY_CAPTURE,         /* argument: ZONE [count N] [seconds N] [raw | file NAME] [filter] */
	QUERY_ISOLATE_STATION, /* argument: hardware address or address */
	QUERY_RESTORE_STATION,
	QUERY_ISOLATED,
	QUERY_CLEAR_FLOW,    /* argument: as for QUERY_FLOWS */
	QUERY_TEST_FLOW,     /* argument: ZONE SOURCE DESTINATION PROTOCOL [PORT] */
	QUERY_MAIL_LOG,      /* the records about mail; argument: a text that they contain */
	QUERY_RECEIPT,       /* argument: a receipt's id, or its beginning */
	QUERY_DEVICE_KEY,    /* the public key that signs the log, and its newest anchor */
	QUERY_CLEAR_SCREEN,  /* argument: the session's number */
	QUERY_ALARMS,        /* what stands, since when, what to do; argument: "ja" or "en" */
	QUERY_CAPTURES,      /* the files of captures */
	QUERY_SAVE_CAPTURE,  /* argument: the name of one, which is printed */
	QUERY_CLEAR_CAPTURE, /* ... which is removed */
	QUERY_LOG_FILES,     /* the newest files of the log, line by line, behind a new anchor */
	QUERY_SIGN,          /* argument: SHA-256 of a manifest, in hexadecimal digits */
	QUERY_SIGN_SUPPORT,  /* the same of an archive for support */
	QUERY_PROCESS_LOG,   /* the records of starts, stops and deaths of processes */
	QUERY_PUBLIC_ALARMS, /* as QUERY_ALARMS, without the names of persons and peers */
	QUERY_EMERGENCIES,   /* argument: empty: those that are acknowledged too; "open": without
			      * them, behind a wipe that is proposed */
	QUERY_ACKNOWLEDGE,   /* argument: an emergency's number, and a comment */
	QUERY_TIME,          /* the clock, the RTC, what the time servers say */
	QUERY_TIMELINE,      /* argument: "en" or "ja" [since TIME]: the course of events */
	QUERY_SEEN,          /* argument: "en" or "ja" [clause]: the log's events, counted */
	QUERY_WATCH,         /* what is watched since its isolation ended */
	QUERY_CLEAR_WATCH,   /* argument: the number of a watch, and a comment */
	QUERY_RECORDINGS,    /* the files of screen sessions' recordings */
	QUERY_RECORDING,     /* argument: the name of one, and which part is to be printed;
			      * GIVE_RECORDING comes before the answer's row */
	QUERY_RULES,         /* argument: [ZONE]: what the kernel filters by, as text */
	QUERY_LINKS,         /* devices, addresses, routes, neighbours and sysctls of each zone */
	QUERY_SHADOW_SCREEN, /* argument: the number of the session that an auditor looks at */
	QUERY_ISOLATE_ALL,   /* argument: a reason, or empty */
	QUERY_RESTORE_ALL,
	QUERY_REBOOT,
	QUERY_SHUTDOWN,
	QUERY_ZEROISE,       /* argument: a reason; with CONTROL_CONFIRMED (zeroise.h) */
	QUERY_WIPE_PROPOSED, /* what QUERY_ZEROISE would approve, if anything */
	QUERY_FOLLOW, /* argument: empty, or the place that the last row of the answer before named,
		       * then a text that records must contain: what was recorded since */
	QUERY_USB,    /* what is plugged in */
	QUERY_TEST_CANDIDATE, /* argument: as for QUERY_TEST_FLOW; limit: as for QUERY_REPLAY */
	QUERY_REPLAY, /* argument: "en" or "ja", then how many days; limit: which request compiled
		       * the candidate (struct control_candidate) */
};

#define CONTROL_ARGUMENT_BYTES 112
#define RECORDING_PART_BYTES   (8U << 20) /* of a recording are printed at one time */

struct control_query {
	uint32_t number;                       /* the asker's, comes back in each row */
	uint32_t kind;                         /* enum query_kind */
	uint32_t limit;                        /* at most so many rows; 0: the owner's default */
	uint32_t console;                      /* set by the supervisor on the way */
	char argument[CONTROL_ARGUMENT_BYTES]; /* zone name, filter; NUL-terminated */
	uint32_t person_role; /* enum account_role, set by the supervisor on the way */
	char person[24];      /* the same; NUL-terminated; empty: nobody in particular */
	uint32_t pad;
};

/* Nobody waits for the rest of an answer any more. */
struct control_withdraw {
	uint32_t number; /* of the query, as the receiver knows it */
};

enum {
	CONTROL_ROW_LAST = 1,
	CONTROL_ROW_ERROR = 2,
	CONTROL_ROW_HEADING = 4,
	CONTROL_ROW_CONTINUES = 8 /* the next row goes on with its last cell */
};

#define CONTROL_ROW_CELLS 12

/* One row of a table: cells are NUL-terminated printable UTF-8, packed one after the other in
 * @text. */
struct control_row {
	uint32_t number;
	uint32_t console;
	uint32_t flags;
	uint32_t
		cell_count; /* 0..CONTROL_ROW_CELLS; 0 with LAST: end of the answer without a row */
	char text[752];
};

#endif

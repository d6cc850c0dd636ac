/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of screen sessions' recordings, in a directory of the state: the supervisor names, counts
 * and removes them, and opens them: for a session's screen-viewer to append to, for an auditor's
 * console to print. It reads none. A file's name is ENTRY.YYYYMMDD-HHMMSS.SESSION.KEEPs: when it
 * began, in UTC, and for how many seconds it was then to be kept.
 */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_RECORDINGS_H
#define SEKISHO_SUPERVISOR_SESSIONS_RECORDINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "channel/account.h"
#include "policy/snapshot.h"

/* ".20260101-000000.4294967295.4294967295s" and its NUL */
#define RECORDINGS_NAME_BYTES (SNAPSHOT_NAME_BYTES + 40)

#define RECORDINGS_SWEEP_MS 600000U /* how often files are removed whose time is over */
#define RECORDINGS_KEEP_S                                                                          \
	(30U * 86400) /* for files of a screen that the policy no longer has, or no longer records \
		       */
#define RECORDINGS_FREE_SHARE 8 /* of the disk this part stays free for other things */
/* What the smallest file counts, and how many there may be of all screens: all are looked at when a
 * session begins, and the zones' leases wait for that. */
#define RECORDINGS_FILE_BYTES   65536U
#define RECORDINGS_FILES_MAX    8192U
#define RECORDINGS_SCREENS_MAX  128U   /* as many as can listen */
#define RECORDINGS_FULL_PERCENT 80U    /* of total-limit: the alarm begins */
#define RECORDINGS_EASE_PERCENT 70U    /* and ends */
#define RECORDINGS_TELL_MS      10000U /* between two records of sessions that found no room */

struct answer;
struct child;
struct session;
struct supervisor;

/* Sessions that could not be recorded. */
struct recordings_failures {
	uint32_t untold;
	uint32_t session; /* the newest, and why */
	char entry[SNAPSHOT_NAME_BYTES], user[ACCOUNT_NAME_BYTES];
	const char *why;         /* fixed text */
	struct loop_timer timer; /* armed: one was told lately */
};

/* Of the supervisor. */
struct recordings {
	int fd; /* the directory; -1: it could not be made */
	struct loop_timer sweep;
	struct recordings_failures failures;
	char filling[RECORDINGS_SCREENS_MAX][SNAPSHOT_NAME_BYTES]; /* screens; empty: a free row */
};

/* Of a session. */
struct session_recording {
	uint64_t limit_bytes; /* of its file; 0: it has none */
	ino_t inode;
	char name[RECORDINGS_NAME_BYTES];
};

/* Open the directory below the state, and begin to sweep. Return: 0 or -ERR_SYSTEM. */
int recordings_open(struct supervisor *sup);

/*
 * What the kernel is to let a process write into a file, from its start: the limit of a recording;
 * a change of it in the policy ends the session. Return: bytes; 0 where it records nothing.
 */
uint64_t recordings_limit_bytes(const struct child *child);

/**
 * recordings_give - give a session's screen-viewer its file, where its entry is recorded
 * @session: its viewer has finished its handshake, and is admitted
 * Return: false where there is no room for a whole recording and the entry lets nobody look then;
 * the session's end has begun.
 */
bool recordings_give(struct session *session, struct supervisor *sup);
/* The session has ended: a file that nothing was written into goes. */
void recordings_release(struct session *session, struct supervisor *sup);

void answer_recordings(struct supervisor *sup, struct answer *answer);
void answer_save_recording(struct supervisor *sup, struct answer *answer);

#endif

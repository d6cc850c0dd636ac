/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Auditors' looks at running screen sessions. One is asked for at a console, is good for one login
 * within a few minutes, and becomes a session of its own: a screen-viewer without a screen-source,
 * with the watched session's memory to read (ADR 0710).
 */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_SHADOWS_H
#define SEKISHO_SUPERVISOR_SESSIONS_SHADOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/admission.h"
#include "channel/person.h"
#include "channel/screen.h"
#include "policy/snapshot.h"

#define SHADOWS_PASS_MS      300000U   /* to log in with what the console has shown */
#define SHADOWS_SECRET_BYTES 21        /* 80 random bits in hexadecimal digits, and NUL */
#define SHADOWS_NAME         "shadow:" /* then a session's number: no user has such a name */

struct supervisor;
struct session;

/* Of a screen session. */
struct shadowing {
	/* of one that may be watched */
	int pixels_fd;                     /* its memory, to read; -1: it may not be */
	uint32_t notice;                   /* enum snapshot_notice, as the session began */
	char secret[SHADOWS_SECRET_BYTES]; /* of the login that is due; empty: none is */
	uint64_t until_ms;                 /* then it is too late for that */
	char guest[SNAPSHOT_NAME_BYTES];   /* the auditor who asked for it */
	/* of one that is a shadow */
	uint32_t watched; /* the session that it looks at; 0: it is none */
	uint64_t record;  /* number of the question to audit, which it waits for; 0: none */
	char auditor[SNAPSHOT_NAME_BYTES];
	char user[ACCOUNT_NAME_BYTES]; /* who is looked at */
	uint64_t began_ms;
};

/* A session begins: keep a way to its memory where its entry lets auditors look on. Return: 0 or
 * -ERR_SYSTEM. */
int shadows_begin(struct session *session, const struct supervisor *sup);
/* It has ended, whatever it was. */
void shadows_release(struct session *session, struct supervisor *sup);
/* One half of it is dead: who looks on is told that it is over. */
void shadows_end_of(const struct session *watched, struct supervisor *sup);

/* Whether this login is an auditor's, by its name. */
bool shadows_is_asked(const struct control_screen_login *login);
/**
 * shadows_admit - a session logs in to be a shadow of the one that it names
 * Nothing is given to it before audit has the record of it on the disk: admission_noted hears that.
 * Return: NULL, or why not: fixed text.
 */
const char *shadows_admit(struct session *session, struct supervisor *sup,
			  const struct control_screen_login *login);
/**
 * shadows_start - what shadows_admit has allowed begins
 * Its screen-viewer has the memory to read then, and its screen-source is gone; it has to be told
 * the verdict.
 * Return: NULL, or why not: fixed text.
 */
const char *shadows_start(struct session *session, struct supervisor *sup);
/* It is none any more, or none after all. */
void shadows_leave(struct session *session, struct supervisor *sup);
/* audit's answer; it has died: who waits for it is refused. */
void shadows_recorded(struct supervisor *sup, const struct control_recorded *answer);
void shadows_unrecorded(struct supervisor *sup);
/* As admission_judge, for one that was admitted or waits for its record. */
enum screen_end shadows_judge(const struct session *session, const struct supervisor *sup,
			      const struct snapshot *s);

/**
 * shadows_open - an auditor at a console wants to look on at @watched
 * @auditor: the name of who sits there
 * Return: NULL, and its pass is set; or why not: fixed text.
 */
const char *shadows_open(struct session *watched, const struct supervisor *sup,
			 const char *auditor);

#endif

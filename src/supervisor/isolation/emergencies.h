/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What persons did at once that otherwise takes two, or waits for its hours, and what somebody else
 * has to acknowledge afterwards (事後報告, C1, Z11; ADR 314). Each is a checksummed file of its own
 * below the state. A change is begun when its file is on the disk; an isolation never waits for it.
 */
#ifndef SEKISHO_SUPERVISOR_ISOLATION_EMERGENCIES_H
#define SEKISHO_SUPERVISOR_ISOLATION_EMERGENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/person.h"

#define EMERGENCIES_MAX       128 /* kept, open and acknowledged ones together */
#define EMERGENCY_WHAT_BYTES  96
#define EMERGENCY_DUE_S       (7 * 86400)
#define EMERGENCY_PERSONS_MAX 2

struct emergency {
	uint32_t number; /* counts from 1, over restarts too */
	int64_t time_s;  /* since 1970 */
	char what[EMERGENCY_WHAT_BYTES];
	char why[EMERGENCY_TEXT_BYTES];                     /* empty: nobody said */
	struct emergency_person who[EMERGENCY_PERSONS_MAX]; /* an empty name: no second one */
	int64_t closed_s;                                   /* 0: open */
	struct emergency_person closer;
	char comment[EMERGENCY_TEXT_BYTES]; /* the closer's */
};

struct emergencies {
	int dir; /* -1: could not be opened or read; nothing is saved */
	size_t count;
	struct emergency list[EMERGENCIES_MAX]; /* by number */
};

/**
 * emergencies_load - open the directory below @state_fd and read what is in it
 * A file that is damaged becomes an open emergency of nobody known, which any account may
 * acknowledge.
 * Return: 0; -ERR_SYSTEM: the list is empty, and until the next start nothing of it is saved.
 */
int emergencies_load(struct emergencies *e, int state_fd);

/**
 * emergencies_open - list an emergency; the oldest acknowledged one makes room where it must
 * @new: copied; its number is set, to 0 where it is not listed
 * Return: 0; -ERR_NO_SPACE, the number 0: so many are open that it is not listed; an error of
 * file_replace: it is listed until the next start only.
 */
int emergencies_open(struct emergencies *e, struct emergency *new);

/* Take back the one listed last, which could not be saved and is not done. */
void emergencies_withdraw(struct emergencies *e);

/**
 * emergencies_amend - one that is open is better known by now
 * @what, @who: copied
 * Return: 0; -ERR_NOT_FOUND (or acknowledged); an error of file_replace: it stays as it was, until
 * the next start at least.
 */
int emergencies_amend(struct emergencies *e, uint32_t number, const char *what,
		      const struct emergency_person *who);

/* Whether one of @person, with the same hands, that reads @what is open. */
bool emergencies_has_open(const struct emergencies *e, const struct emergency_person *person,
			  const char *what);

/**
 * emergencies_close - @closer acknowledges one
 * @comment: not empty; cut where too long
 * Return: 0; -ERR_NOT_FOUND: none of this number is open; -ERR_DENIED: @closer may be one of those
 * who did it; an error of file_replace: it stays open.
 */
int emergencies_close(struct emergencies *e, uint32_t number, const struct emergency_person *closer,
		      const char *comment, int64_t now_s);

/* The one of this number; NULL: there is none. */
const struct emergency *emergencies_find(const struct emergencies *e, uint32_t number);

struct supervisor;
struct child;

/* query/emergencies.c */

/**
 * emergency_by_console - list what the person at @console has done: "@what @name"
 * Nothing is listed while nobody has an account, or one of the same person and text is open. What
 * cannot be saved or listed is said by an event.
 * @why: what was typed behind it; may be empty
 */
void emergency_by_console(struct supervisor *sup, const struct child *console, const char *what,
			  const char *name, const char *why);
/* List a change outside its hours, before it begins. Return: as emergencies_open; unless 0 it is
 * not listed. */
int emergency_of_change(struct supervisor *sup, const struct control_emergency *change);
/* List a recovery, before it begins; whose password it is is not known yet. Return: its number; 0:
 * it cannot be saved, and is not listed. */
uint32_t emergency_of_recovery(struct supervisor *sup);
/**
 * emergency_recovers - @name is about to get a password by it
 * From here on that account does not acknowledge it, where another one could. @name: empty: the
 * dialogue of the first administrator is to begin; NULL: nothing came of it.
 * Return: 0, or an error of emergencies_amend: it is not saved, which may be an event.
 */
int emergency_recovers(struct supervisor *sup, uint32_t number, const char *name);
/* At the start: record those that stand, and where they cannot be saved. */
void emergencies_tell(struct supervisor *sup);

#endif

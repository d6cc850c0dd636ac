/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery by whoever stands at the terminal (ADR 318): two starts by hand in a row, with the key
 * at the banner of both, and then one temporary password for one administrator, while every zone is
 * shut. It is recorded before anything of it happens, and an emergency (ADR 314) stands behind it.
 */
#ifndef SEKISHO_SUPERVISOR_RECOVERY_RECOVERY_H
#define SEKISHO_SUPERVISOR_RECOVERY_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/person.h"
#include "channel/recovery.h"

#define RECOVERY_KEY_MS   120000U /* from the supervisor's start on, the key counts */
#define RECOVERY_LIMIT_MS 900000U /* then it is over, whatever has come of it */
/* A name is taken so long before that: a password is saved, shown and written down in it. */
#define RECOVERY_LAST_MS   60000U
#define RECOVERY_REOPEN_MS 15000U /* zones that could not be opened again are tried again */

struct child;
struct supervisor;

/* What the first supervisor behind a start of the machine is told of it. */
enum machine_start {
	START_AGAIN = 0, /* the machine has not started, or nobody said so */
	START_BY_ITSELF,
	START_BY_HAND
};

enum recovery_state {
	RECOVERY_ASLEEP = 0, /* this start offers none, or it is over */
	RECOVERY_ARMED,      /* the key counts, at the console that is started first */
	RECOVERY_RECORDING,  /* audit is asked whether the record is on the disk */
	RECOVERY_ASKING,     /* zones are shut; accounts is asked for its seat */
	RECOVERY_RUNNING,    /* the person types a name, or reads the password */
	RECOVERY_NAMING,     /* audit is asked whether it is on the disk whose password it is */
	RECOVERY_GIVING_OUT  /* accounts saves it, or opens the doors */
};

struct recovery {
	enum recovery_state state;
	bool counted;    /* the start before was made by hand, with the key */
	bool offered;    /* a console was told to listen for the key */
	bool seated;     /* ... and to ask for a name */
	uint32_t pid;    /* of that console */
	uint64_t record; /* number of the question to audit; 0: nothing waits */
	uint32_t emergency;
	uint64_t until_ms; /* monotonic: it is over */
	bool may_give;     /* accounts was told to: it does not go back unless it says so */
	bool bitten;       /* the watchdog has: this start is its doing, as its driver tells */
	bool starved;      /* the watchdog, on purpose: the mark of process 1 is left */
	bool reopens;      /* it is over, and not all could be opened again yet */
	char name[24];     /* who gets a password, from NAMING on; empty: nobody */
	struct loop_timer timer;
};

/* count.c of it: the one file that a start leaves to the next. */

/**
 * recovery_count_take - read and erase what the start before has left
 * @state_fd: directory of the state, borrowed
 * @counted:  set to whether it was made by hand, with the key; a damaged file is none
 * Return: 0; -ERR_SYSTEM: it cannot be erased for good, so that nothing may follow from it.
 */
int recovery_count_take(int state_fd, bool *counted);
/* Leave it to the next start. Return: 0, or an error of file_replace: it is not left. */
int recovery_count_leave(int state_fd);
/* The watchdog is about to bite: erase the count, and leave process 1's mark of a start that was
 * not by hand. What fails here is no worse than a watchdog that does not tell. */
void recovery_count_void(int state_fd);
/* It is fed again: the mark goes, the count does not come back. */
void recovery_count_spare(int state_fd);

/* At each start of the supervisor: what was left is taken; if it is the first one behind a start of
 * the machine by hand, the key counts. */
void recovery_begin(struct supervisor *sup);
/* A console is started: whether it is to listen for the key. */
bool recovery_offers(struct supervisor *sup, const struct child *console);
int recovery_handle(struct channel *ch, void *ctx, const struct channel_message *message);
/* audit's answer. Nothing where nothing waits for it. */
void recovery_recorded(struct supervisor *sup, const struct control_recorded *answer);
/* audit has died: what waits is refused. */
void recovery_unrecorded(struct supervisor *sup);
/* A process has died: without its console, or without accounts, it is over. */
void recovery_child_died(struct supervisor *sup, const struct child *child);
/* Somebody has logged in, or the gateway stops: over. @why: of the record. */
void recovery_stop(struct supervisor *sup, const char *why);

#endif

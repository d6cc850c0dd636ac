/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Letting a person in: accounts tells the supervisor who sits at a console, the supervisor asks
 * audit whether the record of it is on the disk, and only then serves the console. The same way
 * goes the first administrator: accounts -> supervisor -> audit, and then -> config, which commits
 * it.
 */
#ifndef SEKISHO_CHANNEL_PERSON_H
#define SEKISHO_CHANNEL_PERSON_H

#include <stdint.h>

struct control_person {
	uint32_t console;
	uint32_t role;   /* enum account_role; none: the session is over */
	uint32_t pid;    /* of the console's process, as its link's GIVE said */
	char name[24];   /* NUL-terminated; empty: nobody in particular (no login is needed yet) */
	char hands[128]; /* NUL-terminated: who has issued the person's password, with who issued
			    theirs, while a change takes two persons; names with blanks between,
			    "*": any (ACCOUNT_HANDS_BYTES) */
};

/* Why a console is told to end. */
enum session_end {
	SESSION_END_GATEWAY,  /* the gateway stops */
	SESSION_END_PERSON,   /* accounts says that nobody sits there any more, and has said why */
	SESSION_END_ACCOUNTS, /* accounts has died: nobody is known any more */
	SESSION_END_UNRECORDED, /* the login cannot be recorded */
};

struct control_session_end {
	uint32_t why; /* enum session_end */
	uint32_t pad;
};

/* What config says of the configuration that a policy was compiled from (ADR 0317). */
struct control_policy {
	uint32_t chosen; /* its number, where persons chose it and nothing of it, or behind it, is
			    lost; 0: out of the box, the file given, or one before a damaged one */
	uint32_t saved;  /* number of the newest on the disk when it was sent; 0: none */
	uint32_t untouched; /* 1: no configuration of persons has ever been on this disk, as far as
			       what is left of it tells */
	char by[24];        /* NUL-terminated: who committed it; empty: nobody in particular, or
			       nobody */
};

#define EMERGENCY_TEXT_BYTES                                                                       \
	112 /* of a reason or comment, with NUL: as long as a question's argument */

struct emergency_person {
	char name[24];   /* NUL-terminated; empty: nobody in particular */
	char hands[128]; /* as in struct control_person */
};

/* A change that is made outside its hours; all NUL-terminated. */
struct control_emergency {
	uint32_t is;     /* 0: it is none, and the rest is not looked at */
	uint32_t number; /* of the configuration */
	struct emergency_person author, approver;
	char reason[EMERGENCY_TEXT_BYTES];
};

/* Is all that was said before this on the disk? */
struct control_record {
	uint64_t number; /* the asker's, comes back */
};

struct control_recorded {
	uint64_t number;
	uint32_t ok; /* 0: the log cannot be written */
	uint32_t pad;
};

/* The first administrator, whose password accounts saves behind the commit; all NUL-terminated. */
struct control_first {
	uint64_t number;   /* of accounts, comes back */
	uint32_t console;  /* where it was typed */
	uint32_t language; /* enum language */
	char name[24];
	char host[256], organization[256];
	char preset[24]; /* empty: none */
};

/* What became of it, on the same way back. */
struct control_first_done {
	uint64_t number;
	uint32_t ok; /* 0: it is not set up */
	uint32_t pad;
	char text[1024]; /* NUL-terminated lines for the person */
};

#endif

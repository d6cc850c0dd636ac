/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Letting a person in: accounts tells the supervisor who sits at a console, the supervisor asks
 * audit whether the record of it is on the disk, and only then serves the console.
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

#endif

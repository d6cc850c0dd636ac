/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sits at the consoles, and what these are served for it. */
#ifndef SEKISHO_SUPERVISOR_PERSONS_H
#define SEKISHO_SUPERVISOR_PERSONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "channel/person.h"

struct child;
struct supervisor;

/* A person whom accounts has admitted, and who is let in when audit has the record on the disk. */
struct person_wait {
	uint64_t number; /* of the question to audit; 0: nobody waits */
	uint32_t role;   /* enum account_role */
	char name[24], hands[128];
};

/* Whose console has died, and of whose end accounts has said nothing yet. */
struct person_gone {
	uint32_t pid; /* of the console */
	char name[24];
};

int console_handle_person(struct channel *ch, void *ctx, const struct channel_message *message);
/* audit's answer. */
int persons_handle_recorded(struct channel *ch, void *ctx, const struct channel_message *message);
/* Whether who sits at a console may ask this (enum query_kind). */
bool person_may(const struct child *console, uint32_t kind);
/* A console has died: accounts records how its session ended, unless it dies as well. */
void persons_console_died(const struct child *console);
/* accounts has died: nobody is known any more, every console begins anew, and the ends of sessions
 * that it has not told are recorded for it. */
void persons_forget(struct supervisor *sup);
/* first.c: the first administrator, on the way from accounts over audit to config and back. */

struct first_wait {
	uint64_t record; /* number of the question to audit; 0: nothing waits */
	struct control_first first;
};

int first_handle(struct channel *ch, void *ctx, const struct channel_message *message);
int first_handle_done(struct channel *ch, void *ctx, const struct channel_message *message);
/* audit's answer. Nothing where nothing waits for it. */
void first_recorded(struct supervisor *sup, const struct control_recorded *answer);
/* audit has died: what waits is refused. */
void first_unrecorded(struct supervisor *sup);

/* audit has died: nobody who waits is let in. */
void persons_unrecorded(struct supervisor *sup);

#endif

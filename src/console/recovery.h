/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lost password, at the terminal (ADR 318). */
#ifndef SEKISHO_CONSOLE_RECOVERY_H
#define SEKISHO_CONSOLE_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "channel/recovery.h"

#define RECOVERY_PAUSE_MS 500U /* around the key: nothing else comes */

struct console;

struct console_recovery {
	bool hears, asked;          /* the key at the banner; it was pressed */
	bool runs;                  /* nothing but the recovery is served */
	size_t burst_at, burst_end; /* in the input: what came without a pause */
	struct loop_timer pause;    /* runs out behind a burst */
};

/* At the banner, behind each event: what has come is listened to, and left where it is. */
void recovery_listen(struct console *c);
/* Whether what has come may still be the key, so that the banner stands a little longer. */
bool recovery_may_be_key(const struct console *c);
/* The person has done. */
void recovery_leave(struct console *c);
int recovery_take(struct console *c, const struct control_recovery *said);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialogue that sets up the first administrator. */
#ifndef SEKISHO_CONSOLE_FIRST_H
#define SEKISHO_CONSOLE_FIRST_H

#include <stdint.h>

#include "channel/account.h"

struct console;

/* Begin it, from the first question; what was answered before is offered again. */
void first_begin(struct console *c);
/* A key while a question of it is being answered. */
void first_key(struct console *c, uint8_t byte);
/* The password was typed, twice the same. */
void first_send(struct console *c, const char *password);
/* What became of it. */
void first_answered(struct console *c, const struct account_answer *answer);

#endif

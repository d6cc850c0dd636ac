/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may see screens: the users of the configuration's `screen-user` entries, with passwords of
 * their own (ADR 0704), under the same rules and locks as those of the consoles.
 */
#ifndef SEKISHO_ACCOUNTS_STAFF_H
#define SEKISHO_ACCOUNTS_STAFF_H

#include "accounts/desk.h"
#include "channel/admission.h"

/**
 * staff_judge - is this login to a screen good
 * @d:   for rules, directory, clock, events; without a policy nobody is let in
 * @ask: its texts end within their fields; the caller wipes it
 * Every refusal takes the work of a right one, and is recorded with its reason. What was counted is
 * saved before this returns.
 */
bool staff_judge(struct desk *d, const struct control_screen_ask *ask);

/**
 * staff_reset - a new password for a screen user, which the answer's text shows once
 * @console: whose person is an administrator
 * @name:    NUL-terminated
 */
void staff_reset(struct desk *d, uint32_t console, const char *name, struct account_answer *answer);

/* The screen users and the state of their passwords, one line each, as many as the answer holds. */
void staff_show(struct desk *d, uint32_t console, struct account_answer *answer);

#endif

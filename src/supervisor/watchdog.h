/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hardware watchdog that the supervisor feeds. */
#ifndef SEKISHO_SUPERVISOR_WATCHDOG_H
#define SEKISHO_SUPERVISOR_WATCHDOG_H

#include <stdbool.h>

struct supervisor;

/* Before the sandbox, which knows none of its requests. Return: 0, also where there is none;
 * -ERR_SYSTEM. */
int watchdog_open(struct supervisor *sup);
/* An orderly end: it is disarmed. */
void watchdog_close(struct supervisor *sup);
/* Whether this start of the machine is its doing, as far as its driver tells. */
bool watchdog_has_reset(const struct supervisor *sup);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reboot` and `shutdown` of the machine (ADR 812). */
#ifndef SEKISHO_SUPERVISOR_POWER_H
#define SEKISHO_SUPERVISOR_POWER_H

#include "supervisor/query/query.h"

/*
 * To QUERY_REBOOT and QUERY_SHUTDOWN: recorded with the person; when audit has it on the disk the
 * gateway ends in order, with a status of channel/machine.h. Refused on a machine that is not the
 * gateway's own (--own-machine), and where the record cannot be written. What was recorded and is
 * not done is followed by a record that says so, behind the first in the log.
 */
void answer_power(struct supervisor *sup, struct answer *answer);
/* From audit: the record is on the disk, or is not. */
void power_recorded(struct supervisor *sup, const struct control_recorded *recorded);
/* Audit has died before it said so. */
void power_unrecorded(struct supervisor *sup);
/* Whoever asked at @console does not wait any more (question @number): nothing is done. */
void power_withdraw(struct supervisor *sup, const struct child *console, uint32_t number);

#endif

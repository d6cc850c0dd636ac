/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery of an appliance whose administrators' passwords are lost (ADR 318), by the key at the
 * terminal's banner: console -> supervisor -> accounts, and the outcome back. The supervisor
 * decides whether, and when it is over; accounts gives the password; the console only asks. Each
 * message is CONTROL_RECOVERY, struct control_recovery.
 *
 *   console    KEY  -> S   COUNTED or REFUSED back; at the second start in a row:
 *   S          BEGIN -> accounts   READY, GIVING (of no name) or REFUSED back
 *   S          BEGIN -> console    from now on ACCOUNT_RECOVER is served (account.h)
 *   accounts   GIVING -> S  a name was typed: may its account have a temporary password? Of no
 * name:
 *                           there is no administrator; may the doors be opened?
 *   S          GIVE -> accounts    it is on the disk who gets it, and now nothing is in its way; or
 *                           REFUSED: nothing is changed
 *   accounts   GIVEN -> S   it is saved; REFUSED: it cannot be, the old one stays
 *   accounts   WRONG -> S   too many names were none
 *   console    LEFT -> S    the person has done
 *   S          OVER -> accounts, console
 *
 * accounts saves nothing before GIVE, and the supervisor sends none once it is over: OVER comes
 * first then, and closes the seat.
 */
#ifndef SEKISHO_CHANNEL_RECOVERY_H
#define SEKISHO_CHANNEL_RECOVERY_H

#include <stdint.h>

#define RECOVERY_TEXT_BYTES 96

enum recovery_step {
	RECOVERY_KEY = 1,
	RECOVERY_COUNTED,
	RECOVERY_REFUSED,
	RECOVERY_BEGIN,
	RECOVERY_READY,
	RECOVERY_GIVING,
	RECOVERY_GIVE,
	RECOVERY_GIVEN,
	RECOVERY_WRONG,
	RECOVERY_LEFT,
	RECOVERY_OVER
};

struct control_recovery {
	uint32_t step;                  /* enum recovery_step */
	uint32_t console;               /* which; not looked at in what a console sends */
	char name[24];                  /* GIVING: whose password; NUL-terminated */
	char text[RECOVERY_TEXT_BYTES]; /* to the console: why; NUL-terminated, fixed text */
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `zeroise` (L5, ADR 609): who may have the data device wiped, and the order to process 1, which
 * carries it out at the next start of the machine. Nothing here writes to the device itself.
 */
#ifndef SEKISHO_SUPERVISOR_ZEROISE_ZEROISE_H
#define SEKISHO_SUPERVISOR_ZEROISE_ZEROISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/account.h"
#include "channel/machine.h"
#include "channel/person.h"
#include "channel/query.h"

#define ZEROISE_CONFIRM_MS  10000U   /* between a password and the question, whichever is first */
#define ZEROISE_PROPOSAL_MS 1800000U /* for another administrator to log in and do the same */

struct answer;
struct child;
struct supervisor;

enum zeroise_state {
	ZEROISE_NONE = 0,
	ZEROISE_UNCONFIRMED, /* accounts has not said yet that the password was right */
	ZEROISE_RECORDING,   /* audit is asked whether the record is on the disk */
	ZEROISE_CERTIFYING,  /* audit sends it to the syslog servers, and signs */
	ZEROISE_LEFT         /* the order is on the disk: nothing takes it back */
};

struct zeroise {
	enum zeroise_state state;
	uint64_t number;            /* of the question to audit */
	struct control_query query; /* of who asked */
	uint32_t confirmed_pid;     /* of the console whose person typed the password; 0: none */
	char confirmed_person[ACCOUNT_NAME_BYTES];
	uint64_t confirmed_ms; /* monotonic */
	struct loop_timer timer;
	/* Under two-person: who asked first, with the reason that counts. */
	struct emergency_person author;
	uint64_t proposed_ms; /* monotonic; 0: nobody has */
	uint32_t proposal;    /* how many there have been */
	char reason[CONTROL_ARGUMENT_BYTES];
	char code[MACHINE_WIPE_CODE_BYTES];
};

/* Put the proposal that waits for its second person into the answer. Return: whether there is one.
 */
bool zeroise_show_proposed(struct supervisor *sup, struct answer *answer);
/* To QUERY_WIPE_PROPOSED: the same, and only this proposal can be approved there. */
void answer_wipe_proposed(struct supervisor *sup, struct answer *answer);
/* To QUERY_ZEROISE, whose argument is the reason. */
void answer_zeroise(struct supervisor *sup, struct answer *answer);
int zeroise_handle_confirmed(struct channel *ch, void *ctx, const struct channel_message *message);
int zeroise_handle_certified(struct channel *ch, void *ctx, const struct channel_message *message);
/* From audit: the record is on the disk, or is not. */
void zeroise_recorded(struct supervisor *sup, const struct control_recorded *recorded);
/* The gateway ends otherwise: what is under way is not done, and that is on record. */
void zeroise_stop(struct supervisor *sup);
/* Whether one has been asked for and not refused: the machine is ended in no other way then. */
bool zeroise_is_under_way(const struct supervisor *sup);
/* Audit has died: what waits for it is not done. */
void zeroise_unrecorded(struct supervisor *sup);
/* Whoever asked at @console does not wait any more (question @number): nothing is done. */
void zeroise_withdraw(struct supervisor *sup, const struct child *console, uint32_t number);

#endif

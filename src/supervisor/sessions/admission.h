/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks at a screen, and at which desktop: nothing of a desktop is reached before somebody was
 * admitted. Names and passwords pass through unread, between screen-viewer and accounts.
 */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_ADMISSION_H
#define SEKISHO_SUPERVISOR_SESSIONS_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/account.h"
#include "channel/screen.h"
#include "policy/snapshot.h"

/* Refusals are told at multiples of this behind the request, so that how long it took to find their
 * reason does not show. */
#define ADMISSION_DELAY_MS 2000U
#define ADMISSION_CHECK_MS 2000U /* how often hours and last days of a session are looked at */

struct supervisor;
struct session;
struct child;

enum admission_state {
	ADMISSION_OPEN,    /* nobody has said who he is */
	ADMISSION_WAITING, /* until accounts has judged others */
	ADMISSION_ASKED,   /* of accounts */
	ADMISSION_NOTED,   /* a shadow, until the log has it on the disk */
	ADMISSION_REFUSED,
	ADMISSION_GRANTED
};

/* Of a screen session. */
struct admission {
	struct supervisor *sup;
	enum admission_state state;
	uint32_t security;                  /* enum screen_security, as the session began */
	char tls_slot[SNAPSHOT_NAME_BYTES]; /* likewise: the keys that it was given */
	char authority_slot[SNAPSHOT_NAME_BYTES];
	char user[ACCOUNT_NAME_BYTES];     /* who looks; empty: nobody in particular */
	char secret[ACCOUNT_SECRET_BYTES]; /* what was typed, until accounts has it */
	uint64_t asked_ms;                 /* when somebody asked to be let in */
	struct loop_timer refusal;         /* is told then */
	struct loop_timer check;
};

/* A session begins; without security it is admitted at once. Of no effect for mail. Return: false
 * where it has no desktop. */
bool admission_begin(struct session *session, struct supervisor *sup);
/* It has ended. */
void admission_release(struct session *session);

/* Whether a viewer may connect at all now. Return: NULL, or why not. */
const char *admission_closed(const struct snapshot *s, uint32_t screen);

/**
 * admission_judge - whether @s and the hour let an admitted or waiting session go on
 * @session: its index is that of its entry in @s
 * Return: SCREEN_END_NONE_, or why it has to end: its hours, its user, or the policy.
 */
enum screen_end admission_judge(const struct session *session, const struct snapshot *s);

/* screen-viewer brings a name and a password; accounts has judged one. */
int admission_handle_login(struct channel *ch, void *ctx, const struct channel_message *message);
int admission_handle_verdict(struct channel *ch, void *ctx, const struct channel_message *message);

/* audit has said whether the record of a shadow is on the disk. Nothing for a session that does not
 * wait for that any more. */
void admission_noted(struct session *session, bool ok);

/* accounts has died: whoever asked or waits is refused. */
void admission_forget(struct supervisor *sup);

/* Who looks, for a record: what somebody typed as a name only where it is one of ours. */
const char *admission_user(const struct session *session);

/* Both halves end in order and record why; what has not ended in time is killed. */
void admission_end(struct session *session, enum screen_end reason);

#endif

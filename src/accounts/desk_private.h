/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the desk's files share: persons (person.c), seats (desk.c), requests (serve.c, factor.c). */
#ifndef SEKISHO_ACCOUNTS_DESK_PRIVATE_H
#define SEKISHO_ACCOUNTS_DESK_PRIVATE_H

#include "accounts/desk.h"

/* Record an event. Return: false where it found no room, so that nothing may follow from it. */
#define desk_tell(d, id, ...)                                                                      \
	(d)->owner.event((d)->owner.ctx, (id), (const struct event_arg[]){__VA_ARGS__},            \
			 sizeof((const struct event_arg[]){__VA_ARGS__}) /                         \
				 sizeof(struct event_arg))

/* person.c */

int64_t desk_now_s(const struct desk *d);
/* Return: the person of the running policy with that name, or NULL. */
const struct snapshot_person *desk_find_person(const struct desk *d, const char *name);
/* What a person (may be NULL) may be today; ACCOUNT_ROLE_NONE: may not log in. */
enum account_role desk_role_of(const struct desk *d, const struct snapshot_person *person);
/* Whether no administrator of the running policy has a password. A damaged account counts as one
 * that has. */
bool desk_nobody_can(const struct desk *d);
/* Whether consoles are open to everybody: what was lost must not open what was closed. */
bool desk_is_open(const struct desk *d);
/* Whether a person is an administrator, and no other administrator could log in now. */
bool desk_is_alone(const struct desk *d, const struct snapshot_person *person);
/* A new policy's persons: what is on disk of their days that were seen over. */
void desk_load_latches(struct desk *d);
/* A last day that is over stays over, wherever the clock is set to later. */
void desk_latch_ends(struct desk *d);
/* Return: 0, or the error of keep_save, which is an event. */
int desk_save(struct desk *d, const struct account *account);

/* desk.c */

/* The session begins; the supervisor is told. */
void desk_seat_open(struct desk *d, uint32_t console, enum account_role role, const char *name,
		    const char *hands);
/* Whoever sits there is gone; the end of a session is recorded. */
void desk_seat_close(struct desk *d, uint32_t console, const char *why);
/* The session ends, and the person reads @text. */
void desk_seat_end(struct desk *d, uint32_t console, const char *why, const char *text);
/* The same, in the language of the seat. */
void desk_show_out(struct desk *d, uint32_t console, const char *why, const char *en,
		   const char *ja);

/* serve.c */

/* Answer with ACCOUNT_REFUSED and a line in the language of the person. */
void desk_refuse(struct account_answer *answer, enum language language, const char *en,
		 const char *ja);
/*
 * The password, and the code where there is one, were right and may be used: the session begins, if
 * it may. What cannot be saved or recorded does not begin.
 */
void desk_begin(struct desk *d, uint32_t console, struct account *account, enum account_role role,
		struct account_answer *answer);

/* factor.c */

/* Whether anybody at a console may have to give a code: then everybody is asked for one. */
bool factor_is_asked(const struct desk *d);
/* Whether a person has to enrol a second factor before anything else. */
bool factor_is_missing(const struct desk *d, const struct account *account);
/* A login goes on only with a second factor: the answer shows one, the seat is SEAT_ENROL. */
void factor_demand(struct desk *d, uint32_t console, const struct account *account,
		   enum account_role role, struct account_answer *answer);
/* ACCOUNT_TOTP and its like, of whoever sits there. */
void factor_request(struct desk *d, uint32_t console, const struct account_request *request,
		    struct account_answer *answer);

#endif

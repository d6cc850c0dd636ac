/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the desk's files share: persons (person.c), seats (desk.c), requests (serve.c, factor.c,
 * first.c).
 */
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
/* The same by name; an administrator, too, who hands over. */
enum account_role desk_role_of_name(const struct desk *d, const char *name);
/* Whether somebody of that name may have an account here. */
bool desk_is_known(const struct desk *d, const char *name);
/* Whether no administrator of the running policy has a password that counts. A damaged account
 * counts as one that has. */
bool desk_nobody_can(const struct desk *d);
/* Whether a person is an administrator, and no other administrator could log in now. */
bool desk_is_alone(const struct desk *d, const struct snapshot_person *person);
/* A new policy's persons: what is on disk of their days that were seen over. */
void desk_load_latches(struct desk *d);
/* A last day that is over stays over, wherever the clock is set to later. Return: whether one has
 * just ended. */
bool desk_latch_ends(struct desk *d);
/* What earlier desks have seen of the clock; where that is lost, every password is as old as can
 * be. Return: 0 or -ERR_SYSTEM (no random numbers). */
int desk_load_era(struct desk *d);
/* A clock that was set back by more than ACCOUNT_CLOCK_SLOP_S makes no password young again: one
 * small file is saved, whatever the number of accounts (ADR 0309). */
void desk_watch_clock(struct desk *d);
/* As keep_load; and the account, whose password is to be tried or set, learns of the clock what it
 * has missed. */
int desk_load(const struct desk *d, struct account *account);
/* Return: 0, or the error of keep_save, which is an event. */
int desk_save(struct desk *d, const struct account *account);

/* doors.c */

/* Whether a login is asked for: an administrator has had a password since persons last chose a
 * configuration without any. */
bool desk_is_closed(const struct desk *d);
/* Whether there is no administrator yet, so that a terminal asks for the first one and a socket is
 * open: what was lost must not open what was closed. */
bool desk_is_open(const struct desk *d);
/* With the first policy: a gateway that nobody has used yet has open doors, and notes that. */
void desk_begin_doors(struct desk *d);
/*
 * Whether a person, as an administrator in full right, has committed the running policy, which
 * knows the person no more and names administrators of whom none has chosen a password yet: until
 * one has, the person may log in and give it.
 */
bool desk_hands_over(const struct desk *d, const char *name);
/* Whether there is such a person. */
bool desk_is_handing_over(const struct desk *d);
/* Note who could hand over from now on, and behind which configuration; where an administrator has
 * chosen a password, the doors close. What cannot be saved holds in memory. @saved: that number. */
void desk_follow_doors(struct desk *d, uint32_t saved);
/* The same with a new policy. */
void desk_follow_policy(struct desk *d);
/* Save what could not be saved before. */
void desk_keep_doors(struct desk *d);
/* Before the policy of @next: whether the present one has opened the doors, and is on the disk. */
bool desk_has_opened(const struct desk *d, const struct control_policy *next);
/* Then they stay open, where persons come without a password, until somebody has one. */
void desk_stay_open(struct desk *d);
/* From now on each session needs a login, whatever is lost later; nobody is awaited. Return: 0, or
 * the error of keep_save_doors: then nothing is changed. */
int desk_close_doors(struct desk *d);
/* Open again, behind a recovery of a gateway whose policy names no administrator (ADR 318). Return:
 * the same. */
int desk_open_doors(struct desk *d);
/* While they are open: the first administrator is being set up. Return: the same. */
int desk_await_first(struct desk *d, const char *name);

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

/* seats.c */

/* A line for each console into the answer: who is there, in which role, since when; @asker's is
 * marked. */
void desk_show_seats(const struct desk *d, uint32_t asker, struct account_answer *answer);

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

/* Judge and set a new password, not saved yet; neither the account's name, @host nor @organization
 * may stand in it. The answer says what is wrong. Return: whether it was set; ACCOUNT_STALE in the
 * answer: another one would be. */
bool desk_choose_password(const struct desk *d, uint32_t console, struct account *account,
			  const char *fresh, const char *host, const char *organization,
			  struct account_answer *answer);
/* Save and record it. Return: false, and the answer says so, where the old one stays. */
bool desk_save_password(struct desk *d, uint32_t console, const struct account *account,
			struct account_answer *answer);
/*
 * Make and save a temporary password. @by: whose hands it goes through (ADR 0311); NULL: nobody
 * knows whose, and with the old one goes the second factor. Return: 0; 1: such a factor went; an
 * error: then the old ones stay.
 */
int desk_reset_password(struct desk *d, const struct seat *by, const struct snapshot_person *person,
			char fresh[PASSWORD_TEMPORARY_BYTES]);
/* Whoever is half way in with a password that is void now is shown out. */
void desk_end_stale(struct desk *d, const char *name);
/* A name that somebody typed is recorded only where it is one of ours: it may be a password. */
const char *desk_name_for_record(const struct desk *d, const char *name);

/* recovery.c */

/* ACCOUNT_RECOVER. Return: as desk_request. */
bool desk_recover(struct desk *d, uint32_t console, const struct account_request *request,
		  struct account_answer *answer);

/* first.c */

/* Nobody waits for a first administrator any more: its password is gone. */
void desk_first_forget(struct desk *d);

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

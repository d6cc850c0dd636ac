/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One person's account: what is kept of it, and what follows from an attempt to log in. Pure: the
 * time and the outcome of the comparison come from outside, the result is the caller's to save.
 * All times are seconds since 1970; 0 is never.
 */
#ifndef SEKISHO_ACCOUNTS_ACCOUNT_H
#define SEKISHO_ACCOUNTS_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "accounts/password.h"
#include "accounts/totp.h"
#include "base/buf.h"
#include "channel/account.h"

#define ACCOUNT_TEMPORARY_S  (3 * 86400) /* within which a temporary password must be changed */
#define ACCOUNT_LOCK_MOST_S  86400
#define ACCOUNT_ALONE_LOCK_S 10           /* of the only administrator: the first lock */
#define ACCOUNT_ALONE_MOST_S 120          /* ... doubles up to this (ADR 0309) */
#define ACCOUNT_USED_BYTES   (256U << 10) /* of all earlier passwords' hashes: some 2,500 */
#define ACCOUNT_CLOCK_SLOP_S 86400 /* so far behind its own records a clock was stepped back */

struct account_rules {
	int64_t age_s, administrator_age_s; /* of a password (A1, A2); 0: no limit */
	uint32_t logins_max;                /* with one password (A2); 0: no limit */
	uint32_t length_min;
	uint32_t attempts; /* wrong ones in a row before the account is locked (A3) */
	int64_t lock_s;    /* first time; doubles up to ACCOUNT_LOCK_MOST_S */
	uint32_t idle_s, session_s;
	bool totp_required; /* whoever has no second factor must enrol one first (A9) */
};

struct account {
	char name[ACCOUNT_NAME_BYTES];
	bool screen; /* of a screen user: kept apart from the consoles' persons */
	char hash[PASSWORD_HASH_BYTES]; /* empty: nobody can log in */
	bool temporary;
	int64_t set_s;     /* when the password was set */
	int64_t seen_s;    /* the latest time that was seen since */
	int64_t era;       /* whose clock @seen_s knows of: struct keep_era */
	uint32_t logins;   /* with it */
	uint32_t failures; /* in a row */
	uint32_t locks;    /* in a row */
	int64_t locked_until_s;
	int64_t last_login_s, last_logout_s, last_failure_s;
	uint32_t failures_since;         /* the last login */
	int64_t expired_s, stood_in_s;   /* the ends of such days that were seen over */
	char hands[ACCOUNT_HANDS_BYTES]; /* as in struct control_person */
	char totp[TOTP_SECRET_BYTES];    /* of the second factor; empty: there is none */
	int64_t totp_used;               /* the last step whose code was accepted */
	bool enrol; /* a second factor was lost with the password: one comes before anything else */
	char setting[PASSWORD_SETTING_BYTES]; /* that earlier passwords are hashed with */
	struct bytes used;                    /* their hashes, a line each */
};

void account_init(struct account *a, const char *name);
void account_fini(struct account *a);

enum account_verdict {
	ACCOUNT_ADMIT,
	ACCOUNT_STALE_TEMPORARY, /* admitted to change the password, nothing else */
	ACCOUNT_STALE_AGE,
	ACCOUNT_STALE_LOGINS,
	ACCOUNT_DENY_PASSWORD,
	ACCOUNT_DENY_CODE,
	ACCOUNT_DENY_LOCKED,
	ACCOUNT_DENY_OVER, /* a temporary password that was not used in time */
	ACCOUNT_VERDICT_COUNT_
};

/* For an event; a person who was denied is told nothing of it. */
const char *account_verdict_text(enum account_verdict verdict);

/**
 * account_attempt - somebody has given a name, a password and, where the account has one, a code
 * @matches: the password is the account's
 * @code:    of the second factor, NUL-terminated; NULL: none is asked for
 * @alone:   the person is an administrator, and no other one could log in: is never kept out for
 *	     longer than ACCOUNT_ALONE_MOST_S, nor by the age of a temporary password
 * Changes the account's counters, which must be saved before the verdict is told. A code counts as
 * used only where the password was right too.
 */
enum account_verdict account_attempt(struct account *a, const struct account_rules *rules,
				     enum account_role role, bool matches, const char *code,
				     bool alone, int64_t now_s);

/* Whether the password is a temporary one that was not used in time. */
bool account_is_over(const struct account *a, int64_t now_s);

/* The clock has shown this time: behind it the password grows no younger (ADR 0309). */
void account_see(struct account *a, int64_t now_s);

/* The session begins: counts start anew. What was before is for the welcome. */
void account_begin(struct account *a, int64_t now_s);
void account_end(struct account *a, int64_t now_s);

/**
 * account_set - a new password, which the rules have let pass
 * @temporary: made by us, to be changed at the first login
 * Return: 0; -ERR_EXISTS it was used before; -ERR_SYSTEM; -ERR_NO_MEMORY, -ERR_TOO_LONG. Changes
 * nothing unless 0.
 */
int account_set(struct account *a, const char *password, bool temporary, int64_t now_s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts on disk: one file each in the directory of accounts, "user.NAME" or, for a user of
 * screens, "screen.NAME"; "era", what was seen of the clock; and "closed", the doors. The first
 * line holds the SHA-256 of all that follows; a file whose bytes do not fit it is an account that
 * nobody can log in to. Written beside the old one and renamed: a power cut leaves one of the two,
 * whole.
 */
#ifndef SEKISHO_ACCOUNTS_KEEP_H
#define SEKISHO_ACCOUNTS_KEEP_H

#include "accounts/account.h"
#include "policy/snapshot.h"

/*
 * Each time that the clock is seen to be set back an era ends. An account that was last looked at
 * in another one than the present has seen @seen_s.
 */
struct keep_era {
	int64_t number; /* random; 0: the clock was never set back */
	int64_t seen_s; /* the latest time of all eras that are over */
};

/* Each name with a blank behind it. */
#define KEEP_NAMES_BYTES (SNAPSHOT_PERSONS_MAX * ACCOUNT_NAME_BYTES + 1)

/* Whether a login is asked for. */
struct keep_doors {
	bool closed;                      /* an administrator has had a password */
	char awaited[ACCOUNT_NAME_BYTES]; /* the first administrator that is being set up, or empty:
					     until the doors are closed no password of that name
					     counts */
	uint32_t saved; /* number of a configuration that was on the disk when a later one, or the
			   same, named persons (ADR 0317) */
	char administrators[KEEP_NAMES_BYTES]; /* who have chosen a password, of the last policy
						  where anybody had */
};

/**
 * keep_load - read one account
 * @dir: borrowed
 * @a:   of account_init, with its name; filled in
 * Return: 0; -ERR_NOT_FOUND; -ERR_INTEGRITY; -ERR_SYSTEM; -ERR_NO_MEMORY. Unless 0 it stays without
 * a password.
 */
int keep_load(int dir, struct account *a);

/**
 * keep_load_doors - read the doors
 * Those that are missing, damaged or cannot be read are closed, behind every configuration.
 * Return: 0; -ERR_NOT_FOUND; -ERR_INTEGRITY; -ERR_SYSTEM; -ERR_NO_MEMORY; -ERR_TOO_LONG.
 */
int keep_load_doors(int dir, struct keep_doors *doors);

/* Return: whether there is no account on the disk, whole or damaged; false where it cannot be seen.
 */
bool keep_has_nobody(int dir);

/* Return: 0, or -ERR_NO_SPACE, -ERR_SYSTEM, -ERR_NO_MEMORY: then the old ones stand. */
int keep_save_doors(int dir, const struct keep_doors *doors);

/* Return: 0, or -ERR_NO_SPACE, -ERR_SYSTEM, -ERR_NO_MEMORY: then the old one stands. */
int keep_save(int dir, const struct account *a);

/**
 * keep_load_era - read the present era
 * Return: 0; -ERR_NOT_FOUND, the clock was never set back; -ERR_INTEGRITY; -ERR_SYSTEM;
 * -ERR_NO_MEMORY, -ERR_TOO_LONG. Unless 0 @era is as it was.
 */
int keep_load_era(int dir, struct keep_era *era);

/* Return: 0, or -ERR_NO_SPACE, -ERR_SYSTEM: then the old one stands. */
int keep_save_era(int dir, const struct keep_era *era);

#endif

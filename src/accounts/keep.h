/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts on disk: one file each in the directory of accounts, "user.NAME" or, for a user of
 * screens, "screen.NAME". The first line holds the SHA-256 of all that follows; a file whose bytes
 * do not fit it is an account that nobody can log in to. Written beside the old one and renamed: a
 * power cut leaves one of the two, whole.
 */
#ifndef SEKISHO_ACCOUNTS_KEEP_H
#define SEKISHO_ACCOUNTS_KEEP_H

#include "accounts/account.h"

/**
 * keep_load - read one account
 * @dir: borrowed
 * @a:   of account_init, with its name; filled in
 * Return: 0; -ERR_NOT_FOUND; -ERR_INTEGRITY; -ERR_SYSTEM; -ERR_NO_MEMORY. Unless 0 it stays without
 * a password.
 */
int keep_load(int dir, struct account *a);

/**
 * keep_is_closed - whether an administrator ever had a password since consoles were last opened on
 * purpose
 */
bool keep_is_closed(int dir);
/* Note that one has, or that consoles were opened on purpose. Return: 0; -ERR_NO_SPACE;
 * -ERR_SYSTEM. */
int keep_close(int dir, bool closed);

/* Return: 0, or -ERR_NO_SPACE, -ERR_SYSTEM, -ERR_NO_MEMORY: then the old one stands. */
int keep_save(int dir, const struct account *a);

#endif

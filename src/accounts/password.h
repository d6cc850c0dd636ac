/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords: what a new one must be like (A1), how one is kept (A8), and temporary ones (A2). */
#ifndef SEKISHO_ACCOUNTS_PASSWORD_H
#define SEKISHO_ACCOUNTS_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH_BYTES      128 /* of a yescrypt hash, crypt(5), with NUL */
#define PASSWORD_SETTING_BYTES   64  /* of its method, cost and salt, with NUL */
#define PASSWORD_LENGTH_MIN      8   /* the lowest limit that can be configured */
#define PASSWORD_LENGTH_MAX      128 /* octets */
#define PASSWORD_TEMPORARY_BYTES 20  /* "xxxx-xxxx-xxxx-xxxx" and a NUL: 80 random bits */

enum password_defect {
	PASSWORD_FINE,
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_LONG,
	PASSWORD_CONTROL,    /* a control character, or not UTF-8 */
	PASSWORD_TOO_SIMPLE, /* fewer than three kinds of characters, and not PASSWORD_PHRASE long
			      */
	PASSWORD_NAMES,      /* a name of the person, the host or the owner stands in it */
	PASSWORD_REPEATS,    /* a short piece over and over, or a run such as abcdef or 98765 */
	PASSWORD_GUESSABLE,  /* a common word or a name under decorations: guessable.h */
	PASSWORD_USED,       /* it was used before */
	PASSWORD_DEFECT_COUNT_
};

#define PASSWORD_PHRASE 20 /* characters from which on the kinds do not matter */

/* Fixed texts, English and Japanese. */
const char *password_defect_text(enum password_defect defect, bool japanese);

/**
 * password_judge - is a new password hard enough to guess
 * @password:    NUL-terminated
 * @length_min:  characters, at least PASSWORD_LENGTH_MIN
 * @names:       @name_count names that must not stand in it, in any case; those of fewer than three
 *               characters are not looked for
 */
enum password_defect password_judge(const char *password, unsigned length_min,
				    const char *const *names, size_t name_count);

/* A new method, cost and salt. Return: 0 or -ERR_SYSTEM. */
int password_setting(char setting[PASSWORD_SETTING_BYTES]);

/**
 * password_hash - crypt(3) with yescrypt
 * @setting: of password_setting, or a hash made with it
 * Takes some 10 ms and 4 MiB. Return: 0 or -ERR_SYSTEM.
 */
int password_hash(const char *password, const char *setting, char hash[PASSWORD_HASH_BYTES]);

/* Whether it is the one; in a time that does not tell how much of it was right. */
bool password_matches(const char *password, const char *hash);

/* Make a temporary password; small letters and digits that are not mistaken for others. Return: 0
 * or -ERR_SYSTEM. */
int password_temporary(char out[PASSWORD_TEMPORARY_BYTES]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords that are a common word under the usual decorations (A1). */
#ifndef SEKISHO_ACCOUNTS_GUESSABLE_H
#define SEKISHO_ACCOUNTS_GUESSABLE_H

#include <stdbool.h>
#include <stddef.h>

#define GUESSABLE_LETTERS_LEAST 6 /* that must be left besides such words */
#define GUESSABLE_ROOT_SHORTEST 4 /* of a name that is looked for: letters, a kanji counts two */

/**
 * guessable - is it little more than common words and these names
 * Capitals, digits and signs that stand for letters (P@ssw0rd), and digits, years and signs around
 * and between are seen through: what counts is how many letters are left besides those words.
 * @password: NUL-terminated UTF-8; each character beyond ASCII counts as a letter
 * @names:    @name_count further words; their parts between blanks and signs are looked for too
 */
bool guessable(const char *password, const char *const *names, size_t name_count);

#endif

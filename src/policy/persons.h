/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two accounts may be one person's (C1). */
#ifndef SEKISHO_POLICY_PERSONS_H
#define SEKISHO_POLICY_PERSONS_H

#include <stdbool.h>

/**
 * persons_may_be_one - whoever issues a password can log in with it: may these be one person?
 * @a, @b:             names of accounts; an empty one is nobody's, and may be anybody
 * @a_hands, @b_hands: who issued their passwords, and who issued theirs: names with blanks between;
 *                     a "*" among them: nobody knows who
 * Return: true where the names are the same, one has issued the other's password, or somebody
 * those of both.
 */
bool persons_may_be_one(const char *a, const char *a_hands, const char *b, const char *b_hands);

#endif

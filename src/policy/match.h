/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of statements, shortened as far as they stay unique. */
#ifndef SEKISHO_POLICY_MATCH_H
#define SEKISHO_POLICY_MATCH_H

#include "policy/lex.h"

/**
 * match_child - the child of @parent that @word names or is short for; the whole name always wins
 * Return: 0; -ERR_NOT_FOUND; -ERR_EXISTS where it is short for more than one.
 */
int match_child(enum schema_id *out, enum schema_id parent, const struct word *word);

#endif

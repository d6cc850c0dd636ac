/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wording of other processes' answers in the language of who reads them. */
#ifndef SEKISHO_CONSOLE_WORDING_H
#define SEKISHO_CONSOLE_WORDING_H

#include "policy/schema.h"

/* A heading of a table, as the owner of the answer wrote it. Return: what to show; @en where there
 * is no other. */
const char *wording_heading(const char *en, enum language language);

/* Why there is no answer. Return: the same. */
const char *wording_refusal(const char *en, enum language language);

#endif

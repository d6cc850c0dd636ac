/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict of the arbiter's code, in the words of `sekisho trace` and `sekisho replay`. */
#ifndef SEKISHO_TOOLS_VERDICT_H
#define SEKISHO_TOOLS_VERDICT_H

#include <stdbool.h>

#include "arbiter/judge.h"

/**
 * verdict_permits - whether the flow gets through: by a permit, or to a socket of the gateway's own
 * @headers: of the question that @v answers
 */
bool verdict_permits(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		     struct ip_headers *headers);

/* Print it on stdout, one line. */
void verdict_print(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		   struct ip_headers *headers);

/* The index of a zone; false: there is none of that name. */
bool verdict_zone(const struct snapshot *s, const char *name, uint32_t *zone);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a flow, sockets of the gateway's own included: a verdict is about crossing only.
 */
#ifndef SEKISHO_ARBITER_OUTCOME_H
#define SEKISHO_ARBITER_OUTCOME_H

#include <stdbool.h>

#include "arbiter/judge.h"
#include "policy/sockets.h"

/**
 * outcome_listener - the gateway's own socket in the zone @from that a flow leads to
 * @found: set where there is one
 * Return: whether there is.
 */
bool outcome_listener(const struct snapshot *s, uint32_t from, const struct ip_headers *headers,
		      struct policy_listener *found);

/**
 * outcome_permits - whether the flow gets through: by a permit, or to a socket of the gateway's own
 * @headers: of the question that @v answers
 */
bool outcome_permits(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		     const struct ip_headers *headers);

/* The index of a zone; false: there is none of that name. */
bool outcome_find_zone(const struct snapshot *s, const char *name, uint32_t *zone);

#endif

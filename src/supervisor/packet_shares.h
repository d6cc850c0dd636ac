/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets divided into shares (ADR 414): beside the first netfilter and the first arbiter, which
 * are always there, one more of each for every further share, under its number as index.
 */
#ifndef SEKISHO_SUPERVISOR_PACKET_SHARES_H
#define SEKISHO_SUPERVISOR_PACKET_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/control.h"

struct child;
struct policy_run;
struct supervisor;

/* How many shares a policy has; 1 where there is none. */
uint32_t packet_shares_of(const struct policy_run *run);

/* Start what @count shares need and is not there. What cannot be started is not ready, and a commit
 * that waits for it fails. */
void packet_shares_begin(struct supervisor *sup, uint32_t count);
/* End what more than @count shares had: that is no fault of theirs. */
void packet_shares_end(struct supervisor *sup, uint32_t count);

/* ---- who takes part in a commit: audit, and netfilter and arbiter of each share */

/* Calls @each for every holder of a policy with @count shares; NULL for one that is not there. */
void packet_shares_each_holder(struct supervisor *sup, uint32_t count,
			       void (*each)(void *ctx, struct child *child, uint32_t bit),
			       void *ctx);
/* The holder's bit in a mask; 0: the process is none. */
uint32_t packet_shares_bit(const struct child *child);

#endif

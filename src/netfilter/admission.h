/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one more flow fits into the limits of its permit (ADR 413). The arbiter has permitted it;
 * here it is counted, by what the kernel's connection tracking knows.
 */
#ifndef SEKISHO_NETFILTER_ADMISSION_H
#define SEKISHO_NETFILTER_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/packet.h"

/* What may go into counting flows again because a permit is full: a tenth of the time of this
 * process, of which some is saved up. */
#define ADMISSION_PART    10
#define ADMISSION_SAVE_MS 100

struct limit;
struct netfilter;
struct zone;

/**
 * admission_mark - the mark that a verdict has under the limits of its permit
 * @zone:   whose queue the packet waits in
 * @id:     the packet's number, for the answer to the arbiter
 * @origin: as queue_out_take gives it
 * Return: @mark; that of a denial where the packet would begin a flow over a limit.
 */
uint32_t admission_mark(struct zone *zone, uint32_t id, uint32_t mark, uint8_t origin);

/* Whether a verdict is of a permit that has a limit. */
bool admission_is_limited(const struct netfilter *nf, uint32_t mark);

/* What was just counted begins by verdicts that another share gives: on the way until it says. */
void admission_hold(struct netfilter *nf, uint32_t share);
/* The kernel has the verdicts of flows by these permits. */
void admission_sent_by(struct netfilter *nf, uint32_t share, const uint32_t *permits,
		       uint32_t count);
/* Nothing of a share is on its way any more. */
void admission_release(struct netfilter *nf, uint32_t share);

/* The kernel has the verdicts: the arbiter hears what became of those whose permit has a limit. */
void admission_sent(struct zone *zone, enum packet_purpose purpose);

/* A new policy runs: its limits begin with the flows that there are. Before flows are judged ahead,
 * which takes the socket. */
void admission_count_all(struct netfilter *nf);

/* A running flow got this mark without a packet, in place of @before: it may have another permit.
 */
void admission_moved(struct netfilter *nf, uint32_t before, uint32_t mark);

/* The limit that a flow with this mark counts for; NULL: none. @known: whether it is known what the
 * mark meant. */
struct limit *admission_limit(const struct netfilter *nf, uint32_t mark, bool *known);

/* How much of a permit's limits is in use: @use has epoch and permit, and receives the rest. */
void admission_use(struct netfilter *nf, struct packet_use *use);

#endif

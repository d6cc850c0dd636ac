/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was seen of the clauses of the security policies (L6): the log's events, counted. */
#ifndef SEKISHO_AUDIT_SEEN_H
#define SEKISHO_AUDIT_SEEN_H

#include "audit/store.h"
#include "base/buf.h"
#include "base/event.h"
#include "base/sha256.h"
#include "channel/query.h"

#define SEEN_TIME_BYTES 33 /* of a record, as the log writes it, with NUL */

struct seen_event {
	uint64_t records;
	uint64_t count; /* what the records say they stand for: at least one each */
	char last[SEEN_TIME_BYTES];
};

struct seen {
	struct seen_event events[EVENT_COUNT_];
	uint64_t first, last; /* numbers of the records that were counted; 0: none */
	char since[SEEN_TIME_BYTES];
	char now[SEEN_TIME_BYTES];     /* of the newest record */
	char changed[SEEN_TIME_BYTES]; /* when another configuration was asked for; empty: not seen
					*/
	char policy[SHA256_HEX_BYTES]; /* its hash */
};

/* Count a record of the log; what is none is passed over. @ctx: struct seen. Return: 0. */
int seen_take(void *ctx, struct span line);

/**
 * seen_write - a line for each event that was seen, then one for each drill that the policies ask
 * for
 * @clause: "Z1": only what is recorded for it, or is a drill of it; empty: all
 * Return: 0 or an error of @out.
 */
int seen_write(const struct seen *s, const char *clause, bool japanese, struct bytes *out);

/* As answer_print_fn, over the newest files of the log, as many as evidence has. The query's
 * argument is "en" or "ja", then a blank and a clause where only that one is wanted. @ctx: the
 * store. */
const char *seen_print(void *ctx, const struct control_query *query, struct bytes *out);

#endif

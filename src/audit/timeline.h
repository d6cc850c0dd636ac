/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of an incident (C7): the records of the log that tell it, a line each, in the order
 * of their numbers. The number is that of the record, so that whoever reads it finds the record in
 * an exported log that verify-log has found whole.
 */
#ifndef SEKISHO_AUDIT_TIMELINE_H
#define SEKISHO_AUDIT_TIMELINE_H

#include <stdbool.h>

#include "audit/store.h"
#include "base/buf.h"
#include "channel/query.h"

#define TIMELINE_SINCE_BYTES 20       /* "2026-11-22T18:00:00" with NUL */
#define TIMELINE_CUT_US      10000000 /* what ends so soon after an isolation has ended by it */
#define TIMELINE_DIFFERS_MAX 64       /* zones and paths; past them each record is told */
#define TIMELINE_ABOUT_BYTES 64

struct timeline {
	bool japanese;
	char since[TIMELINE_SINCE_BYTES]; /* how times in the log begin; empty: from its beginning
					   */
	uint64_t cut_us;                  /* monotonic, of the last isolation, 0: none */
	/* What the kernel has otherwise than the policy asks for, by the records up to now. */
	char differs[TIMELINE_DIFFERS_MAX][TIMELINE_ABOUT_BYTES];
	size_t differ_count;
	bool differs_more; /* than there is room for, since the gateway started */
	struct bytes *out; /* borrowed */
};

/**
 * timeline_init - read what is asked for
 * @argument: "en" or "ja", then "since TIME" where not all of it is wanted; TIME is a date, with
 * hour, minute and second as far as wanted, written as the log writes it
 * Return: 0 or -ERR_SYNTAX.
 */
int timeline_init(struct timeline *t, const char *argument, struct bytes *out);

/* Write a line for a record of the log, if it belongs to the course. What is no record is passed
 * over. Return: 0 or an error of the output. */
int timeline_take(struct timeline *t, struct span line);

/* As answer_print_fn: the newest files of the log, as many as evidence has. @ctx: the store. */
const char *timeline_print(void *ctx, const struct control_query *query, struct bytes *out);

#endif

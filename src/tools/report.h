/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the monthly report: what each knows is in the one struct. */
#ifndef SEKISHO_TOOLS_REPORT_H
#define SEKISHO_TOOLS_REPORT_H

#include "policy/clauses.h"
#include "policy/snapshot.h"
#include "tools/document.h"
#include "tools/log_walk.h"
#include "tools/report_month.h"

#define REPORT_UNUSED_DAYS 30 /* a permit without a hit for so long is named */

struct report {
	const struct tree *tree; /* the configuration, parsed */
	const struct snapshot *policy;
	const struct month *month;
	const struct log_walk *log;
	bool whole; /* the log's chain */
	uint64_t unused_days;
	struct document *d;
};

/* The words for this report's language; may be a format. */
__attribute__((format_arg(2), format_arg(3))) static inline const char *report_words(
	const struct report *r, const char *en, const char *ja)
{
	return r->d->language == LANGUAGE_JA ? ja : en;
}

/* report_state.c: what the report rests on: configuration, log; then zones, paths and permits. */
void report_basis(const struct report *r);
void report_state(const struct report *r);
/* report_zones.c: the zones and the paths between them, by the kernel and by the configuration. */
void report_zones(const struct report *r);
/* report_clauses.c: how many clauses are met and what is open; each of them. */
void report_summary(const struct report *r);
void report_clauses(const struct report *r);
/* report_course.c: what happened: days, people, changes, incidents. */
void report_course(const struct report *r);

/* A table's heading, or a row of it: @count texts. */
void report_row(const struct report *r, size_t count, const char *const texts[]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a configuration: where, what, and what is allowed there, in the reader's
 * language. */
#ifndef SEKISHO_POLICY_PROBLEM_H
#define SEKISHO_POLICY_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/schema.h"

#define PROBLEMS_MAX      20  /* kept of one run; the rest is counted */
#define PROBLEM_ARG_BYTES 160 /* of one argument; what is longer is cut */

enum problem_id {
#define PROBLEM(id, ...) PROBLEM_##id,
#include "policy/problems.def"
#undef PROBLEM
	PROBLEM_COUNT_
};

/* A place in a text: lines and columns from 1, columns in characters. */
struct position {
	uint32_t line, column;
};

struct problem {
	struct position at;
	enum problem_id id;
	enum schema_id row; /* whose children or argument are "what is allowed" */
	unsigned arg;       /* which argument of the row */
	char args[2][PROBLEM_ARG_BYTES];
};

struct problems {
	struct problem items[PROBLEMS_MAX];
	uint32_t count;       /* kept in @items */
	uint32_t error_count; /* all, also those not kept */
	uint32_t warning_count;
};

void problems_init(struct problems *p);

/**
 * problems_add - note one problem; they are kept in the order of their places
 * Of more than PROBLEMS_MAX errors stay before a slot that cannot be used, and that before advice;
 * of those that weigh the same the earlier noted. The others are counted alone.
 * @row, @arg: what "allowed" refers to; ROW_ROOT and 0 where the message does not use it
 * @first, @second: texts for {0} and {1}; borrowed for the call, NULL: empty; made printable here
 */
void problems_add(struct problems *p, struct position at, enum problem_id id, enum schema_id row,
		  unsigned arg, const char *first, const char *second);

bool problem_is_warning(const struct problem *problem);

/* "what is wrong; what is allowed here" without a place; cut to the writer's room. */
void problem_describe(struct writer *w, const struct problem *problem, enum language language);

/**
 * problems_print - all of them, a line each: "file:line:column: [warning: ]message"
 * @file: as it is to stand in front
 * Return: 0, -ERR_NO_MEMORY or -ERR_TOO_LONG.
 */
int problems_print(struct bytes *out, const struct problems *p, const char *file,
		   enum language language);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema of the configuration language: one table that the parser, the printer, the checks,
 * completion, help and the documentation read.
 */
#ifndef SEKISHO_POLICY_SCHEMA_H
#define SEKISHO_POLICY_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/value.h"

#define SCHEMA_ARGS_MAX 2

enum language { LANGUAGE_EN, LANGUAGE_JA };

enum schema_id {
	ROW_ROOT,
#define ROW(id, ...) ROW_##id,
#include "policy/schema.def"
#undef ROW
	ROW_COUNT_
};

enum schema_kind {
	SCHEMA_BLOCK, /* name { ... }, at most one */
	SCHEMA_ENTRY, /* name key... { ... } or name key...;, many, told apart by their keys */
	SCHEMA_LEAF,  /* name value;, at most one */
	SCHEMA_LIST,  /* name value;, many, told apart by all their values */
	SCHEMA_FLAG,  /* name; */
};

enum schema_flags {
	SCHEMA_REQUIRED = 1, /* the parent is not complete without it */
	SCHEMA_ORDERED = 2,  /* the order in which it is written means something */
	SCHEMA_PRIVATE = 4,  /* its values are not shown to who only looks for a defect */
};

struct schema_row {
	unsigned depth;
	const char *name;
	enum schema_kind kind;
	unsigned flags;
	const char *fallback;    /* the value that holds when it is not written; NULL: none */
	const char *requirement; /* ids of docs/requirements, separated by blanks */
	const char *help[2];     /* by enum language */
	struct value_form args[SCHEMA_ARGS_MAX];
};

/* The row of an id; ROW_ROOT is the nameless top. */
const struct schema_row *schema_row(enum schema_id id);

/* First child of a row, and the next one with the same parent; ROW_COUNT_ when there is none. */
enum schema_id schema_first_child(enum schema_id parent);
enum schema_id schema_next_sibling(enum schema_id id);

/* The child of @parent with exactly this name, or ROW_COUNT_. */
enum schema_id schema_find_child(enum schema_id parent, struct span name);

/* How many arguments a row takes. */
unsigned schema_arg_count(enum schema_id id);

#endif

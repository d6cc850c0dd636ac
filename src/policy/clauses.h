/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clauses of the security policies, and what a configuration does about each (L6). The table is
 * clauses.def; the report of the offline command and the console's `show compliance` read it.
 */
#ifndef SEKISHO_POLICY_CLAUSES_H
#define SEKISHO_POLICY_CLAUSES_H

#include <stdbool.h>

#include "policy/schema.h"
#include "policy/tree.h"

enum clause_need_kind {
	NEED_WRITTEN, /* the statement stands at least once */
	NEED_EACH,    /* every statement @of that is written has one */
	NEED_WITHIN,  /* its value is neither 0 nor more than @most */
	NEED_OTHER,   /* its value is not @word */
	NEED_SEEN,    /* what was seen, @sight */
	NEED_LACK,    /* this version does not have it */
};

/* What is seen of a gateway that runs, or in its log; not in the configuration. */
enum clause_sight {
	SIGHT_SAVED_WHOLE, /* the saved configurations were checked and none was damaged */
	SIGHT_OF_LOG_,     /* from here on only a log shows it: judged where there is one */
	SIGHT_RECORDS_KEPT = SIGHT_OF_LOG_, /* records stayed for as long as they are to */
	SIGHT_COUNT_
};

/* What clauses are judged by. */
struct clause_view {
	const struct tree *tree;
	bool seen[SIGHT_COUNT_];
	bool has_log; /* seen[] has what only a log shows, too */
};

struct clause_need {
	enum clause_need_kind kind;
	enum schema_id row;      /* what is looked at; NEED_LACK: ROW_ROOT */
	enum schema_id of;       /* NEED_EACH */
	uint64_t most;           /* NEED_WITHIN, in the unit of the row's type */
	const char *word;        /* NEED_OTHER */
	enum clause_sight sight; /* NEED_SEEN */
	const char *lack[2];     /* NEED_LACK and NEED_SEEN, by enum language */
};

/* A row of the table: a clause, or (without an id) a need of the clause before it. */
struct clause {
	const char *id;       /* "Z1" */
	const char *sources;  /* where it stands in the policies */
	const char *text[2];  /* by enum language */
	const char *means[2]; /* how the gateway meets it */
	struct clause_need need;
};

enum clause_state {
	CLAUSE_MET,
	CLAUSE_PARTLY, /* some needs are met */
	CLAUSE_UNMET,
	CLAUSE_UNUSED, /* the configuration has nothing that it is about */
	CLAUSE_STATE_COUNT_
};

/* How one need stands: @good of @all statements that it is about are as it wants. */
struct clause_finding {
	size_t good, all;
};

/* The clauses in their order: the first one, and the next; NULL behind the last. */
const struct clause *clause_first(void);
const struct clause *clause_next(const struct clause *clause);

/* The needs of a clause: begin with the clause itself. NULL behind the last. */
const struct clause *clause_next_need(const struct clause *row);

/* The clause with this id; NULL: none. */
const struct clause *clause_find(const char *id);

/* Look at one need. A need of statements that are not there is about none: 0 of 0. */
struct clause_finding clause_look(const struct clause_view *view, const struct clause_need *need);

/* All needs of a clause together. */
enum clause_state clause_judge(const struct clause_view *view, const struct clause *clause);

/* "met", "not met", ... in that language. */
const char *clause_state_name(enum clause_state state, enum language language);

/**
 * clause_open_point - what is missing for a need, as one sentence
 * @out: appended to
 * Return: 0 or an error of @out.
 */
int clause_open_point(struct bytes *out, const struct clause_need *need,
		      struct clause_finding finding, enum language language);

/* Whether a list of ids ("Z1 Z8 L1") names @id. */
bool clause_is_named(const char *ids, const char *id);

/**
 * clause_value - what a configuration says for one statement of the schema
 * Appends the values that are written (the first few, then how many more), or the default.
 * Return: 0 (nothing appended: neither written nor a default that holds), or an error of @out.
 */
int clause_value(struct bytes *out, const struct tree *tree, enum schema_id row,
		 enum language language);

/* "login user role": the words that lead to a row. @out: appended to. Return: 0 or its error. */
int clause_row_path(struct bytes *out, enum schema_id row);

#endif

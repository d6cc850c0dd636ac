/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's `show log`: the last records that match, as rows of a table. Never waits for the
 * console. */
#ifndef SEKISHO_AUDIT_ANSWER_H
#define SEKISHO_AUDIT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/receipts.h"
#include "audit/store.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/control.h"
#include "wire/log/syslog.h"

#define ANSWER_ROWS_DEFAULT 20
#define ANSWER_ROWS_MAX     200
#define ANSWER_SEGMENTS_MAX 8 /* so many of the newest files are searched */
#define ANSWER_REST         4 /* times as long as a search took, none is begun after it */

struct answer_place {
	uint64_t segment;
	uint64_t offset;
};

/* Write lines for @query. Return: NULL, or why there is nothing to show: fixed text. */
typedef const char *answer_print_fn(void *ctx, const struct control_query *query,
				    struct bytes *out);

struct answer {
	struct loop *loop;
	struct channel *control;
	const struct store *store;
	const struct receipts *receipts;
	struct loop_timer timer;
	bool busy;
	uint64_t rested_ns; /* monotonic: until then the log is not read, events come first */
	struct control_query query;
	answer_print_fn *print; /* of answer_log_text */
	void *print_ctx;
	struct answer_place places[ANSWER_ROWS_MAX]; /* oldest first */
	size_t count, next;
	struct answer_place end; /* QUERY_FOLLOW: where the next question goes on */
	uint64_t left_out;       /* the same: records that matched and have no place */
	bool heading_sent;
	struct bytes text; /* of a receipt, in lines; from text_at on it is still to be sent */
	size_t text_at;
};

void answer_init(struct answer *a, struct loop *loop, struct channel *control,
		 const struct store *store, const struct receipts *receipts);

/**
 * answer_query - begin to answer; the rows follow as the channel takes them
 * One query at a time: a second one gets a row that says so, as an error. Searching takes a fifth
 * of audit's time at most, whoever asks: a question that comes too early waits.
 * @query: QUERY_LOG, QUERY_MAIL_LOG: argument is a text that a record must contain; empty: all.
 *	   QUERY_RECEIPT: argument is an id or its beginning
 *	   QUERY_FOLLOW: what follow.h says
 */
void answer_query(struct answer *a, const struct control_query *query);

/* As answer_query, with what @print writes at once: a row of one cell for each line. */
void answer_text(struct answer *a, const struct control_query *query, answer_print_fn *print,
		 void *ctx);
/* As answer_text, where @print reads much of the log: it is called when answer_query would search,
 * @ctx is borrowed until then. */
void answer_log_text(struct answer *a, const struct control_query *query, answer_print_fn *print,
		     void *ctx);

/**
 * answer_row - one record as a row: time, number, severity, process, event, fields
 * Return: 0 or -ERR_SYNTAX (not a record; @row is without cells).
 */
int answer_row(struct control_row *row, struct span line);

/* The parameters of a record behind seq and mono, without the brackets; a view into it. */
struct span answer_fields(const struct syslog_view *view);

#endif

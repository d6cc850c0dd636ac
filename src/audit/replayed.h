/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that `replay` judges (channel/replay.h): read forward out of the newest files of the
 * log, a bounded piece a turn of the loop, and handed out part by part, each when the one before
 * has been judged. So it takes neither memory nor time from what is to be recorded.
 */
#ifndef SEKISHO_AUDIT_REPLAYED_H
#define SEKISHO_AUDIT_REPLAYED_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/store.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/control.h"

#define REPLAYED_FILES_MAX 256 /* so many of the newest are read */
#define REPLAYED_TURN      512 /* records in one turn of the loop */
#define REPLAYED_REST      4   /* times as long as a turn took, nothing is read after it */

struct replayed {
	struct loop *loop;
	struct channel *control;
	const struct store *store;
	struct loop_timer timer;
	struct control_query query; /* number 0: none is being answered */
	struct store_cursor cursor;
	uint64_t end;                  /* number of the record that is not read any more */
	uint64_t told_ns;              /* monotonic, of the last sign of life */
	char since[REPLAY_TIME_BYTES]; /* how the times of records begin that are old enough */
	char first[REPLAY_TIME_BYTES]; /* of the first record that was taken */
	bool cut, last, judging;       /* judging: what was sent is */
	struct bytes part;
};

void replayed_init(struct replayed *r, struct loop *loop, struct channel *control,
		   const struct store *store);

/**
 * replayed_query - begin; one that was under way is given up
 * @query: QUERY_REPLAY
 * Return: as channel_send.
 */
int replayed_query(struct replayed *r, const struct control_query *query);

/* The part that was sent is judged: the next one. Of another query: nothing. */
void replayed_next(struct replayed *r, uint32_t number);

/* Nobody waits any more. Of another query: nothing. */
void replayed_withdraw(struct replayed *r, uint32_t number);

/* Whether a record is of those that are judged: of the arbiter, about a flow. */
bool replayed_is_wanted(struct span line, const char *since);

#endif

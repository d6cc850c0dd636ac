/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded flows against a policy: which outcome changes, compared with what another policy says,
 * or with what the record says (C2). The console's `replay` and `sekisho replay` call this same
 * code.
 */
#ifndef SEKISHO_ARBITER_REPLAY_H
#define SEKISHO_ARBITER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "arbiter/flow_line.h"
#include "arbiter/judge.h"
#include "base/buf.h"

/* What a change is for whom it concerns, in the order in which they are told. */
enum replay_kind { REPLAY_NOW_DENIED, REPLAY_NOW_PERMITTED, REPLAY_OTHER_PERMIT, REPLAY_KINDS_ };

/* Flows of one kind whose outcome differs, told from others by their bytes: no padding. */
struct replay_key {
	char from[SNAPSHOT_NAME_BYTES];
	uint8_t family, protocol;
	uint16_t port; /* ICMP: type */
	uint8_t source[16], destination[16];
	uint32_t before_number, after_number; /* of the permit, 0: none */
	uint8_t before_permitted, after_permitted;
	char before_reason[23], after_reason[23];
};

struct replay_change {
	struct replay_key key;
	uint64_t count;                  /* 0: a free place */
	char last[FLOW_LINE_TIME_BYTES]; /* of the newest; empty: no flow told its time */
};

struct replay {
	const struct judge_policy *after;
	const struct judge_policy *before; /* NULL: the record speaks */
	int64_t now_s;                     /* for flows that tell no time */
	uint64_t total, same, kinds[REPLAY_KINDS_];
	uint64_t unlisted; /* flows that changed, for which the table had no place */
	struct replay_change *changes;
	size_t places, count, most;
};

/**
 * replay_init - begin
 * @before, @after: borrowed until replay_fini
 * @most: changes that are told apart, 1..2^30; flows of further ones are in the sums only
 * Return: 0 or -ERR_NO_MEMORY.
 */
int replay_init(struct replay *r, const struct judge_policy *before,
		const struct judge_policy *after, int64_t now_s, size_t most);
void replay_fini(struct replay *r);

/**
 * replay_take - judge a flow at the time that it tells, and count it
 * Flows come in the order of their times. A record that tells no permit is only held against
 * whether it passed.
 * Return: 0; -ERR_SYNTAX where nothing tells what was before.
 */
int replay_take(struct replay *r, const struct flow_line *line);

/**
 * replay_sort - bring the changes to the front of the table: by kind, then the most frequent first
 * No flow can be taken any more.
 */
void replay_sort(struct replay *r);

/* A change as a line of text, without a line end. Return: 0 or an error of @out. */
int replay_write_change(const struct replay_change *change, struct bytes *out);
enum replay_kind replay_kind(const struct replay_change *change);

#endif

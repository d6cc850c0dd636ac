/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console's `replay`: the candidate is compiled beside the running policy, and records that
 * audit has read are judged by both, some in each turn of the loop, so that packets do not wait
 * (channel/replay.h). One at a time; its rows go out at the channel's pace.
 */
#ifndef SEKISHO_ARBITER_REHEARSAL_H
#define SEKISHO_ARBITER_REHEARSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "arbiter/replay.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/control.h"

#define REHEARSAL_KINDS_MAX 1024 /* changes that are told apart */
#define REHEARSAL_TURN      128  /* records judged in one turn of the loop */
#define REHEARSAL_PAUSE_MS  2U   /* between turns, for packets */

struct rehearsal {
	struct loop *loop;
	struct channel *control;
	struct loop_timer timer;
	struct control_replay asked; /* number 0: none */
	struct snapshot snapshot;    /* the candidate */
	struct judge_policy policy;
	struct replay replay;
	struct control_replayed told; /* of the part that is judged */
	struct bytes part, text;      /* text: the answer, in lines */
	size_t part_at, text_at;
	uint64_t passed_over; /* records */
};

/* @control: borrowed, and may be initialised later. */
void rehearsal_init(struct rehearsal *r, struct loop *loop, struct channel *control);

/**
 * rehearsal_begin - compile the candidate and wait for records; one that was under way ends
 * Whoever asks is told where that cannot be.
 * @running: borrowed until rehearsal_end; NULL: none is
 * @candidate_fd: borrowed for the call
 */
void rehearsal_begin(struct rehearsal *r, const struct control_replay *asked,
		     const struct judge_policy *running, int candidate_fd, int64_t now_s);

/**
 * rehearsal_take - records that are to be judged
 * @fd: sealed memfd; borrowed for the call
 * Return: 0 or -ERR_PEER: more than was agreed. Of another question: nothing.
 */
int rehearsal_take(struct rehearsal *r, const struct control_replayed *told, int fd);

/* Forget it, the policies too. @why: for whoever asked, fixed text; NULL: nobody waits. */
void rehearsal_end(struct rehearsal *r, const char *why);

#endif

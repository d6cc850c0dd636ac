/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every process but the supervisor does: check its descriptors, lock its sandbox, get START,
 * say READY, and serve the supervisor's channel in its loop.
 */
#ifndef SEKISHO_BASE_PROCESS_H
#define SEKISHO_BASE_PROCESS_H

#include "base/channel.h"
#include "base/event.h"
#include "base/loop.h"
#include "base/sandbox.h"

struct process {
	struct channel control;     /* descriptor 3 */
	struct event_client events; /* descriptor 4 */
	const char *name_;
	struct loop_fd watch_; /* of process_serve */
	void (*on_lost_)(void *ctx);
};

/*
 * What to do with one descriptor of CONTROL_GIVE: keep it (it is yours) and return 0, or return an
 * error.
 */
struct control_give;
typedef int process_give_fn(void *ctx, const struct control_give *give, int fd);

/**
 * process_begin - check descriptors, lock the sandbox, then receive GIVEs and START (within 5 s of
 * the first message, for which there is no limit: a process may be started ahead of its session)
 * @on_give: called for each GIVE that comes before START; may be NULL where the role gets none
 * @start: filled with the body of CONTROL_START
 * @snapshot_fd: set to the descriptor that came with START, or -1; owned by the caller
 * Return: 0, -ERR_TIMEOUT, -ERR_PEER, -ERR_SYSTEM: the caller exits with status 1.
 */
struct control_start;
int process_begin(struct process *p, const struct sandbox_profile *profile,
		  process_give_fn *on_give, void *ctx, struct control_start *start,
		  int *snapshot_fd);

/**
 * process_serve - serve the supervisor's channel in @loop by the rules of the role
 * @rules: borrowed for the process's life; handlers get @ctx
 * @on_lost: called before the loop is stopped with status 1, when the supervisor has gone or broken
 *	the rules; may be NULL
 * Return: 0 or -ERR_NO_SPACE.
 */
int process_serve(struct process *p, struct loop *loop, const struct channel_rule *rules,
		  size_t rule_count, void (*on_lost)(void *ctx), void *ctx);

/**
 * process_hear - serve what waits on the supervisor's channel now, a round of it at most
 * For a timer that is about to call the supervisor silent. Handlers run as from the loop, which is
 * stopped where the supervisor has gone. Only after process_serve; never from one of the handlers.
 */
void process_hear(struct process *p, struct loop *loop);

/* A handler of CONTROL_PING: answers. */
int process_pong(struct channel *ch, void *ctx, const struct channel_message *message);

/* The body of a handler of CONTROL_GIVE: what @on_give keeps is taken out of the message. */
int process_keep(process_give_fn *on_give, void *ctx, const struct channel_message *message);

/* Tell the supervisor that this process serves. Return: as channel_send. */
int process_ready(struct process *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every process but the supervisor does first: check its descriptors, lock its sandbox, get
 * START, say READY.
 */
#ifndef SEKISHO_BASE_PROCESS_H
#define SEKISHO_BASE_PROCESS_H

#include "base/channel.h"
#include "base/event.h"
#include "base/sandbox.h"

struct process {
	struct channel control;     /* descriptor 3 */
	struct event_client events; /* descriptor 4 */
};

/*
 * What to do with one descriptor of CONTROL_GIVE: keep it (it is yours) and return 0, or return an
 * error.
 */
struct control_give;
typedef int process_give_fn(void *ctx, const struct control_give *give, int fd);

/**
 * process_begin - check descriptors, lock the sandbox, then receive GIVEs and START (within 5 s)
 * @on_give: called for each GIVE that comes before START; may be NULL where the role gets none
 * @start: filled with the body of CONTROL_START
 * @snapshot_fd: set to the descriptor that came with START, or -1; owned by the caller
 * Return: 0, -ERR_TIMEOUT, -ERR_PEER, -ERR_SYSTEM: the caller exits with status 1.
 */
struct control_start;
int process_begin(struct process *p, const struct sandbox_profile *profile,
		  process_give_fn *on_give, void *ctx, struct control_start *start,
		  int *snapshot_fd);

/* Tell the supervisor that this process serves. Return: as channel_send. */
int process_ready(struct process *p);

#endif

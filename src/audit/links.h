/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channels that events come on: one a process, so that the source of a record is known from
 * where it came in. A process that sends faster than its share is not read from until the next
 * second: its own channel fills up, it counts what it loses, and the others' events are not
 * delayed.
 */
#ifndef SEKISHO_AUDIT_LINKS_H
#define SEKISHO_AUDIT_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/record.h"
#include "base/channel.h"
#include "base/event.h"
#include "base/loop.h"

#define LINKS_MAX 1100 /* as many processes as the supervisor starts, and some just dead */
/* Events of one process at once, and on and on; more would push older records out of the log. */
#define LINKS_BURST           1000
#define LINKS_EVENTS_A_SECOND 200

/* Where events go. The record has been checked. */
struct links_sink {
	void (*event)(void *ctx, const char *process, const struct event_record *event);
	/* A channel was closed for what came on it. @why: fixed text. @claimed: the event that its
	 * process may not send, or EVENT_NONE_. */
	void (*refused)(void *ctx, const char *process, const char *why, enum event_id claimed);
	/* A round of reading has ended. */
	void (*settled)(void *ctx);
	void *ctx;
};

struct links;

struct link {
	struct links *links;
	struct channel channel; /* fd -1: free */
	struct loop_fd watch;
	uint32_t role;         /* enum role: decides which events are its own */
	enum event_id claimed; /* that is not */
	char process[RECORD_PROCESS_BYTES];
	uint32_t taken; /* events that its share has not yet paid for */
	bool resting;
};

struct links {
	struct loop *loop;
	struct links_sink sink;
	struct loop_timer second;
	struct link slots[LINKS_MAX];
};

void links_init(struct links *l, struct loop *loop, const struct links_sink *sink);

/**
 * links_add - read events of the process (@role, @session) from @fd, which is taken
 * An earlier channel of the same process stays until its other end is closed: what it still holds
 * is read first.
 * Return: 0 or -ERR_NO_SPACE (the descriptor is closed).
 */
int links_add(struct links *l, uint32_t role, uint32_t session, int fd);

/* Read all that waits on every channel, whatever their share: for "everything said before is
 * written". */
void links_drain(struct links *l);
void links_fini(struct links *l);

#endif

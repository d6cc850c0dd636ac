/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: ppoll over a fixed number of descriptors, signals by signalfd, monotonic
 * deadlines. No heap.
 */
#ifndef SEKISHO_BASE_LOOP_H
#define SEKISHO_BASE_LOOP_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct loop;

struct loop_fd {
	int fd;       /* -1: slot is free */
	short events; /* POLLIN, POLLOUT; 0 watches for hang-up only */
	void (*ready)(struct loop *loop, struct loop_fd *self, short revents);
	void *ctx;
	size_t slot_; /* the loop's own */
};

struct loop_timer {
	uint64_t due_ms_; /* the loop's own; 0: not armed */
	void (*fire)(struct loop *loop, struct loop_timer *self);
	void *ctx;
	struct loop_timer *next_;
};

struct loop {
	const struct clock *clock;
	struct pollfd *polls; /* caller's arrays of @capacity entries */
	struct loop_fd **fds;
	size_t capacity;
	size_t used;
	struct loop_timer *timers; /* sorted by due time */
	struct loop_fd signal_fd;
	void (*on_signal)(struct loop *loop, int signo, void *ctx);
	void *signal_ctx;
	bool stopping;
	int exit_status;
};

/**
 * loop_init - prepare a loop in caller's storage
 * @clock: borrowed for the loop's life
 * @polls: array of @capacity; borrowed for the loop's life
 * @fds: array of @capacity; borrowed for the loop's life
 * @capacity: how many descriptors the loop can watch
 */
void loop_init(struct loop *loop, const struct clock *clock, struct pollfd *polls,
	       struct loop_fd **fds, size_t capacity);

/**
 * loop_signals - block the signals of @set and deliver them as loop events
 * Return: 0, -ERR_SYSTEM or -ERR_NO_SPACE.
 */
int loop_signals(struct loop *loop, const sigset_t *set,
		 void (*on_signal)(struct loop *, int, void *), void *ctx);

/**
 * loop_add - watch a descriptor; @fd stays the caller's (storage and descriptor)
 * Return: 0 or -ERR_NO_SPACE.
 */
int loop_add(struct loop *loop, struct loop_fd *fd);
/* Stop watching; safe from inside a callback and on one not watched. Does not close. */
void loop_remove(struct loop *loop, struct loop_fd *fd);
/* Arm (or re-arm) a timer to fire once, @delay_ms from now. */
void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms);
void loop_disarm(struct loop *loop, struct loop_timer *timer);
bool loop_armed(const struct loop_timer *timer);
/* End loop_run after the current callback. */
void loop_stop(struct loop *loop, int exit_status);

/**
 * loop_run - serve descriptors and timers until loop_stop
 * Return: the exit status given to loop_stop, or -ERR_SYSTEM.
 */
int loop_run(struct loop *loop);

/**
 * loop_step - one round: wait at most @wait_ms (or until the next timer), then dispatch
 * Return: 0 or -ERR_SYSTEM. For tests with a simulated clock.
 */
int loop_step(struct loop *loop, int wait_ms);

#endif

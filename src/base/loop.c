/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: a dense array of polled descriptors, a sorted list of timers, one signalfd. */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"

#define NOT_WATCHED SIZE_MAX

void loop_init(struct loop *loop, const struct clock *clock, struct pollfd *polls,
	       struct loop_fd **fds, size_t capacity)
{
	*loop = (struct loop){
		.clock = clock,
		.polls = polls,
		.fds = fds,
		.capacity = capacity,
		.signal_fd = {.fd = -1},
	};
}

static bool watched(const struct loop *loop, const struct loop_fd *fd)
{
	return fd->slot_ < loop->used && loop->fds[fd->slot_] == fd;
}

int loop_add(struct loop *loop, struct loop_fd *fd)
{
	if (watched(loop, fd))
		return 0;
	if (loop->used == loop->capacity)
		return -ERR_NO_SPACE;
	fd->slot_ = loop->used++;
	loop->fds[fd->slot_] = fd;
	/* No revents: a descriptor added during a dispatch round waits for the next one. */
	loop->polls[fd->slot_] = (struct pollfd){.fd = fd->fd, .events = fd->events};
	return 0;
}

/*
 * The last entry moves into the hole, with its revents. The dispatcher walks downwards: what it has
 * served has no revents any more, and what it has not served can only move further down, so nothing
 * is served twice or missed.
 */
void loop_remove(struct loop *loop, struct loop_fd *fd)
{
	size_t slot = fd->slot_, last;

	if (!watched(loop, fd))
		return;
	last = --loop->used;
	if (slot != last) {
		loop->fds[slot] = loop->fds[last];
		loop->polls[slot] = loop->polls[last];
		loop->fds[slot]->slot_ = slot;
	}
	loop->fds[last] = NULL;
	fd->slot_ = NOT_WATCHED;
}

static void signals_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct signalfd_siginfo info;

	while (read(self->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->on_signal(loop, (int)info.ssi_signo, loop->signal_ctx);
}

int loop_signals(struct loop *loop, const sigset_t *set,
		 void (*on_signal)(struct loop *, int, void *), void *ctx)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return -ERR_SYSTEM;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -ERR_SYSTEM;
	loop->on_signal = on_signal;
	loop->signal_ctx = ctx;
	loop->signal_fd = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = signals_ready};
	if (loop_add(loop, &loop->signal_fd) < 0) {
		(void)close(fd); /* nothing was read from it */
		loop->signal_fd.fd = -1;
		return -ERR_NO_SPACE;
	}
	return 0;
}

bool loop_armed(const struct loop_timer *timer)
{
	return timer->due_ms_ != 0;
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at = &loop->timers;

	if (!loop_armed(timer))
		return;
	while (*at && *at != timer)
		at = &(*at)->next_;
	if (*at)
		*at = timer->next_;
	timer->next_ = NULL;
	timer->due_ms_ = 0;
}

void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms)
{
	uint64_t now_ms = clock_mono_ms(loop->clock);
	struct loop_timer **at = &loop->timers;

	loop_disarm(loop, timer);
	if (__builtin_add_overflow(now_ms, delay_ms, &timer->due_ms_))
		timer->due_ms_ = UINT64_MAX;
	if (timer->due_ms_ == 0)
		timer->due_ms_ = 1; /* 0 stands for "not armed" */
	while (*at && (*at)->due_ms_ <= timer->due_ms_)
		at = &(*at)->next_;
	timer->next_ = *at;
	*at = timer;
}

void loop_stop(struct loop *loop, int exit_status)
{
	loop->stopping = true;
	loop->exit_status = exit_status;
}

/*
 * As many as were due at the start: one that a callback arms with delay 0 sorts behind those and
 * waits for the next round, so that timers never starve descriptors.
 */
static void fire_due_timers(struct loop *loop)
{
	uint64_t now_ms = clock_mono_ms(loop->clock);
	size_t due_count = 0;

	for (const struct loop_timer *t = loop->timers; t && t->due_ms_ <= now_ms; t = t->next_)
		due_count++;
	for (; due_count > 0 && !loop->stopping; due_count--) {
		struct loop_timer *first = loop->timers;

		if (!first || first->due_ms_ > now_ms)
			break; /* a callback disarmed others */
		loop_disarm(loop, first);
		first->fire(loop, first);
	}
}

static int wait_until_due(const struct loop *loop, int wait_ms)
{
	uint64_t now_ms = clock_mono_ms(loop->clock), left_ms;

	if (!loop->timers)
		return wait_ms;
	left_ms = loop->timers->due_ms_ > now_ms ? loop->timers->due_ms_ - now_ms : 0;
	if (wait_ms >= 0 && left_ms > (uint64_t)wait_ms)
		return wait_ms;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static void dispatch(struct loop *loop)
{
	for (size_t i = loop->used; i-- > 0 && !loop->stopping;) {
		short revents;

		if (i >= loop->used)
			continue; /* callbacks removed more than one */
		revents = loop->polls[i].revents;
		loop->polls[i].revents = 0;
		if (revents)
			loop->fds[i]->ready(loop, loop->fds[i], revents);
	}
}

int loop_step(struct loop *loop, int wait_ms)
{
	int timeout_ms = wait_until_due(loop, wait_ms);
	struct timespec ts = {.tv_sec = timeout_ms / 1000,
			      .tv_nsec = (timeout_ms % 1000) * 1000000L};

	for (size_t i = 0; i < loop->used; i++) {
		loop->polls[i].fd = loop->fds[i]->fd;
		loop->polls[i].events = loop->fds[i]->events;
		loop->polls[i].revents = 0;
	}
	if (ppoll(loop->polls, loop->used, timeout_ms < 0 ? NULL : &ts, NULL) < 0) {
		if (errno != EINTR)
			return -ERR_SYSTEM;
		for (size_t i = 0; i < loop->used; i++)
			loop->polls[i].revents = 0;
	}
	fire_due_timers(loop);
	dispatch(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	while (!loop->stopping) {
		int err = loop_step(loop, -1);

		if (err < 0)
			return err;
	}
	return loop->exit_status;
}

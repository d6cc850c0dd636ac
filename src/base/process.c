/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first moments of every process but the supervisor, and its channel to the supervisor. */
#include "base/process.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "channel/control.h"

#define MESSAGES_A_ROUND 16    /* of the supervisor, in one turn of the loop */
#define START_WAIT_MS    5000U /* the supervisor sends all of it before it even waits for us */

struct beginning {
	process_give_fn *on_give;
	void *ctx;
	struct control_start *start;
	int *snapshot_fd;
	struct sandbox_files *files; /* NULL: this program keeps none */
	bool started;
};

int process_keep(process_give_fn *on_give, void *ctx, const struct channel_message *message)
{
	int err = on_give(ctx, message->body, message->fds[0]);

	if (err == 0)
		message->fds[0] = -1;
	return err;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct beginning *b = ctx;
	const struct control_give *give = message->body;
	int err;

	if (b->files && give->kind == GIVE_STATE) {
		err = sandbox_files_allow(b->files, message->fds[0]);
		if (err < 0)
			return err;
	}
	return b->on_give != NULL ? process_keep(b->on_give, b->ctx, message) : -ERR_PEER;
}

static int handle_start(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct beginning *b = ctx;

	*b->start = *(const struct control_start *)message->body;
	if (message->fd_count) {
		*b->snapshot_fd = message->fds[0];
		message->fds[0] = -1;
	}
	b->started = true;
	return 0;
}

static const struct channel_rule beginning_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_START, 0, 1, CHANNEL_EXACTLY(control_start), handle_start, "start"},
};

static int check_channel(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -ERR_SYSTEM;
	return type == SOCK_SEQPACKET ? 0 : -ERR_PEER;
}

/* @until_ms: 0: without end; whoever has no supervisor any more is told so by the channel. */
static int wait_readable(int fd, uint64_t until_ms)
{
	uint64_t now_ms = clock_mono_ms(&clock_system),
		 left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	struct timespec ts = {.tv_sec = (time_t)(left_ms / 1000),
			      .tv_nsec = (long)(left_ms % 1000) * 1000000L};
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int count = ppoll(&poll_fd, 1, until_ms ? &ts : NULL, NULL);

	if (count < 0 && errno != EINTR)
		return -ERR_SYSTEM;
	return count == 0 ? -ERR_TIMEOUT : 0;
}

/* One message at a time: what follows START is for the program's own table. */
static int serve_beginning(struct channel *control, struct beginning *b)
{
	uint64_t until_ms = 0; /* one in reserve waits for its session */

	while (!b->started) {
		int got = channel_serve(control, 1, NULL);

		if (got < 0)
			return got;
		if (got > 0 && until_ms == 0)
			until_ms = clock_mono_ms(&clock_system) + START_WAIT_MS;
		if (got == 0) {
			int err = wait_readable(control->fd, until_ms);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

int process_begin(struct process *p, const struct sandbox_profile *profile,
		  process_give_fn *on_give, void *ctx, struct control_start *start,
		  int *snapshot_fd)
{
	struct sandbox_files files = {.ruleset = -1};
	struct beginning b = {
		.on_give = on_give,
		.ctx = ctx,
		.start = start,
		.snapshot_fd = snapshot_fd,
		.files = profile->keeps_files ? &files : NULL,
	};
	int err;

	*snapshot_fd = -1;
	p->name_ = profile->name;
	/*
	 * Started from a descriptor, the kernel may have named us after its number. Cannot fail
	 * with a valid address.
	 */
	(void)prctl(PR_SET_NAME, profile->name, 0, 0, 0);
	err = check_channel(FD_CONTROL);
	if (err == 0)
		err = check_channel(FD_EVENTS);
	if (err == 0)
		err = sandbox_lock(profile);
	if (err == 0 && profile->keeps_files)
		err = sandbox_files_begin(&files);
	if (err < 0)
		return err;
	channel_init(&p->control, FD_CONTROL, beginning_rules,
		     sizeof(beginning_rules) / sizeof(beginning_rules[0]), &b);
	event_client_init(&p->events, FD_EVENTS);
	err = serve_beginning(&p->control, &b);
	if (err == 0)
		err = sandbox_files_lock(&files);
	/* The program sets its own table before it serves. */
	p->control.rules = NULL;
	p->control.rule_count = 0;
	p->control.ctx = NULL;
	return err;
}

int process_pong(struct channel *ch, void *ctx, const struct channel_message *message)
{
	int err = channel_send(ch, CONTROL_PONG, message->body, message->body_bytes, NULL, 0);

	return err == -ERR_AGAIN ? 0 : err; /* the queue is full of answers: the next one counts */
}

/* Without the supervisor there is nothing to do, and nobody to do it for. */
void process_hear(struct process *p, struct loop *loop)
{
	const char *why = NULL;
	int got = channel_serve(&p->control, MESSAGES_A_ROUND, &why);

	if (got >= 0)
		return;
	if (got != -ERR_CLOSED)
		fprintf(stderr, "%s: control channel: %s\n", p->name_,
			why != NULL ? why : err_name(got));
	if (p->on_lost_ != NULL)
		p->on_lost_(p->control.ctx);
	loop_stop(loop, 1);
}

static void on_control(struct loop *loop, struct loop_fd *self, short revents)
{
	process_hear(self->ctx, loop);
}

int process_serve(struct process *p, struct loop *loop, const struct channel_rule *rules,
		  size_t rule_count, void (*on_lost)(void *ctx), void *ctx)
{
	channel_init(&p->control, FD_CONTROL, rules, rule_count, ctx);
	p->on_lost_ = on_lost;
	p->watch_ =
		(struct loop_fd){.fd = FD_CONTROL, .events = POLLIN, .ready = on_control, .ctx = p};
	return loop_add(loop, &p->watch_);
}

int process_ready(struct process *p)
{
	return channel_send(&p->control, CONTROL_READY, NULL, 0, NULL, 0);
}

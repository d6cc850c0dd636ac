/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mail-sender: one mail session's client half. Reads flattened text, which it verifies, and the
 * next hop's replies; holds the link to the session's mail-receiver, one socket to a next hop and
 * one pipe, all opened by the supervisor. It can open nothing: no file, no socket.
 */
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "channel/control.h"
#include "mail-sender/sender.h"

#define WATCHED_MAX 6 /* control, link, next hop, pipe; two to spare */

static struct {
	struct process process;
	struct loop loop;
	struct pollfd polls[WATCHED_MAX];
	struct loop_fd *slots[WATCHED_MAX];
	struct loop_fd control_fd;
	struct snapshot snapshot;
	struct mail_policy policy;
	struct sender sender;
	int link_fd;
} state = {.link_fd = -1, .sender = {.authority_fd = -1}};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	(void)ctx;
	if (give->kind == GIVE_AUTHORITY && state.sender.authority_fd < 0) {
		state.sender.authority_fd = fd;
		return 0;
	}
	if (give->kind != GIVE_LINK || give->role != ROLE_MAIL_RECEIVER || state.link_fd >= 0)
		return -ERR_PEER;
	state.link_fd = fd;
	return 0;
}

/* The receiver is told the same. It ends the link when it has told its peer what became of the
 * message under way; ending before it would turn the next hop's 250 into a 451. */
static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	(void)message;
	return 0;
}

static int handle_connected(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	return sender_on_connected(&state.sender, message->body,
				   message->fd_count ? &message->fds[0] : NULL);
}

static int handle_message(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	return sender_on_message(&state.sender, message->body, &message->fds[0]);
}

static int handle_flattened(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	return sender_on_flattened(&state.sender, message->body);
}

static int handle_scanned(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	return sender_on_scanned(&state.sender, message->body);
}

static const struct channel_rule control_rules[] = {
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
	{CONTROL_CONNECTED, 0, 1, CHANNEL_EXACTLY(control_connected), handle_connected,
	 "connected"},
	{CONTROL_MESSAGE, 1, 1, CHANNEL_EXACTLY(control_flatten), handle_message, "message"},
	{CONTROL_FLATTENED, 0, 0, CHANNEL_EXACTLY(control_flattened), handle_flattened,
	 "flattened"},
	{CONTROL_SCANNED, 0, 0, CHANNEL_EXACTLY(control_scanned), handle_scanned, "scanned"},
};

/* Without the supervisor there is no next hop and no flattener: the session ends before any final
 * dot. */
static void control_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	(void)self;
	(void)revents;
	if (channel_serve(&state.process.control, 4, NULL) < 0)
		loop_stop(loop, 1);
}

static int begin(void)
{
	static const struct sandbox_profile profile = {.name = "mail-sender"};
	struct control_start start = {0};
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &start, &snapshot_fd);

	if (err < 0)
		return err;
	if (start.role != ROLE_MAIL_SENDER || snapshot_fd < 0 || state.link_fd < 0)
		return -ERR_PEER;
	state.sender.session = start.session;
	err = snapshot_load(&state.snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	return err < 0 ? err : mail_policy_open(&state.policy, &state.snapshot, start.index);
}

static int serve(void)
{
	struct sender *s = &state.sender;
	struct channel *control = &state.process.control;
	int err = 0;

	loop_init(&state.loop, &clock_system, state.polls, state.slots, WATCHED_MAX);
	control->rules = control_rules;
	control->rule_count = sizeof(control_rules) / sizeof(control_rules[0]);
	state.control_fd =
		(struct loop_fd){.fd = control->fd, .events = POLLIN, .ready = control_ready};
	s->loop = &state.loop;
	s->events = &state.process.events;
	s->control = control;
	s->policy = &state.policy;
	err = loop_add(&state.loop, &state.control_fd);
	if (err == 0)
		err = sender_start(s, state.link_fd);
	if (err == 0)
		err = process_ready(&state.process);
	if (err < 0)
		return 1;
	err = loop_run(&state.loop);
	sender_fini(s);
	return err == 0 ? 0 : 1;
}

int main(void)
{
	tls_prepare();
	return begin() < 0 ? 1 : serve();
}

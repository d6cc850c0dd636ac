/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mail-receiver: one SMTP session as server. Reads whatever the peer in the source zone sends;
 * holds its accepted socket, the link to the session's mail-sender, the channel to the supervisor
 * and, where TLS is offered, its entry's certificate and key. It can open nothing: no file, no
 * socket.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "channel/control.h"
#include "mail-receiver/receiver.h"

#define WATCHED_MAX 4 /* control, link, peer; one to spare */

static struct {
	struct process process;
	struct loop loop;
	struct pollfd polls[WATCHED_MAX];
	struct loop_fd *slots[WATCHED_MAX];
	struct loop_fd control_fd;
	struct snapshot snapshot;
	struct mail_policy policy;
	struct receiver receiver;
	int peer_fd, link_fd;
} state = {.peer_fd = -1, .link_fd = -1, .receiver = {.certificate_fd = -1}};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	(void)ctx;
	if (give->kind == GIVE_PEER && state.peer_fd < 0)
		state.peer_fd = fd;
	else if (give->kind == GIVE_LINK && give->role == ROLE_MAIL_SENDER && state.link_fd < 0)
		state.link_fd = fd;
	else if (give->kind == GIVE_CERTIFICATE && state.receiver.certificate_fd < 0)
		state.receiver.certificate_fd = fd;
	else
		return -ERR_PEER;
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	(void)message;
	receiver_stop(&state.receiver);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

/* Without the supervisor no message can be flattened: the session ends. */
static void control_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	(void)self;
	(void)revents;
	if (channel_serve(&state.process.control, 8, NULL) < 0)
		loop_stop(loop, 1);
}

static int begin(void)
{
	static const int calls[] = {SYS_memfd_create};
	static const struct sandbox_profile profile = {
		.name = "mail-receiver", .syscalls = calls, .syscall_count = 1};
	struct control_start start = {0};
	struct receiver *r = &state.receiver;
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &start, &snapshot_fd);

	if (err < 0)
		return err;
	if (start.role != ROLE_MAIL_RECEIVER || snapshot_fd < 0 || state.peer_fd < 0 ||
	    state.link_fd < 0)
		return -ERR_PEER;
	err = snapshot_load(&state.snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err == 0)
		err = mail_policy_open(&state.policy, &state.snapshot, start.index);
	r->session = start.session;
	r->peer_family = start.peer_family;
	r->crowded = start.crowded != 0;
	for (size_t i = 0; i < sizeof(r->peer_addr); i++)
		r->peer_addr[i] = start.peer_addr[i];
	return err;
}

static int serve(void)
{
	struct receiver *r = &state.receiver;
	struct channel *control = &state.process.control;
	int err = 0;

	loop_init(&state.loop, &clock_system, state.polls, state.slots, WATCHED_MAX);
	control->rules = control_rules;
	control->rule_count = sizeof(control_rules) / sizeof(control_rules[0]);
	state.control_fd =
		(struct loop_fd){.fd = control->fd, .events = POLLIN, .ready = control_ready};
	r->loop = &state.loop;
	r->events = &state.process.events;
	r->control = control;
	r->policy = &state.policy;
	err = loop_add(&state.loop, &state.control_fd);
	if (err == 0)
		err = process_ready(&state.process);
	if (err == 0)
		err = receiver_start(r, state.peer_fd, state.link_fd);
	if (err < 0)
		return 1;
	err = loop_run(&state.loop);
	receiver_fini(r);
	return err == 0 ? 0 : 1;
}

int main(void)
{
	tls_prepare();
	return begin() < 0 ? 1 : serve();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log-sender: one connection to one syslog server, one process. It reads what the server and the
 * way to it answer: under TLS a handshake and certificates, for UDP quotations in ICMP errors. It
 * holds the socket, which the supervisor opened, the running snapshot, a link to audit, and under
 * TLS the file of authorities and the certificate and key of its server's entry. It has no way to
 * the log: records come over the link, one window at a time, and what it says of them moves the
 * place that audit keeps for this one server. It ends with its connection or its link.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "channel/control.h"
#include "log-sender/transport.h"

#define WATCHED_MAX 4 /* control, link, socket; one to spare */

static struct {
	struct process process;
	struct loop loop;
	struct pollfd polls[WATCHED_MAX];
	struct loop_fd *slots[WATCHED_MAX];
	struct snapshot snapshot;
	struct transport transport;
	struct transport_wish wish;
} state = {.wish = {.socket_fd = -1, .link_fd = -1, .authority_fd = -1, .identity_fd = -1}};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	int *slot = NULL;

	(void)ctx; /* all is in the state */
	if (give->kind == GIVE_SYSLOG)
		slot = &state.wish.socket_fd;
	else if (give->kind == GIVE_LINK && give->role == ROLE_AUDIT)
		slot = &state.wish.link_fd;
	else if (give->kind == GIVE_AUTHORITY)
		slot = &state.wish.authority_fd;
	else if (give->kind == GIVE_CERTIFICATE)
		slot = &state.wish.identity_fd;
	if (slot == NULL || *slot >= 0)
		return -ERR_PEER;
	*slot = fd;
	return 0;
}

/* Audit is told the same. It ends the link behind the last record that it hands over. */
static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)ctx;
	(void)message;
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

static const int extra_syscalls[] = {SYS_ioctl, SYS_setsockopt};

static const struct sandbox_profile profile = {
	.name = "log-sender",
	.syscalls = extra_syscalls,
	.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
};

static void on_ended(void *ctx)
{
	(void)ctx;
	loop_stop(&state.loop, 0);
}

/* Which server it is stands in the policy that came with START. */
static int read_server(const struct control_start *start)
{
	const struct snapshot *s = &state.snapshot;
	const struct snapshot_syslog *server;

	if (start->index >= s->syslog_count)
		return -ERR_RANGE;
	server = &s->syslogs[start->index];
	state.wish.kind = server->transport;
	state.wish.peer = snapshot_text_at(s, server->text_name);
	state.wish.ended = on_ended;
	return 0;
}

static int begin(void)
{
	struct control_start start = {0};
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &start, &snapshot_fd);

	if (err < 0)
		return err;
	if (start.role != ROLE_LOG_SENDER || snapshot_fd < 0 || state.wish.socket_fd < 0 ||
	    state.wish.link_fd < 0)
		return -ERR_PEER;
	err = snapshot_load(&state.snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	return err < 0 ? err : read_server(&start);
}

static void close_keys(void)
{
	if (state.wish.authority_fd >= 0)
		(void)close(state.wish.authority_fd); /* was only read */
	if (state.wish.identity_fd >= 0)
		(void)close(state.wish.identity_fd); /* was only read */
}

static int serve(void)
{
	int err;

	loop_init(&state.loop, &clock_system, state.polls, state.slots, WATCHED_MAX);
	err = process_serve(&state.process, &state.loop, control_rules,
			    sizeof(control_rules) / sizeof(control_rules[0]), NULL, NULL);
	if (err == 0)
		err = process_ready(&state.process);
	if (err == 0)
		err = transport_open(&state.transport, &state.loop, &state.wish);
	close_keys();
	if (err < 0)
		return 1;
	err = loop_run(&state.loop);
	transport_close(&state.transport);
	return err == 0 ? 0 : 1;
}

int main(void)
{
	tls_prepare();
	return begin() < 0 ? 1 : serve();
}

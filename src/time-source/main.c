/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * time-source: the client of NTP, chrony's engine with the world taken away. Talks to: the
 * supervisor (control channel), which alone sets the clock; the time servers of one zone, by
 * connected datagram sockets that it is given. Privilege: none (ADR 205).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/control.h"
#include "time-source/time_source.h"

#define MESSAGES_A_ROUND 16

struct time_source time_source = {.sockets = {-1, -1, -1, -1, -1, -1, -1, -1}};

static int take_socket(void *ctx, const struct control_give *give, int fd)
{
	int *slot;

	if (give->kind != GIVE_TIME_SERVER || give->index >= CLOCK_SERVERS_MAX)
		return -ERR_PEER;
	slot = &time_source.sockets[give->index];
	if (*slot >= 0)
		(void)close(*slot); /* the question that may be under way is lost */
	*slot = fd;
	return 0;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(take_socket, NULL, message);
}

static int handle_done(struct channel *ch, void *ctx, const struct channel_message *message)
{
	time_source.done = *(const struct control_clock_done *)message->body;
	time_source.answered = true;
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	engine_stop();
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_CLOCK_DONE, 0, 0, CHANNEL_EXACTLY(control_clock_done), handle_done, "clock done"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

void time_source_serve(void)
{
	if (channel_serve(&time_source.process.control, MESSAGES_A_ROUND, NULL) < 0)
		exit(1); /* without the supervisor there is no clock to set */
}

/* Beyond the core: chrony waits with select, and sets options of the sockets that it is given. */
static const int calls[] = {
	SYS_pselect6,
#ifdef SYS_select
	SYS_select,
#endif
	SYS_recvmmsg,
	SYS_setsockopt,
};

static const struct sandbox_profile profile = {
	.name = "time-source",
	.syscalls = calls,
	.syscall_count = sizeof(calls) / sizeof(calls[0]),
};

int main(void)
{
	struct process *process = &time_source.process;
	struct control_start start;
	int snapshot_fd = -1;

	tzset(); /* looks for files, in vain; once: chrony's messages carry the time */
	if (process_begin(process, &profile, take_socket, NULL, &start, &snapshot_fd) != 0 ||
	    start.role != ROLE_TIME_SOURCE || snapshot_fd < 0 ||
	    snapshot_load(&time_source.policy, snapshot_fd) != 0)
		return 1;
	(void)close(snapshot_fd); /* mapped */
	channel_init(&process->control, FD_CONTROL, rules, sizeof(rules) / sizeof(rules[0]), NULL);
	if (process_ready(process) != 0)
		return 1;
	engine_prepare(driver_ask(CLOCK_ASK, 0, 0, 0) == 0);
	engine_run();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process for each connection to a syslog server, so that whoever keeps the log reads nothing of
 * a peer (ADR 811). Audit asks for one and gets its end of a link; the process ends with its
 * connection or its link.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/keys.h"
#include "supervisor/supervisor.h"

#define LEAVE_MS 10000U /* behind the end of its link, which takes milliseconds in order */
/* Of one server, besides the last: those that break their links and stay are not gathered. */
#define LEAVING_MOST 2

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* given away, or never used */
	*fd = -1;
}

static void close_ends(struct log_sender_ends *ends)
{
	close_end(&ends->socket_fd);
	close_end(&ends->link_fd);
	close_end(&ends->authority_fd);
}

static void give_end(struct child *child, const struct control_give *give, int fd)
{
	if (fd >= 0)
		child_give(child, give, fd);
}

/* A slot without a certificate shows none: the server says whether it wants one. */
void log_senders_outfit(struct child *child)
{
	const struct snapshot_syslog *server = &child->sup->running.snapshot.syslogs[child->index];
	int identity_fd =
		server->transport == SNAPSHOT_TRANSPORT_TLS
			? outfit_open_slot(child->sup, server->certificate_slot, KEYS_CERTIFICATE)
			: -1;

	give_end(child, &(struct control_give){.kind = GIVE_SYSLOG, .index = child->index},
		 child->ends.socket_fd);
	give_end(child, &(struct control_give){.kind = GIVE_LINK, .role = ROLE_AUDIT},
		 child->ends.link_fd);
	give_end(child, &(struct control_give){.kind = GIVE_AUTHORITY}, child->ends.authority_fd);
	give_end(child, &(struct control_give){.kind = GIVE_CERTIFICATE}, identity_fd);
	close_end(&identity_fd);
	close_ends(&child->ends);
}

/* ---- those that audit has let go of */

static bool is_same_server(const struct snapshot_syslog *a, const struct snapshot_syslog *b)
{
	return a->transport == b->transport && a->port == b->port &&
	       memcmp(&a->server, &b->server, sizeof(a->server)) == 0;
}

static bool is_in_policy(const struct snapshot *snapshot, const struct snapshot_syslog *server)
{
	for (uint32_t i = 0; i < snapshot->syslog_count; i++) {
		if (is_same_server(&snapshot->syslogs[i], server))
			return true;
	}
	return false;
}

/* It ends with its link by itself. One that does not is ended: its socket must not outlive what
 * the policy wants. */
static void let_go(struct child *child)
{
	if (!loop_armed(&child->life))
		loop_arm(&child->sup->loop, &child->life, LEAVE_MS);
}

static bool is_running(const struct child *child)
{
	return child->role == ROLE_LOG_SENDER && child->pid > 0;
}

/* There is one connection to a server: another follows when audit has given up those before. */
static void let_go_of_server(struct supervisor *sup, const struct snapshot_syslog *server)
{
	unsigned leaving = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &sup->children[i];

		if (!is_running(child) || !is_same_server(&child->syslog, server))
			continue;
		if (loop_armed(&child->life) && ++leaving > LEAVING_MOST)
			child_kill(child, "too many leave at a time");
		else
			let_go(child);
	}
}

/* Streams to servers of the running policy are kept over a commit; an audit that starts has none.
 */
static void let_go_of_old(struct supervisor *sup, bool audit_starts)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &sup->children[i];

		if (is_running(child) &&
		    (audit_starts || child->syslog.transport == SNAPSHOT_TRANSPORT_UDP ||
		     !is_in_policy(&sup->running.snapshot, &child->syslog)))
			let_go(child);
	}
}

/* ---- a new one */

/* One that cannot be verified is not called at all. Return: 0, or errno. */
static int open_connection(struct supervisor *sup, uint32_t index, struct log_sender_ends *ends)
{
	const struct snapshot_syslog *server = &sup->running.snapshot.syslogs[index];

	if (server->transport == SNAPSHOT_TRANSPORT_TLS) {
		ends->authority_fd = outfit_open_slot(sup, server->authority_slot, KEYS_AUTHORITY);
		if (ends->authority_fd < 0)
			return ENOKEY;
	}
	errno = ENETUNREACH; /* no such zone */
	ends->socket_fd = sockets_syslog(sup, &sup->running.snapshot, index);
	return ends->socket_fd < 0 ? errno : 0;
}

static int launch(struct supervisor *sup, uint32_t index, struct log_sender_ends *ends)
{
	struct child *child = child_add(sup, ROLE_LOG_SENDER, index, NULL, -1, false);

	if (child == NULL)
		return ENOBUFS;
	child->syslog = sup->running.snapshot.syslogs[index];
	child->ends = *ends;
	*ends = LOG_SENDER_NO_ENDS;
	if (child_launch(child) == 0)
		return 0;
	close_ends(&child->ends);
	child->state = CHILD_FREE;
	return EAGAIN;
}

/* A log-sender for server @index of the running policy. Return: 0 with audit's end of the link in
 * @link, or errno. */
static int start(struct supervisor *sup, uint32_t index, int *link)
{
	struct log_sender_ends ends = LOG_SENDER_NO_ENDS;
	int fds[2], error = open_connection(sup, index, &ends);

	if (error == 0 && channel_pair(fds) < 0)
		error = errno;
	if (error == 0) {
		*link = fds[0];
		ends.link_fd = fds[1];
		error = launch(sup, index, &ends);
		if (error != 0)
			close_end(link);
	}
	close_ends(&ends);
	return error;
}

void log_senders_give(struct supervisor *sup, struct child *audit)
{
	const struct snapshot *snapshot = &sup->running.snapshot;

	if (!child_is_alive(audit))
		return; /* given when it starts */
	let_go_of_old(sup, audit->state == CHILD_STARTING);
	for (uint32_t i = 0; i < snapshot->syslog_count; i++) {
		int link = -1;

		/* A stream is asked for; so is what there is no way to now. */
		if (snapshot->syslogs[i].transport != SNAPSHOT_TRANSPORT_UDP ||
		    start(sup, i, &link) != 0)
			continue;
		child_give(audit, &(struct control_give){.kind = GIVE_SYSLOG, .index = i}, link);
		(void)close(link); /* audit has its own copy */
	}
}

int log_senders_handle_connect(struct child *audit, const struct control_connect *request)
{
	struct supervisor *sup = audit->sup;
	struct control_connected body = {.target = request->target, .error = ENOENT};
	int link = -1;

	if (sup->running.fd >= 0 && request->target < sup->running.snapshot.syslog_count) {
		let_go_of_server(sup, &sup->running.snapshot.syslogs[request->target]);
		body.error = start(sup, request->target, &link);
	}
	child_send(audit, CONTROL_CONNECTED, &body, sizeof(body), &link, link >= 0 ? 1 : 0);
	close_end(&link); /* audit has its own copy */
	return 0;
}

bool log_senders_is_of_log(const struct child *child)
{
	return child->role == ROLE_AUDIT || child->role == ROLE_LOG_SENDER;
}

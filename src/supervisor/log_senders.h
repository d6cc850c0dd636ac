/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process for each connection to a syslog server (ADR 811). */
#ifndef SEKISHO_SUPERVISOR_LOG_SENDERS_H
#define SEKISHO_SUPERVISOR_LOG_SENDERS_H

#include <stdbool.h>

#include "channel/control.h"

struct child;
struct supervisor;

/* What a log-sender is started with; -1: none. */
struct log_sender_ends {
	int socket_fd, link_fd, authority_fd;
};
#define LOG_SENDER_NO_ENDS ((struct log_sender_ends){-1, -1, -1})

/* Give @audit a log-sender for each server of the running policy that takes datagrams; for one that
 * has none now audit asks, as for a stream's. */
void log_senders_give(struct supervisor *sup, struct child *audit);
/* Audit asks for a connection: answer it. 0. */
int log_senders_handle_connect(struct child *audit, const struct control_connect *request);
/* Give a log-sender its ends. */
void log_senders_outfit(struct child *child);
/* Audit and its log-senders: they end behind all others, so that the last records leave. */
bool log_senders_is_of_log(const struct child *child);

#endif

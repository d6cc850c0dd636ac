/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that the kernel dropped because nobody took them from their queue. */
#ifndef SEKISHO_NETFILTER_QUEUE_LOSSES_H
#define SEKISHO_NETFILTER_QUEUE_LOSSES_H

#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot_base.h"

#define QUEUE_LOSSES_ROWS (2 * SNAPSHOT_QUEUES_MAX) /* queues of one zone */

/* A queue as it was seen last: its counts begin anew with another reader. */
struct queue_losses_row {
	uint32_t queue, reader;
	uint32_t full, unread;
	uint32_t last; /* number of the last packet */
};

/* Of all queues of a zone, since the first look. */
struct queue_losses {
	uint64_t full;   /* the queue held as many as it may */
	uint64_t unread; /* the socket towards us had no room */
	struct queue_losses_row rows[QUEUE_LOSSES_ROWS];
	size_t row_count;
};

/**
 * queue_losses_parse - add what the queues in the kernel's table have lost since they were seen
 * last
 * @text: lines of numbers, as in /proc/net/netfilter/nfnetlink_queue: queue, reader, waiting, mode,
 *        range, dropped by the queue, dropped towards its reader, last id, 1; NUL-terminated
 * Return: 0, or -ERR_SYNTAX, also past QUEUE_LOSSES_ROWS lines: @l is as it was.
 */
int queue_losses_parse(struct queue_losses *l, const char *text);

/**
 * queue_losses_read - the same from the file
 * @fd: of the zone's namespace; borrowed
 * Return: 0, -ERR_SYSTEM, or -ERR_SYNTAX where it is not understood: @l is as it was.
 */
int queue_losses_read(struct queue_losses *l, int fd);

#endif

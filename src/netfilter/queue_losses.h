/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that the kernel dropped because nobody took them from their queue. */
#ifndef SEKISHO_NETFILTER_QUEUE_LOSSES_H
#define SEKISHO_NETFILTER_QUEUE_LOSSES_H

#include <stdint.h>

struct queue_losses {
	uint64_t full;   /* the queue held as many as it may */
	uint64_t unread; /* the socket towards us had no room */
};

/**
 * queue_losses_parse - add up the losses of all queues in the kernel's table
 * @text: lines of numbers, as in /proc/net/netfilter/nfnetlink_queue: queue, reader, waiting, mode,
 *        range, dropped by the queue, dropped towards its reader, last id, 1; NUL-terminated
 * Return: 0, or -ERR_SYNTAX: @out is as it was.
 */
int queue_losses_parse(struct queue_losses *out, const char *text);

/**
 * queue_losses_read - the same from the file
 * @fd: of the zone's namespace; borrowed
 * Return: 0, -ERR_SYSTEM, or -ERR_SYNTAX where it is not understood: @out is as it was.
 */
int queue_losses_read(struct queue_losses *out, int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of packet queues, of which netlink tells nothing. */
#include "netfilter/queue_losses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { TABLE_BYTES = 2048 }; /* QUEUE_LOSSES_ROWS lines of some 60 bytes each */

/* Whether a count of 32 bits, which may go round, has gone on: it does less than half a round
 * between two looks. */
static bool goes_on(uint32_t before, uint32_t now)
{
	return now - before <= INT32_MAX;
}

/* What a queue had lost already when it was seen last; one that has another reader since, nothing:
 * also where the kernel has given the new reader the old one's number. */
static struct queue_losses_row seen_before(const struct queue_losses *l,
					   const struct queue_losses_row *row)
{
	for (size_t i = 0; i < l->row_count; i++) {
		const struct queue_losses_row *b = &l->rows[i];

		if (b->queue == row->queue && b->reader == row->reader &&
		    goes_on(b->full, row->full) && goes_on(b->unread, row->unread) &&
		    goes_on(b->last, row->last))
			return *b;
	}
	return (struct queue_losses_row){0};
}

int queue_losses_parse(struct queue_losses *l, const char *text)
{
	struct queue_losses now = {.full = l->full, .unread = l->unread};

	while (*text != '\0') {
		struct queue_losses_row row;
		const char *end = strchr(text, '\n');

		if (end == NULL || now.row_count == QUEUE_LOSSES_ROWS ||
		    sscanf(text, "%u %u %*u %*u %*u %u %u %u %*d", &row.queue, &row.reader,
			   &row.full, &row.unread, &row.last) != 5)
			return -ERR_SYNTAX;
		const struct queue_losses_row before = seen_before(l, &row);

		now.full += row.full - before.full;
		now.unread += row.unread - before.unread;
		now.rows[now.row_count++] = row;
		text = end + 1;
	}
	*l = now;
	return 0;
}

int queue_losses_read(struct queue_losses *l, int fd)
{
	char text[TABLE_BYTES];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got < 0)
		return -ERR_SYSTEM;
	text[got] = '\0';
	return queue_losses_parse(l, text);
}

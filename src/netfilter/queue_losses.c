/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of packet queues, of which netlink tells nothing. */
#include "netfilter/queue_losses.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { TABLE_BYTES = 2048 }; /* two queues a zone, a line of some 60 bytes each */

int queue_losses_parse(struct queue_losses *out, const char *text)
{
	struct queue_losses sum = {0};

	while (*text != '\0') {
		unsigned full, unread;
		const char *end = strchr(text, '\n');

		if (end == NULL ||
		    sscanf(text, "%*u %*u %*u %*u %*u %u %u %*u %*d", &full, &unread) != 2)
			return -ERR_SYNTAX;
		sum.full += full;
		sum.unread += unread;
		text = end + 1;
	}
	*out = sum;
	return 0;
}

int queue_losses_read(struct queue_losses *out, int fd)
{
	char text[TABLE_BYTES];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got < 0)
		return -ERR_SYSTEM;
	text[got] = '\0';
	return queue_losses_parse(out, text);
}

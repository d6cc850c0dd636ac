/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log-senders in the loop of whoever includes this, as the supervisor starts processes of them. */
#ifndef SEKISHO_TESTS_LOG_SENDERS_HERE_H
#define SEKISHO_TESTS_LOG_SENDERS_HERE_H

#include <stdlib.h>
#include <unistd.h>

#include "log-sender/transport.h"

#define HERE_MAX 8 /* at a time: an old one lives until it sees the end of its link */

struct log_senders_here {
	struct log_sender_here {
		bool used;
		struct transport transport;
	} all[HERE_MAX];
	struct transport *last; /* that was started */
};

static void here_ended(void *ctx)
{
	struct log_sender_here *one = ctx;

	one->used = false;
}

/* @wish: all but its link and its end. Return: audit's end of the link; -1: it could not be. */
static inline int here_start(struct log_senders_here *h, struct loop *loop,
			     struct transport_wish wish)
{
	struct log_sender_here *one = h->all;
	int fds[2];

	while (one < h->all + HERE_MAX && one->used)
		one++;
	if (one == h->all + HERE_MAX || channel_pair(fds) < 0)
		abort();
	one->used = true;
	wish.link_fd = fds[1];
	wish.ended = here_ended;
	wish.ctx = one;
	h->last = &one->transport;
	if (transport_open(&one->transport, loop, &wish) < 0) {
		one->used = false;
		(void)close(fds[0]); /* nobody is there */
		return -1;
	}
	return fds[0];
}

static void here_close_all(struct log_senders_here *h)
{
	for (size_t i = 0; i < HERE_MAX; i++) {
		if (h->all[i].used)
			transport_close(&h->all[i].transport);
		h->all[i].used = false;
	}
}

#endif

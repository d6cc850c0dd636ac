/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the transports share: the place in the log, and what happens when a server is away. */
#ifndef SEKISHO_AUDIT_SENDER_PRIVATE_H
#define SEKISHO_AUDIT_SENDER_PRIVATE_H

#include "audit/sender.h"

extern const struct sender_way sender_udp, sender_tcp, sender_tls;

/* Fill in all but the socket. @way: of this server. */
void sender_init(struct sender *s, const struct sender_way *way, struct loop *loop,
		 const struct store *store, struct sender_report report, const char *name);

/* Watch the stream or datagram socket @fd, taken. Return: 0 or -ERR_NO_SPACE (closed). */
int sender_watch(struct sender *s, int fd);

/* Stop watching and close the socket, if there is one. */
void sender_unwatch(struct sender *s);

/* sender_tls.c: what a stream under TLS does beyond. */

/* Make a session ready on the stream's link. Return: whether it is; else the log says why not. */
bool sender_tls_prepare(struct sender *s, const struct sender_connection *connection);
/* There is no connection, for want of something to verify the server with. */
void sender_tls_unverifiable(struct sender *s);
/* The server takes us: say who it is, and how strongly it is reached. */
void sender_tls_settled(struct sender *s);
/* The connection is about to be given up: say so where TLS is to blame. */
void sender_tls_blame(struct sender *s);

/* Load the place and start the timers. @first_ms: until the way's first step. */
void sender_begin(struct sender *s, uint64_t first_ms);

/* The first record that the server may not have got. */
uint64_t sender_place_in_doubt(const struct sender *s);

/**
 * sender_pause - the server (or the way to it) refuses: go back, wait, then try
 * @sequence: the first record that it may not have
 * @error:    errno, for the log
 */
void sender_pause(struct sender *s, uint64_t sequence, int error);

/* The server is there: send on. */
void sender_flow(struct sender *s);

/**
 * sender_some - send up to @most records
 * Return: how many, or the error that ended it (-ERR_AGAIN: nothing more to send now).
 */
int sender_some(struct sender *s, unsigned most);

/* The last record that was sent goes out once more, unless the store has let it go. */
void sender_repeat(struct sender *s);

#endif

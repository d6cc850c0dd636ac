/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the place in the log (sender.c) and the link to the log-sender (sender_link.c) have of each
 * other. */
#ifndef SEKISHO_AUDIT_SENDER_PRIVATE_H
#define SEKISHO_AUDIT_SENDER_PRIVATE_H

#include "audit/sender.h"

/* ---- sender.c */

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

/* ---- sender_link.c */

/* There is none yet. */
void sender_link_init(struct sender *s);

/* Watch the link @fd, taken. Return: 0 or -ERR_NO_SPACE (closed). */
int sender_link_open(struct sender *s, int fd);

/* Close it, if there is one: the log-sender ends its connection. */
void sender_link_close(struct sender *s);

/* What is handed over from now on is another run. */
void sender_link_turn(struct sender *s);

/* Hand over one record. Return: 0; -ERR_AGAIN: not now, or to nobody: then the link's end follows.
 */
int sender_link_send(struct sender *s, uint64_t sequence, struct span line);

/* The link is of no use any more: close it and go back. @error: errno, for the log. */
void sender_link_give_up(struct sender *s, int error);

/* ---- sender_tell.c: what is told of TLS */

/* Once for each reason in a row. @blame: as in struct log_sender_refused. */
void sender_tell_blame(struct sender *s, uint32_t blame);
/* There is no connection, for want of something to verify the server with. */
void sender_tell_unverifiable(struct sender *s);
/* The server takes us: say who it is, and how strongly it is reached. */
void sender_tell_joined(struct sender *s, const struct log_sender_joined *joined);

#endif

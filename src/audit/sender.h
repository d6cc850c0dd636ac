/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending the log to syslog servers, each record one datagram (RFC 5426), always read back from the
 * local log: in order, nothing left out, from where the last run ended. UDP acknowledges nothing,
 * but two things show that a server is away: ICMP errors, which the socket's error queue returns
 * with the record's own bytes, and datagrams that stay in the socket because no neighbour answers.
 * Then sending waits, tries one record at a time, and goes on once nothing is refused: from some
 * seconds before the first sign, because hosts send few ICMP errors and the kernel trusts a silent
 * neighbour for a while. A record may so arrive twice; its number shows it.
 */
#ifndef SEKISHO_AUDIT_SENDER_H
#define SEKISHO_AUDIT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/store.h"
#include "base/loop.h"

#define SENDER_NAME_BYTES    72    /* "192.0.2.20-514" */
#define SENDER_BURST         64    /* records at once, then others are served */
#define SENDER_RETRY_MS      1000U /* first pause after an error; doubles to the next */
#define SENDER_RETRY_MOST_MS 8000U
#define SENDER_QUIET_MS      3500U /* no error for so long: the record arrived */
#define SENDER_SAVE_S        5
#define SENDER_LOOK_MS       250U /* between two looks at what has not left the socket */
#define SENDER_STUCK_LOOKS   4    /* so many in a row with something in it: no neighbour answers */

/*
 * What was sent so many seconds before the first sign of trouble is sent again: a host sends few
 * ICMP errors, a firewall may not let the first ones in, and the kernel asks for a silent neighbour
 * only after 5 s and gives it up after 3 more.
 */
#define SENDER_DOUBT_S 10
#define SENDER_TRAIL_S (SENDER_DOUBT_S + 1)

enum sender_state {
	SENDER_CLOSED, /* no socket */
	SENDER_FLOWING,
	SENDER_PAUSED, /* an error came: wait, then try one record */
	SENDER_TRYING, /* one record is out: silence means that the server is back */
};

/* How a sender tells the log what happened to it. */
struct sender_report {
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	void *ctx;
};

struct sender {
	struct loop *loop;
	const struct store *store;
	struct sender_report report;
	char name[SENDER_NAME_BYTES]; /* of the server, and of the file that keeps its place */
	enum sender_state state;
	struct loop_fd watch;
	struct loop_timer timer; /* next burst, retry or end of the quiet time */
	struct loop_timer second_timer, look_timer;
	unsigned stuck_looks;
	bool away; /* and the log says so */
	struct store_cursor cursor;
	uint64_t trail[SENDER_TRAIL_S]; /* what was due 0..1 s ago, 1..2 s ago, ... */
	unsigned seconds;
	uint64_t retry_ms;
};

/**
 * sender_open - begin (or go on) sending to one server
 * @name: of the server: letters, digits, dots, colons and dashes only
 * @fd:   connected datagram socket, taken
 * @known: records flowed to this server a moment ago; otherwise the first one goes alone
 * Return: 0 or -ERR_NO_SPACE (the loop is full; the socket is closed).
 */
int sender_open(struct sender *s, struct loop *loop, const struct store *store,
		struct sender_report report, const char *name, int fd, bool known);
/* Save the place and close; the struct may be opened again. */
void sender_close(struct sender *s);
/* New records are on the disk. */
void sender_kick(struct sender *s);

#endif

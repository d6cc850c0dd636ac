/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending the log to syslog servers, each record one datagram (RFC 5426), always read back from the
 * local log: in order, nothing left out, from where the last run ended. UDP acknowledges nothing;
 * what the network refuses (ICMP, no neighbour) is seen in the socket's error queue with the
 * record's own bytes, and sent again from there once the server answers no more errors.
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
#define SENDER_QUIET_MS                                                                            \
	3500U /* no error for so long: the record arrived (a neighbour is given up after 3 s) */
#define SENDER_SAVE_MS 5000U

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
	struct loop_timer save_timer;
	struct store_cursor cursor;
	uint64_t settled;  /* records before this one were sent long enough ago */
	uint64_t settling; /* becomes settled with the next save */
	uint64_t retry_ms;
};

/**
 * sender_open - begin (or go on) sending to one server
 * @name: of the server: letters, digits, dots, colons and dashes only
 * @fd:   connected datagram socket, taken
 * Return: 0 or -ERR_NO_SPACE (the loop is full; the socket is closed).
 */
int sender_open(struct sender *s, struct loop *loop, const struct store *store,
		struct sender_report report, const char *name, int fd);
/* Save the place and close; the struct may be opened again. */
void sender_close(struct sender *s);
/* There are new records. */
void sender_kick(struct sender *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending the log to syslog servers, always read back from the local log: in order, nothing left
 * out, from where the last run ended. A server that is away is waited for; what it may not have
 * got is sent again, so a record may arrive twice, which its number shows.
 *
 * UDP (RFC 5426), each record one datagram: nothing is acknowledged, but two things show that a
 * server is away: ICMP errors, which the socket's error queue returns with the record's own bytes,
 * and datagrams that stay in the socket because no neighbour answers. Then sending waits, tries one
 * record at a time, and goes on once nothing is refused: from some seconds before the first sign,
 * because hosts send few ICMP errors and the kernel trusts a silent neighbour for a while.
 *
 * TCP (RFC 6587, octet counting): the connection is made anew whenever it ends. The peer's host
 * acknowledges bytes, not its syslog server records: sending goes on from what was acknowledged
 * some seconds before the end, or before the host began to refuse more. A server that hangs longer
 * than that while its host still has room for what comes, and is then killed, loses what it had not
 * read: the gap in its numbers shows it.
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
#define SENDER_STALL_LOOKS   80 /* so many in a row without an acknowledgement: a dead connection */
#define SENDER_CONNECT_MS    10000U
#define SENDER_MARKS         64 /* places in a stream whose acknowledgement is waited for */

/*
 * What was sent so many seconds before the first sign of trouble is sent again: a host sends few
 * ICMP errors, a firewall may not let the first ones in, and the kernel asks for a silent neighbour
 * only after 5 s and gives it up after 3 more.
 */
#define SENDER_DOUBT_S 10
#define SENDER_TRAIL_S (SENDER_DOUBT_S + 1)

enum sender_state {
	SENDER_CLOSED, /* nothing is open */
	SENDER_FLOWING,
	SENDER_PAUSED, /* an error came: wait, then try again */
	SENDER_TRYING, /* UDP: one record is out: silence means that the server is back; TCP: a
			  connection is asked for or being made */
};

/* What a sender has of its surroundings. */
struct sender_report {
	/* Tells the log what happened. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	/* TCP: a new connection is wanted; it comes, or does not, by sender_connected. */
	void (*connect)(void *ctx, const char *name);
	void *ctx;
};

struct sender;

/* A transport. */
struct sender_way {
	uint32_t transport; /* enum snapshot_transport */
	/* Take one record. Return: 0; -ERR_AGAIN: not now; -ERR_CLOSED: refused, errno says how. */
	int (*send)(struct sender *s, struct span line);
	/* It was refused with the error number @error: what may be lost is sent again, later. */
	void (*refused)(struct sender *s, int error);
	/* The timer of a paused or trying sender has fired. */
	void (*retry)(struct sender *s);
	/* The socket is ready; @revents as from poll. */
	void (*ready)(struct sender *s, short revents);
	/* Every SENDER_LOOK_MS: does the socket still get rid of what it was given? */
	void (*look)(struct sender *s);
	/* Records before this number have left for good, as far as this transport can tell. */
	uint64_t (*reached)(const struct sender *s);
};

/* What a stream has in flight: the frame that is being written, and which record ends where. */
struct sender_stream {
	uint8_t frame[STORE_LINE_MAX + 8];
	size_t frame_size, frame_at;
	uint64_t written_bytes, acknowledged_bytes; /* of this connection */
	uint64_t acknowledged;                      /* records before this number */
	struct sender_mark {
		uint64_t end_bytes, sequence;
	} marks[SENDER_MARKS]; /* oldest first */
	size_t mark_count;
};

struct sender {
	const struct sender_way *way;
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
	struct sender_stream stream;
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

/**
 * sender_open_stream - begin sending to one server by TCP; its first connection is asked for soon
 * @name: as for sender_open
 */
void sender_open_stream(struct sender *s, struct loop *loop, const struct store *store,
			struct sender_report report, const char *name);

/**
 * sender_connected - the answer to report.connect
 * @fd:    connecting non-blocking stream socket, taken; -1: there is none
 * @error: errno of why there is none
 * One that was not asked for is closed.
 */
void sender_connected(struct sender *s, int fd, int error);
/* Save the place and close; the struct may be opened again. */
void sender_close(struct sender *s);
/* New records are on the disk. */
void sender_kick(struct sender *s);

#endif

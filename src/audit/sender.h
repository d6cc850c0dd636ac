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
 * because hosts send few ICMP errors and the kernel trusts a silent neighbour for a while. Where no
 * error has ever come, quiet proves less: the first record then goes twice. What the server's
 * socket has no room for is lost without a sign: a backlog goes at SENDER_UDP_PACE beside what is
 * new.
 *
 * TCP (RFC 6587, octet counting): the connection is made anew whenever it ends. The peer's host
 * acknowledges bytes, not its syslog server records: sending goes on from what was acknowledged
 * some seconds before the end, or before the host began to refuse more. A server that hangs longer
 * than that while its host still has room for what comes, and is then killed, loses what it had not
 * read: the gap in its numbers shows it.
 *
 * TLS (RFC 5425), the same over a connection whose server has proved that it is the configured one:
 * without that not a record is sent, and the log says why. A server that does not want us may say
 * so only behind the handshake (TLS 1.3), so a new connection is left alone for a moment first.
 */
#ifndef SEKISHO_AUDIT_SENDER_H
#define SEKISHO_AUDIT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/store.h"
#include "base/loop.h"
#include "tls/stream.h"

#define SENDER_NAME_BYTES    72    /* "192.0.2.20-514" */
#define SENDER_PEER_BYTES    256   /* a host name or an address, with NUL */
#define SENDER_BURST         64    /* records at once, then others are served */
#define SENDER_PAUSE_MS      10U   /* ... for so long */
#define SENDER_RETRY_MS      1000U /* first pause after an error; doubles to the next */
#define SENDER_RETRY_MOST_MS 8000U
#define SENDER_QUIET_MS      3500U /* no error for so long: the record arrived */
#define SENDER_SAVE_S        5
#define SENDER_LOOK_MS       250U /* between two looks at what has not left the socket */
#define SENDER_STUCK_LOOKS   4    /* so many in a row with something in it: no neighbour answers */
#define SENDER_STALL_LOOKS   80 /* so many in a row without an acknowledgement: a dead connection */
#define SENDER_CONNECT_MS    10000U
#define SENDER_SETTLE_MS     500U /* TLS: a server that does not end it in this time takes us */
#define SENDER_MARKS         64   /* places in a stream whose acknowledgement is waited for */

/*
 * What was sent so many seconds before the first sign of trouble is sent again: a host sends few
 * ICMP errors, a firewall may not let the first ones in, and the kernel asks for a silent neighbour
 * only after 5 s and gives it up after 3 more.
 */
#define SENDER_DOUBT_S 10
#define SENDER_TRAIL_S (SENDER_DOUBT_S + 1)

/*
 * UDP: records at once, each SENDER_PAUSE_MS, beside as many as were recorded of late. rsyslog and
 * syslog-ng have the room that the kernel gives by default (net.core.rmem_default, 212,992 bytes):
 * 166 records of up to half a KiB, by its count of 1,280 bytes each. So a server may read nothing
 * for 0.4 s while a backlog comes; at 64 at once it was 26 ms.
 */
#define SENDER_UDP_PACE 4U

enum sender_state {
	SENDER_CLOSED, /* nothing is open */
	SENDER_FLOWING,
	SENDER_PAUSED, /* an error came: wait, then try again */
	SENDER_TRYING, /* UDP: one record is out: silence means that the server is back; streams: a
			  connection is asked for or being made */
};

/* How far a stream that is tried has come. */
enum sender_phase {
	SENDER_CONNECTING,
	SENDER_SHAKING,  /* TLS: the handshake is under way */
	SENDER_SETTLING, /* TLS: it is done, SENDER_SETTLE_MS are not over */
};

/* What a sender has of its surroundings. */
struct sender_report {
	/* Tells the log what happened. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	/* Streams: a new connection is wanted; it comes, or does not, by sender_connected. */
	void (*connect)(void *ctx, const char *name);
	void *ctx;
};

struct sender;

/* A transport. */
struct sender_way {
	uint32_t transport; /* enum snapshot_transport */
	/* Records at once beside those recorded of late; 0: SENDER_BURST, whatever was recorded. */
	unsigned pace;
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
	/* The socket is about to be closed. */
	void (*leave)(struct sender *s);
};

/*
 * A connection, and what it has in flight: the frame that is being written, and which record ends
 * where among the octets that the socket was given.
 */
struct sender_stream {
	enum sender_phase phase;
	struct stream link;
	char peer[SENDER_PEER_BYTES]; /* TLS: that the server's certificate must be for */
	const char *failure; /* TLS: why it failed last, as the log says it; NULL: it did not */
	uint8_t frame[STORE_LINE_MAX + 8];
	size_t frame_size, frame_at;
	uint64_t frame_sequence;     /* of the record in the frame */
	uint64_t acknowledged_bytes; /* of this connection */
	uint64_t acknowledged;       /* records before this number */
	struct sender_mark {
		uint64_t end_bytes, sequence;
	} marks[SENDER_MARKS]; /* oldest first */
	size_t mark_count;
};

/* A connection that was asked for, or why there is none. */
struct sender_connection {
	int fd;           /* connecting, non-blocking; -1: none */
	int authority_fd; /* TLS: PEM to verify the server with; -1: none */
	int identity_fd;  /* TLS: our certificate and key in PEM; -1: we show none */
	int error;        /* errno of why there is none; ENOKEY: there is nothing to verify with */
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
	uint64_t gone_begin, gone_end;  /* of what went unsent: first not told of, end of all */
	uint64_t gone_count;            /* records that went unsent and are not told of yet */
	uint64_t trail[SENDER_TRAIL_S]; /* what was due 0..1 s ago, 1..2 s ago, ... */
	unsigned seconds;
	uint64_t durable_before; /* store->durable a second ago */
	uint64_t recent;         /* records of the second before */
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
 * @peer: under TLS: that the server's certificate must be for, a host name or an address; NULL: in
 *        plain text
 */
void sender_open_stream(struct sender *s, struct loop *loop, const struct store *store,
			struct sender_report report, const char *name, const char *peer);

/**
 * sender_connected - the answer to report.connect
 * @connection: its descriptors are taken; one that was not asked for is closed
 */
void sender_connected(struct sender *s, const struct sender_connection *connection);
/* Close a connection that nobody waits for. */
void sender_refuse(const struct sender_connection *connection);
/* Save the place and close; the struct may be opened again. */
void sender_close(struct sender *s);
/* Close for good: the server is no longer one of ours, so what is gone is told now or never. */
void sender_leave(struct sender *s);
/* New records are on the disk. */
void sender_kick(struct sender *s);

#endif

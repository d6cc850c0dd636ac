/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending the log to syslog servers, always read back from the local log: in order, nothing left
 * out, from where the last run ended. A server that is away is waited for; what it may not have
 * got is sent again, so a record may arrive twice, which its number shows.
 *
 * No octet of a server is read here: each connection is a process of its own (log-sender), which
 * holds the socket and says over its link how far the records have come (channel/log_sender.h).
 * The place in the log moves on nothing else. A link that ends is a connection that ends.
 *
 * UDP (RFC 5426), each record one datagram: nothing is acknowledged. Where an error comes back, or
 * datagrams stay in the socket, sending waits, tries one record at a time, and goes on once nothing
 * is refused: from some seconds before the first sign, because hosts send few ICMP errors and the
 * kernel trusts a silent neighbour for a while. Where no error has ever come, quiet proves less:
 * the first record then goes twice. What the server's socket has no room for is lost without a
 * sign: a backlog goes at SENDER_UDP_PACE beside what is new.
 *
 * TCP (RFC 6587, octet counting): the connection is made anew whenever it ends. The peer's host
 * acknowledges bytes, not its syslog server records: sending goes on from what was acknowledged
 * some seconds before the end, or before the host began to refuse more. A server that hangs longer
 * than that while its host still has room for what comes, and is then killed, loses what it had not
 * read: the gap in its numbers shows it.
 *
 * TLS (RFC 5425), the same over a connection whose server has proved that it is the configured one:
 * without that not a record is handed over, and the log says why.
 */
#ifndef SEKISHO_AUDIT_SENDER_H
#define SEKISHO_AUDIT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/store.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/log_sender.h"

#define SENDER_NAME_BYTES    72    /* "192.0.2.20-514" */
#define SENDER_PEER_BYTES    256   /* a host name or an address, with NUL */
#define SENDER_BURST         64    /* records at once, then others are served */
#define SENDER_PAUSE_MS      10U   /* ... for so long */
#define SENDER_RETRY_MS      1000U /* first pause after an error; doubles to the next */
#define SENDER_RETRY_MOST_MS 8000U
#define SENDER_QUIET_MS      3500U /* no error for so long: the record arrived */
#define SENDER_SAVE_S        5
#define SENDER_JOIN_MS       12000U /* for a stream's connection: the log-sender gives up before */
#define SENDER_MESSAGES      16     /* of one log-sender in one round */

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

/* What a sender has of its surroundings. */
struct sender_report {
	/* Tells the log what happened. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	/* A new connection is wanted; it comes, or does not, by sender_connected. */
	void (*connect)(void *ctx, const char *name);
	void *ctx;
};

struct sender;

/* The link to the log-sender that holds the connection. */
struct sender_link {
	struct channel channel;
	struct loop_fd watch; /* fd -1: there is none */
	bool joined;          /* records may be handed over */
	uint64_t sent, taken; /* records on this link: handed over, and taken off it */
	uint32_t run;         /* of what is handed over now; an older one is not sent any more */
	uint64_t sent_end;    /* behind the last record that was handed over in this run */
	uint64_t reached;     /* records before this number have left for good */
	bool stuck;           /* the socket does not get rid of what it was given */
	int error;            /* errno of its end */
};

struct sender {
	struct loop *loop;
	const struct store *store;
	struct sender_report report;
	char name[SENDER_NAME_BYTES]; /* of the server, and of the file that keeps its place */
	char peer[SENDER_PEER_BYTES]; /* TLS: that the server's certificate must be for; else "" */
	bool datagrams;               /* UDP */
	enum sender_state state;
	struct sender_link link;
	struct loop_timer timer; /* next burst, retry or end of the quiet time */
	struct loop_timer second_timer;
	const char *failure; /* TLS: why it failed last, as the log says it; NULL: it did not */
	bool away;           /* and the log says so */
	struct store_cursor cursor;
	uint64_t gone_begin, gone_end;  /* of what went unsent: first not told of, end of all */
	uint64_t gone_count;            /* records that went unsent and are not told of yet */
	uint64_t trail[SENDER_TRAIL_S]; /* what was due 0..1 s ago, 1..2 s ago, ... */
	unsigned seconds;
	uint64_t durable_before; /* store->durable a second ago */
	uint64_t recent;         /* records of the second before */
	uint64_t retry_ms;
};

/**
 * sender_open - begin (or go on) sending to one server by UDP
 * @name: of the server: letters, digits, dots, colons and dashes only
 * @fd:   link to the log-sender that holds the socket, taken; -1: one is asked for
 * @known: records flowed to this server a moment ago; otherwise the first one goes alone
 * Return: 0 or -ERR_NO_SPACE (the loop is full; the link is closed).
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
 * @fd: link to a log-sender, taken; one that was not asked for is closed; -1: there is none
 * @error: then errno of why; ENOKEY: there is nothing to verify the server with
 */
void sender_connected(struct sender *s, int fd, int error);
/* Save the place and close; the struct may be opened again. */
void sender_close(struct sender *s);
/* Close for good: the server is no longer one of ours, so what is gone is told now or never. */
void sender_leave(struct sender *s);
/* New records are on the disk. */
void sender_kick(struct sender *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection to one syslog server, and the link to audit (channel/log_sender.h), which has the
 * records, knows the place reached and decides what to do when a server is away. Here is only what
 * a socket can tell of that.
 *
 * UDP (RFC 5426), each record one datagram: nothing is acknowledged, but two things show that a
 * server is away: ICMP errors, which the socket's error queue returns with the record's own bytes,
 * and datagrams that stay in the socket because no neighbour answers.
 *
 * TCP (RFC 6587, octet counting) and TLS (RFC 5425): the peer's host acknowledges octets. A server
 * that does not want us may say so only behind the handshake (TLS 1.3), so a new connection is left
 * alone for a moment first.
 */
#ifndef SEKISHO_LOG_SENDER_TRANSPORT_H
#define SEKISHO_LOG_SENDER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/log_sender.h"
#include "policy/snapshot.h"
#include "tls/stream.h"
#include "wire/log/chain.h"

#define TRANSPORT_BURST       64     /* records, errors or answers in one turn of the loop */
#define TRANSPORT_LOOK_MS     250U   /* between two looks at what has not left the socket */
#define TRANSPORT_STUCK_LOOKS 4      /* so many in a row with something in it: no neighbour */
#define TRANSPORT_STALL_LOOKS 80     /* so many without an acknowledgement: a dead connection */
#define TRANSPORT_CONNECT_MS  10000U /* for a connection and its handshake */
#define TRANSPORT_SETTLE_MS   500U   /* TLS: a server that does not end it in this time takes us */
#define TRANSPORT_MARKS       64     /* places in a stream whose acknowledgement is waited for */
#define TRANSPORT_FRAME_BYTES (LOG_CHAIN_LINE_MAX + 8) /* a record and its count of octets */

/* How far a connection has come. */
enum transport_phase {
	TRANSPORT_CONNECTING,
	TRANSPORT_SHAKING,  /* TLS: the handshake is under way */
	TRANSPORT_SETTLING, /* TLS: it is done, TRANSPORT_SETTLE_MS are not over */
	TRANSPORT_JOINED,   /* records are taken */
	TRANSPORT_OVER,     /* all is closed */
};

struct transport;

/* What a kind of transport does. */
struct transport_way {
	/* Make the socket ready, before anything else. Return: why it cannot be, or none. */
	enum tls_fault (*begin)(struct transport *t);
	/* Put the record @line into the empty frame. */
	void (*frame)(struct transport *t, struct span line);
	/* Write the frame. Return: 0 all of it; -ERR_AGAIN; -ERR_CLOSED: refused, errno says how.
	 */
	int (*write)(struct transport *t);
	/* That was refused with the error number @error. */
	void (*refused)(struct transport *t, int error);
	/* The socket is ready; @revents as from poll. */
	void (*ready)(struct transport *t, short revents);
	/* Every TRANSPORT_LOOK_MS: does the socket still get rid of what it was given? */
	void (*look)(struct transport *t);
	/* What to poll for. @pending: a frame waits for room. */
	short (*events)(const struct transport *t, bool pending);
	/* The socket is about to be closed; may be NULL. */
	void (*leave)(struct transport *t);
};

extern const struct transport_way transport_datagrams, transport_streams;

/* What is to be reached. */
struct transport_wish {
	uint32_t kind;    /* enum snapshot_transport */
	const char *peer; /* TLS: that the server's certificate must be for; borrowed */
	int socket_fd;    /* connected or connecting, non-blocking; taken */
	int link_fd;      /* to audit; taken */
	int authority_fd; /* TLS: PEM to verify the server with; borrowed; -1: none */
	int identity_fd;  /* TLS: our certificate and key in PEM; borrowed; -1: we show none */
	void (*ended)(void *ctx); /* all is closed; the last that is called */
	void *ctx;
};

/* A connection's octets in flight: which record ends where among what the socket was given. */
struct transport_stream {
	struct stream link;
	bool secure;
	uint64_t acknowledged_bytes;
	struct transport_mark {
		uint64_t end_bytes, sequence;
	} marks[TRANSPORT_MARKS]; /* oldest first */
	size_t mark_count;
};

struct transport {
	const struct transport_way *way;
	struct transport_wish wish;
	struct loop *loop;
	struct channel link;
	struct loop_fd link_watch, watch; /* watch: the socket */
	struct loop_timer timer;          /* of a phase */
	struct loop_timer look_timer;
	enum transport_phase phase;
	unsigned stuck_looks;
	uint8_t frame[TRANSPORT_FRAME_BYTES];
	size_t frame_size, frame_at; /* equal: nothing is being written */
	struct log_sender_record frame_record;
	uint32_t refused_run;               /* records of this run and before go nowhere */
	struct log_sender_report now, told; /* what is so, and what audit knows of it */
	struct log_sender_refused refusal;  /* UDP, not told yet; error 0: none */
	struct transport_stream stream;
};

/**
 * transport_open - begin; audit is told over the link how it goes
 * Return: 0; -ERR_NO_SPACE (the loop is full; the descriptors are closed). A session that cannot be
 * prepared is told to audit, and ended.
 */
int transport_open(struct transport *t, struct loop *loop, const struct transport_wish *wish);

/* Close all, without a word; nothing where that was done. */
void transport_close(struct transport *t);

/* ---- for the ways */

/* Records are taken from now on. */
void transport_join(struct transport *t);
/* The frame is done with, written or not. */
void transport_drop_frame(struct transport *t);
/* Tell audit what has changed, and go on taking records where there is room. */
void transport_settle(struct transport *t);
/* The connection is of no use any more: tell audit, and close. */
void transport_give_up(struct transport *t, int error, uint32_t blame);

/* secure.c: make a session ready on the stream's link. Return: 0, or why not. */
enum tls_fault transport_prepare_tls(struct transport *t);
/* secure.c: why TLS is to blame for the end in this phase; 0: it is not. */
uint32_t transport_blame(const struct transport *t);

#endif

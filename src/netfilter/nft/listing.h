/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that need every flow of a zone. The kernel's table is read from the event loop, a piece
 * at a time, by sockets on which nothing else waits: packets are served between two pieces however
 * long the table is. One table is read at a time; later questions wait for their turn.
 */
#ifndef SEKISHO_NETFILTER_NFT_LISTING_H
#define SEKISHO_NETFILTER_NFT_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "channel/packet.h"
#include "netfilter/answer/answer.h"
#include "netfilter/flows/flows.h"
#include "netfilter/nft/text.h"
#include "policy/snapshot.h"

#define LISTING_ASKERS_MAX  8     /* the one that is answered, and those that wait */
#define LISTING_PIECE_BYTES 16384 /* of the table in one turn: some 50 flows, 0.25 ms */
#define LISTING_TOP_MAX     50
#define LISTING_TALKERS_MAX 4096 /* addresses that are told apart in one answer */

struct listing;
struct netlink_message;
struct zone;

/* How a question about flows, or about other tables of the kernel, is answered. */
struct listing_kind {
	/* Read the question, and send the heading or a refusal. */
	void (*begin)(struct listing *l);
	/* One flow of l->zone, of any generation; sends one row at most. */
	void (*take)(struct listing *l, const struct flow *flow);
	/* What else of l->zone than its flows is to be read: send the next dump's request by its
	 * flows_fd. Return: 1: done so; 0: nothing more; or an error. NULL: its flows. */
	int (*request)(struct listing *l);
	/* One message of such a dump. */
	void (*take_message)(struct listing *l, const struct netlink_message *m);
	/* Between two zones, and behind the last: send one row of what the zone before has left, or
	 * take a step towards it. Return: false: there is nothing left. May be NULL. */
	bool (*go_on)(struct listing *l);
	/* All of that zone's were taken; sends nothing. May be NULL. */
	void (*end_zone)(struct listing *l);
	/* Behind the last flow: sends one row at a time, the last with CONTROL_ROW_LAST. */
	void (*close)(struct listing *l);
	/* An order rather than a question: carried out whether or not somebody waits, and recorded
	 * where a change of policy ends it early. NULL: a question. */
	void (*record)(struct listing *l);
	bool own; /* netfilter's own question: its rows go to nobody */
};

/* `show flows` and `clear flow`. */
enum listing_by { LISTING_BY_FLOW, LISTING_BY_SOURCE, LISTING_BY_DESTINATION };

struct listing_filter {
	uint8_t source_family, destination_family; /* 0: any */
	uint8_t source[16], destination[16];
	bool has_port, has_permit;
	uint64_t port, permit, top; /* top: 0: all, as they come */
	enum listing_by by;
};

/* What all flows of one address, at one end of them, make together. */
struct listing_talker {
	uint32_t zone; /* of that end; index in the running policy */
	uint8_t family;
	uint8_t address[16];
	uint64_t flows, packets, bytes;
};

struct listing_talkers {
	struct listing_talker found[LISTING_TALKERS_MAX];
	uint16_t order[LISTING_TALKERS_MAX]; /* of them, by zone and address; at last by bytes */
	size_t count;
	struct listing_talker others; /* the sums of those for whom there is no room or no row */
};

struct listing_flows {
	struct listing_filter filter;
	struct flow top[LISTING_TOP_MAX]; /* descending by bytes */
	size_t top_count, shown;
	struct listing_talkers talkers;      /* instead, where addresses are asked for */
	bool ranked;                         /* ... and they are in their order */
	struct flow clear[PACKET_BATCH_MAX]; /* ended with one message */
	size_t clear_count;
	uint64_t cleared;
	bool some_here; /* of them, in the zone that is read */
};

/* `show permits` and `show crossing`. Flows that run now. */
struct listing_sum {
	uint64_t flows, packets, bytes; /* of the running generation */
	uint64_t counted; /* for the permit's limit: also those that are not judged anew yet */
};

struct listing_permits {
	struct listing_sum sums[SNAPSHOT_PERMITS_MAX]; /* by index in the running policy */
	uint64_t unknown[SNAPSHOT_ZONES_MAX]; /* begun in the zone by a policy that is forgotten */
	uint64_t unused_days;                 /* UINT64_MAX: used or not */
	char zone[SNAPSHOT_NAME_BYTES];       /* either of a permit's; empty: any */
	uint32_t next;                        /* permit or direction to be shown */
};

/* `show rules`: a zone's rules are read whole, printed a piece at a time and sent line by line. */
struct listing_rules {
	uint32_t stage; /* which dump */
	uint32_t tries; /* how often the zone's rules were changed while they were read */
	bool lost_set;  /* ... and now: one has gone since its name was read */
	bool differed;  /* netfilter's own comparison: at the reading before this one */
	bool printing;  /* what is kept, line by line */
	bool printed;   /* to the last line, which may still wait to be sent */
	uint32_t generation, generation_after; /* the kernel's count of transactions */
	uint32_t signs, signs_after; /* of those, netfilter's own signs of life, by its count */
	uint32_t asked_changes;      /* of what is asked for, when the reading began */
	size_t sets_at;       /* in l->kept: behind the last set whose elements were asked for */
	bool is_filled;       /* by packets: that set */
	uint32_t elements;    /* of that set in l->kept */
	uint32_t left_out;    /* of that set, and are counted only */
	struct nft_text text; /* l->kept as text */
	size_t sent;          /* bytes of l->lines */
};

enum listing_phase {
	LISTING_IDLE,
	LISTING_ZONES,   /* between two zones */
	LISTING_READING, /* the kernel has more of l->zone */
	LISTING_CLOSING  /* every flow was taken */
};

struct listing {
	struct netfilter *nf;
	struct {
		struct control_query query;
		const struct listing_kind *kind;
	} asked[LISTING_ASKERS_MAX]; /* in their order; the first is being answered */
	uint32_t asked_count;
	enum listing_phase phase;
	const struct listing_kind *kind; /* NULL: nobody waits; the rest is only read away */
	struct answer answer;
	bool row_waits;                      /* the answer's row is not out yet */
	char only_zone[SNAPSHOT_NAME_BYTES]; /* empty: all */
	uint32_t zones_begun;
	struct zone *zone;
	struct loop_fd watch;    /* of its socket */
	struct loop_timer pause; /* where rows are sent faster than a console takes them */
	struct loop_timer signs; /* of life, to those who wait */
	struct span rest;        /* of the piece */
	uint8_t piece[LISTING_PIECE_BYTES];
	union {
		struct listing_flows flows;
		struct listing_permits permits;
		struct listing_rules rules;
	} work;             /* empty when a question begins */
	struct bytes kept;  /* messages of the kernel; both are freed behind each answer */
	struct bytes lines; /* text to be sent */
};

void listing_init(struct listing *l, struct netfilter *nf);

/* Answer @query now, or when those before are answered. */
void listing_ask(struct listing *l, const struct control_query *query,
		 const struct listing_kind *kind);

/* Ask a question of netfilter's own, unless it waits already or too many others do. */
void listing_ask_own(struct listing *l, const struct listing_kind *kind);

/* Send the answer's row, and begin the next. @flags: CONTROL_ROW_x; LAST ends the answer. */
void listing_send(struct listing *l, uint32_t flags);
void listing_heading(struct listing *l, const char *const *cells, size_t count);
/* One row that says what is wrong; the last. */
void listing_refuse(struct listing *l, const char *reason);

/* Nobody waits for the answer to the question @number any more. */
void listing_withdraw(struct listing *l, uint32_t number);
/* The running policy, or its generation, is about to change: end what is being answered. */
void listing_end_policy(struct listing *l);
/* A zone's sockets are about to be closed. */
void listing_end_zone(struct listing *l, const struct zone *zone);

#endif

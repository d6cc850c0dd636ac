/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of flows, as connection tracking tells of them: counted for their permit, and recorded
 * where the permit logs. Each flow is told of in the zone where it began: what another zone's
 * second lock let in carries the lock's mark.
 */
#ifndef SEKISHO_NETFILTER_FLOWS_TRACK_H
#define SEKISHO_NETFILTER_FLOWS_TRACK_H

#include <stdint.h>

#include "base/event.h"
#include "netfilter/flows/flows.h"
#include "netfilter/flows/hits.h"
#include "policy/snapshot.h"

#define TRACK_BOOKS       8  /* policies whose permits are known by their place */
#define TRACK_GENERATIONS 64 /* and whose generations */

/* What is kept of a permit for as long as flows of its policy may end. */
struct track_permit {
	uint32_t number, slot; /* slot: in the table of hits */
	uint8_t from, to;      /* index in the book's names */
	uint8_t logs;
	uint8_t pad;
};

struct track_generations {
	struct {
		uint64_t generation; /* 0: none */
		uint64_t epoch;
	} rows[TRACK_GENERATIONS];
	uint64_t next;
};

struct track_book {
	uint64_t epoch; /* 0: none */
	uint32_t count;
	struct track_permit *permits;
	char zones[SNAPSHOT_ZONES_MAX][SNAPSHOT_NAME_BYTES];
};

struct track {
	struct hits_table hits;
	struct track_book books[TRACK_BOOKS];
	unsigned next_book;
	struct track_generations *generations; /* in the file of hits, so that the next life of this
						* process knows them; else here: */
	struct track_generations own_generations;
	uint64_t unknown; /* flows that ended with the mark of a policy that is forgotten */
};

/**
 * track_subscribe - have the kernel tell of every flow that ends
 * What the socket has no room for the kernel keeps in its table and tells of later.
 * @fd: NETLINK_NETFILTER socket in the zone's namespace
 * Return: 0 or -ERR_SYSTEM.
 */
int track_subscribe(int fd);

/**
 * track_add_policy - remember a policy's permits
 * Return: 0 or -ERR_NO_MEMORY: then its flows are not counted.
 */
int track_add_policy(struct track *t, const struct snapshot *s, uint64_t epoch, int64_t now_s);

/* After hits_open, or instead of it. */
void track_begin(struct track *t);

/* Marks of @generation are of the policy @epoch. */
void track_add_generation(struct track *t, uint16_t generation, uint64_t epoch);

/* The permit that a mark names; NULL: none that is known. @book: set to where it is. */
const struct track_permit *track_permit_of(const struct track *t, uint32_t mark,
					   const struct track_book **book);

/**
 * track_read - take what waits on a zone's socket, a bounded amount of it
 * @now_s: since 1970
 */
void track_read(struct track *t, struct event_client *events, int fd, int64_t now_s);

#endif

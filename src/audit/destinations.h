/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syslog servers of the policy: prepared, then applied or aborted as a whole, each with its
 * sender. */
#ifndef SEKISHO_AUDIT_DESTINATIONS_H
#define SEKISHO_AUDIT_DESTINATIONS_H

#include <stdint.h>

#include "audit/sender.h"
#include "policy/snapshot.h"

#define DESTINATIONS_MAX 8

/* A server as the policy has it; unused octets are zero. */
struct destination {
	char name[SENDER_NAME_BYTES];
	char zone[SNAPSHOT_NAME_BYTES]; /* where it is */
	uint32_t transport;             /* enum snapshot_transport */
	char peer[SENDER_PEER_BYTES];   /* TLS: that its certificate must be for */
	char authority_slot[SNAPSHOT_NAME_BYTES], certificate_slot[SNAPSHOT_NAME_BYTES];
};

/* The servers of one policy, in its order. */
struct destinations_list {
	struct destination servers[DESTINATIONS_MAX];
	uint32_t count;
};

/* What the servers' senders have of their surroundings; see struct sender_report. */
struct destinations_owner {
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	/* A connection to server @index of the running policy is wanted. */
	void (*connect)(void *ctx, uint32_t index);
	void *ctx;
};

struct destinations {
	struct loop *loop;
	const struct store *store;
	struct destinations_owner owner;
	struct sender senders[DESTINATIONS_MAX];
	struct destinations_list running;
	int given[DESTINATIONS_MAX]; /* links that came before their policy, -1: none */
	/* What the next policy brings: */
	struct destinations_list next;
	char host[64];
	int32_t utc_offset_s;
};

void destinations_init(struct destinations *d, struct loop *loop, const struct store *store,
		       struct destinations_owner owner);

/**
 * destinations_give - take the link to a log-sender that holds a datagram socket for server @index
 * of the running policy (or, before there is one, of the first). One that the server had before is
 * replaced.
 * Return: 0, or -ERR_RANGE (the descriptor stays the caller's).
 */
int destinations_give(struct destinations *d, uint32_t index, int fd);

/**
 * destinations_connected - the answer to a request for a connection
 * @index: of the server in the running policy: the supervisor answers in the order in which it
 * switches policies, so both mean the same one
 * @fd, @error: as for sender_connected
 */
void destinations_connected(struct destinations *d, uint32_t index, int fd, int error);

/**
 * destinations_prepare - note the servers of a policy; nothing changes yet
 * @snapshot: borrowed for the call
 * Return: 0 or -ERR_NO_SPACE (more than DESTINATIONS_MAX).
 */
int destinations_prepare(struct destinations *d, const struct snapshot *snapshot);

/**
 * destinations_apply - from now on the prepared servers and no others; one that stays goes on
 * unbroken
 * @form: gets the policy's host name and time offset
 */
void destinations_apply(struct destinations *d, struct record_form *form);
/* How many servers all records before number @sequence have left for: under TCP and TLS the
 * server's host has acknowledged them, by UDP nobody can tell. */
unsigned destinations_reached(const struct destinations *d, uint64_t sequence);
/* New records are on the disk. */
void destinations_kick(struct destinations *d);
void destinations_fini(struct destinations *d);

#endif

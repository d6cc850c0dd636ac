/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syslog servers of the policy: prepared, then applied or aborted as a whole, each with its
 * sender. */
#ifndef SEKISHO_AUDIT_DESTINATIONS_H
#define SEKISHO_AUDIT_DESTINATIONS_H

#include <stdint.h>

#include "audit/sender.h"
#include "policy/snapshot.h"

#define DESTINATIONS_MAX 8

/* The servers of one policy, in its order. */
struct destinations_list {
	char names[DESTINATIONS_MAX][SENDER_NAME_BYTES];
	uint32_t count;
};

struct destinations {
	struct loop *loop;
	const struct store *store;
	struct sender_report report;
	struct sender senders[DESTINATIONS_MAX];
	struct destinations_list running;
	int given[DESTINATIONS_MAX]; /* sockets that came before their policy, -1: none */
	/* What the next policy brings: */
	struct destinations_list next;
	char host[64];
	int32_t utc_offset_s;
};

void destinations_init(struct destinations *d, struct loop *loop, const struct store *store,
		       struct sender_report report);

/**
 * destinations_give - take a connected socket for server @index of the running policy (or, before
 * there is one, of the first). A socket that the server had before is replaced.
 * Return: 0, or -ERR_RANGE (the descriptor stays the caller's).
 */
int destinations_give(struct destinations *d, uint32_t index, int fd);

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
/* New records are on the disk. */
void destinations_kick(struct destinations *d);
void destinations_fini(struct destinations *d);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Anchors in the log: at each start, each day and at an orderly end (L1). */
#ifndef SEKISHO_AUDIT_ANCHOR_H
#define SEKISHO_AUDIT_ANCHOR_H

#include "audit/device_key.h"
#include "audit/store.h"
#include "base/event.h"
#include "base/loop.h"

#define ANCHOR_EVERY_MS (24U * 3600U * 1000U) /* by the monotonic clock */

struct anchors {
	struct device_key key;
	const struct store *store;
	struct loop_timer timer;
	struct log_anchor last; /* sequence 0: none since audit was started */
	/* Writes a record. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	void *ctx;
};

/**
 * anchors_start - read or make the key, say what became of it, anchor the log as it is
 * @directory: of the key, borrowed for the call; -1: there is none
 * @a->event and @a->ctx are set. Without a key the log goes on, and says that it is not anchored.
 */
void anchors_start(struct anchors *a, struct loop *loop, const struct store *store, int directory);

/* Anchor what has been written so far. Without a key: nothing. */
void anchors_write(struct anchors *a);
void anchors_fini(struct anchors *a);

/* For people: the public key as PEM and the newest anchor. Return: 0 or an error of @out. */
int anchors_print(const struct anchors *a, struct bytes *out);

#endif

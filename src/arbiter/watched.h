/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of zones and stations after their isolation (C7, ADR 420): who is watched is a pure
 * function of the list, the policy, the headers and the time; what watched ones do is counted, and
 * told at most once a minute for each watch and kind, so that nobody fills the log by it. Fixed
 * storage, no heap.
 */
#ifndef SEKISHO_ARBITER_WATCHED_H
#define SEKISHO_ARBITER_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arbiter/detect.h"
#include "base/buf.h"
#include "base/event.h"
#include "channel/watched.h"
#include "policy/snapshot.h"
#include "wire/packet/ip.h"

#define WATCHED_AGAIN_MS 60000 /* between two records of a watch about the same kind */
/* Kinds: those of detect.h, and a flow that is denied. */
#define WATCHED_DENIED     DETECT_KIND_COUNT_
#define WATCHED_KIND_COUNT (DETECT_KIND_COUNT_ + 1)

/* Who sends, as far as it is known. */
struct watched_question {
	const struct snapshot *snapshot;
	uint32_t zone;                    /* index: where the flow's first packet came in */
	const struct ip_headers *headers; /* in the direction of the flow's first packet */
	const uint8_t *mac;               /* of the sender; NULL: not known */
	bool of_another; /* the source address is not the sender's: whose it is has done nothing */
	int64_t now_s;   /* since 1970 */
};

struct watched_count {
	uint64_t untold, told_ms; /* told_ms 0: never */
	/* The last one: what the record names beside the count. */
	char zone[SNAPSHOT_NAME_BYTES];
	struct ip_headers headers;
	uint8_t mac[6];
	bool has_mac;
};

struct watched_list {
	size_t count;
	struct watched rows[WATCHED_MAX];
	struct watched_count counts[WATCHED_MAX][WATCHED_KIND_COUNT];
};

/**
 * watched_take - take over a list as the supervisor gives it; what was counted for watches that
 * stand in both is kept
 * @rows: struct watched, one after the other; borrowed for the call
 * Return: 0 or -ERR_SYNTAX: it is no such list, and the one before stays.
 */
int watched_take(struct watched_list *list, struct span rows);

/**
 * watched_find - the watch of whoever sends
 * A station goes before the zone that it stands in.
 * Return: its place in the list, its count where nobody watches. No side effects.
 */
size_t watched_find(const struct watched_list *list, const struct watched_question *q);

/* Whether either end of a flow is watched: it is recorded then, though its permit does not log. No
 * side effects. */
bool watched_touches(const struct watched_list *list, const struct watched_question *q);

/**
 * watched_note - a watched one does something
 * @kind: WATCHED_DENIED or an enum detect_kind
 * What is refused to the whole outside is no sign of anything, and passed over.
 */
void watched_note(struct watched_list *list, struct event_client *events,
		  const struct watched_question *q, unsigned kind, uint64_t now_ms);

/* Records that are due; call several times a second. */
void watched_tick(struct watched_list *list, struct event_client *events, uint64_t now_ms);

#endif

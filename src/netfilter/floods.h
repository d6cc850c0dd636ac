/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alarms about packets that are dropped before anybody judges them (Z12, Z14): of one hardware
 * address, and of a whole zone, where a flood takes another sender for each packet. An alarm is
 * raised once, said again from time to time while it lasts, and ends when it has been quiet for a
 * minute. A listed station is shut out where the zone asks for it, by the hardware address that the
 * frames came from and never by an address in them.
 */
#ifndef SEKISHO_NETFILTER_FLOODS_H
#define SEKISHO_NETFILTER_FLOODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"
#include "channel/stations.h"
#include "netfilter/ruleset/ruleset.h"

#define FLOODS_MAX      16     /* hardware addresses of one zone that alarms stand for */
#define FLOODS_AGAIN_MS 600000 /* until it is said again */
#define FLOODS_QUIET_MS 60000  /* after which it has ended */
#define FLOODS_ASK_MS   60000  /* until a station that was not shut out is asked for again */
#define FLOODS_NOW_MS   2000   /* whoever was over its rate so lately still floods */

struct flood {
	bool used;
	uint8_t mac[6];
	uint8_t kind;      /* enum ruleset_flood: the first one */
	uint64_t over_ms;  /* when it was last over its rate */
	uint64_t told_ms;  /* 0: never */
	uint64_t asked_ms; /* to be shut out; 0: not since it was shut out last */
	uint64_t shut_ms;  /* when it was last seen to be shut out; 0: never */
};

struct floods {
	struct flood list[FLOODS_MAX];
	bool zone_stands;
	uint64_t zone_packets, zone_since_ms; /* of the period that runs */
	uint64_t zone_told_ms, zone_high_ms;  /* high: at least half of the rate */
	bool begun;                           /* and the log says so */
};

/* What is known of the zone at one look. */
struct floods_look {
	const struct snapshot *snapshot; /* borrowed */
	uint32_t zone;
	struct event_client *events;
	const struct station_shut *shut; /* stations that are shut out; borrowed */
	size_t shut_count;
	/* Asks for a listed station of a zone with `isolate-station` to be shut out. */
	void (*isolate)(void *ctx, uint32_t zone, const uint8_t mac[6], const char *kind);
	void *ctx;
	uint64_t now_ms; /* monotonic, not 0 */
};

/**
 * floods_begin_look - before what follows: the first time says that alarms from before are over,
 * which nobody knows any more
 * Return: whether that is said; otherwise the next look tries again, and this one must not go on.
 */
bool floods_begin_look(struct floods *f, const struct floods_look *look);

/**
 * floods_note - an element of one of the kernel's sets of those that flood
 * @expires_ms: until it ends by itself, at most RULESET_FLOOD_MS
 * With FLOODS_MAX of them standing a further one waits for a place.
 */
void floods_note(struct floods *f, const struct floods_look *look, enum ruleset_flood kind,
		 const uint8_t mac[6], uint64_t expires_ms);

/**
 * floods_end_look - what was not one sender's, and what has ended
 * @packets: dropped unjudged in the zone since the call before
 */
void floods_end_look(struct floods *f, const struct floods_look *look, uint64_t packets);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of a zone dropped: counters and offenders read from the kernel and turned into
 * events. */
#ifndef SEKISHO_NETFILTER_WATCH_H
#define SEKISHO_NETFILTER_WATCH_H

#include <stdint.h>

#include "base/event.h"
#include "netfilter/queue_losses.h"
#include "netfilter/ruleset/ruleset.h"

#define WATCH_SUMMARY_MS   10000   /* between two events of one counter */
#define WATCH_MULTICAST_MS 3600000 /* every network has its broadcasts: an hourly count will do */
#define WATCH_OFFENDERS    256     /* remembered, so that each is told of once a while */
#define WATCH_OFFENDERS_MS 60000

struct watch_offender {
	uint8_t bytes[16]; /* address or hardware address */
	uint8_t size;      /* 4, 6 or 16; 0: free */
	uint16_t event;    /* enum event_id: what was told of it */
	uint64_t told_ms;
};

struct watch {
	uint64_t last[RULESET_COUNTER_COUNT];    /* as read from the kernel */
	uint64_t last_arp;                       /* COUNTER_NEIGHBOUR of the table of ARP */
	uint64_t pending[RULESET_COUNTER_COUNT]; /* not yet told */
	uint64_t told_ms[RULESET_COUNTER_COUNT]; /* 0: never */
	/* All that was dropped before anybody judged it, but what every network has, since somebody
	 * last took it from here (floods.c). */
	uint64_t unjudged;
	struct watch_offender offenders[WATCH_OFFENDERS];
	struct queue_losses losses;      /* as read from the kernel */
	uint64_t full_told, unread_told; /* of them */
	uint64_t losses_told_ms;         /* 0: never */
};

/**
 * watch_look - read the counters of a zone and tell of what is new
 * @queue_counts_fd: the kernel's table of the zone's queues
 * The first packets of a kind are told of at once, later ones in summaries; every packet is in
 * exactly one count.
 */
void watch_look(struct watch *w, struct event_client *events, const char *zone, int netlink_fd,
		int queue_counts_fd, uint64_t now_ms);

/* @key: 4, 6 or 16 bytes. @expires_ms: until the element ends by itself. */
typedef void watch_element(void *ctx, struct span key, uint64_t expires_ms);

/* Each element of a set of the zone's table. Return: 0 or an error of netlink_transact. */
int watch_each(int netlink_fd, uint8_t family, const char *set, watch_element *take, void *ctx);

/* The zone's table is made anew: its counters begin at zero again. What is pending stays. */
void watch_restart(struct watch *w);

#endif

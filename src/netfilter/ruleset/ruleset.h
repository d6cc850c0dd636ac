/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of one zone's namespace: one table, loaded as one transaction. A packet of a flow
 * passes only with proof of a verdict of the running generation; a packet for the gateway itself
 * only where the configuration opens a port.
 *
 *   prerouting -450 raw      mark 0; fragments, options, multicast, spoofed sources, unknown
 * stations: dropped
 *   prerouting -150 guard    new flows over the rate of their source: dropped
 *   forward       0 forward  flow of this generation, arbiter alive: marked, accepted. From a
 * crossing: second lock.
 *                            Lately denied: dropped. Everything else: to the arbiter.
 *   forward      +1 stamp    mark of a generation that is taken: saved with the flow, accepted.
 * Denied: remembered, refused.
 *   input 0, +1              the configured listeners; the rest is judged too, so that it is
 * reported, and denied
 *   output 0                 answers, and connections to configured peers
 */
#ifndef SEKISHO_NETFILTER_RULESET_RULESET_H
#define SEKISHO_NETFILTER_RULESET_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/stations.h"
#include "netfilter/nft/nft.h"
#include "policy/ranges.h"
#include "policy/snapshot.h"

#define RULESET_TABLE "sekisho"
/* Numbers of the queues in every zone's namespace: of the first share, the others follow. */
#define RULESET_QUEUE        1
#define RULESET_QUEUE_WHOLE  64 /* of the ones for packets that are wanted whole */
#define RULESET_BATCH_BYTES  (64U << 20)
#define RULESET_OWN_PLACES   2
#define RULESET_BESIDE_BYTES 32   /* of the name of ruleset_deny_beside */
#define RULESET_LIFE_MS_MIN  600  /* how long flows outlive the last sign of life, at least */
#define RULESET_DENIED_MS    5000 /* a denied flow is not judged again for so long */

/* How packets are handed to user space. */
enum ruleset_queue { RULESET_QUEUE_NATIVE = 1, RULESET_QUEUE_COMPAT };

/* What packets are counted by when they are dropped; names of counters in the kernel and in events.
 */
enum ruleset_counter {
	COUNTER_FRAGMENT,
	COUNTER_OPTIONS, /* IPv4 options, IPv6 extension headers, AH */
	COUNTER_MULTICAST,
	COUNTER_SPOOFED,
	COUNTER_STATION,
	COUNTER_SHUT, /* from a station that is isolated */
	COUNTER_RATE,
	COUNTER_FLOWS,     /* more flows of one source at a time than its zone allows */
	COUNTER_NEIGHBOUR, /* ARP and neighbour discovery that claim another's address */
	COUNTER_INVALID,
	COUNTER_LOCK,     /* refused by the second lock */
	COUNTER_AGAIN,    /* of a flow that was denied in the last seconds */
	COUNTER_UNPROVEN, /* without a verdict of the running generation */
	COUNTER_INPUT,
	COUNTER_OUTPUT,
	COUNTER_DENIED, /* by the arbiter, which reports them itself */
	COUNTER_QUEUED, /* handed to the arbiter */
	RULESET_COUNTER_COUNT
};

extern const char *const ruleset_counters[RULESET_COUNTER_COUNT];

/* Sets that packets put their sender into when it is spoofed or no listed station. */
#define RULESET_SPOOFERS4 "spoofers4"
#define RULESET_SPOOFERS6 "spoofers6"
#define RULESET_STRANGERS "strangers"
/* Sources over a limit; who claims an address that is another's (also in the table of ARP). */
#define RULESET_LIMITED4  "limited4"
#define RULESET_LIMITED6  "limited6"
#define RULESET_CLAIMANTS "claimants"

/* Why packets of one hardware address are dropped unjudged, where that can be a flood. */
enum ruleset_flood {
	RULESET_FLOOD_LIMIT,
	RULESET_FLOOD_SPOOFED,
	RULESET_FLOOD_STATION,
	RULESET_FLOOD_COUNT
};
/* Names of the sets of those that flood: an element stays for RULESET_FLOOD_MS after the last
 * packet that was over the zone's rate. They are what is said of it, too. */
extern const char *const ruleset_floods[RULESET_FLOOD_COUNT];
#define RULESET_FLOOD_MS 60000

struct ruleset {
	const struct snapshot *snapshot; /* borrowed */
	const struct range_map *owners;  /* [2]: IPv4, IPv6; borrowed */
	uint32_t zone;                   /* index */
	uint16_t generation;             /* 1..65535 */
	uint16_t before;                 /* whose flows go on until ruleset_end_flows; 0: none */
	enum ruleset_queue queue;
	uint32_t queues;        /* 1..SNAPSHOT_QUEUES_MAX: shares that packets are divided into */
	uint32_t queues_before; /* of the ruleset before; 0: none */
	bool offload; /* the kernel has flow tables: use one where the configuration says so */
	bool fresh;   /* remove whatever table is there first */
	bool check;   /* let the kernel check the whole transaction, and put nothing in force */
	const struct station_shut *shut; /* stations that are isolated; borrowed */
	size_t shut_count;
	uint32_t lock_sets;          /* in: of the ruleset before; out: of this one */
	uint32_t own_place;          /* of the sets of the zone's addresses: not the one in force */
	uint32_t connections_before; /* limit of the ruleset before */
};

/**
 * ruleset_load - put the rules of a zone in force, in one transaction
 * A flow table is exchanged by it. That unregisters a hook, and with it the kernel drops what waits
 * in the queues of the namespace.
 * Return: 0; -ERR_SYSTEM with the kernel's errno, -ERR_TOO_LONG, -ERR_NO_MEMORY: the rules before
 * stay.
 */
int ruleset_load(struct ruleset *r, int netlink_fd);

/**
 * ruleset_write - the messages that ruleset_load would send, without sending them
 * @b: begun by nft_begin; the caller's
 * Return: 0, -ERR_TOO_LONG, -ERR_NO_MEMORY.
 */
int ruleset_write(const struct ruleset *r, struct nft_batch *b);

/**
 * ruleset_shut - shut out the stations of @r->shut and no others
 * @r: as it was loaded, with the list of now
 * A flow table is exchanged in the same transaction, see ruleset_load: what it holds of a station
 * that is shut out now would pass by the rules that drop its packets.
 * Return: as ruleset_load.
 */
int ruleset_shut(const struct ruleset *r, int netlink_fd);

/**
 * ruleset_renew_offload - take every flow out of the flow table, so that its next packet meets the
 * rules; flows with a proof come back by that packet
 * @r: as it was loaded; without a flow table nothing is done
 * Return: as ruleset_load.
 */
int ruleset_renew_offload(const struct ruleset *r, int netlink_fd);

/* Let the socket take a whole ruleset as one message. Return: 0 or -ERR_SYSTEM. */
int ruleset_make_room(int netlink_fd);

/* A table that drops everything at every hook, and no other table that can be removed: what a zone
 * has before its first policy. A table with an owner stays; where it has the name of ours, the
 * kernel refuses. Return: as ruleset_load. */
int ruleset_deny_all(int netlink_fd);

/**
 * ruleset_deny_beside - drop everything by one more table, whose name nobody can have taken
 * @name: in: of such a table, which is removed once there is a new one, or empty; out: its name
 * The next ruleset_deny_all removes it.
 * Return: as ruleset_load.
 */
int ruleset_deny_beside(int netlink_fd, char name[RULESET_BESIDE_BYTES]);

/* Whether a table of the namespace has an owner, which is never us: it cannot be removed, and what
 * it does to packets and their marks is unknown. True also where the kernel does not say. */
bool ruleset_has_foreign(int netlink_fd);

/**
 * ruleset_end_flows - flows of a generation no longer pass by their mark: each is judged anew with
 * its next packet. Denials of the policy before are forgotten. A packet that has passed the first
 * chain by such a mark still passes the stamp, until ruleset_end_proofs.
 * Return: as ruleset_load.
 */
int ruleset_end_flows(int netlink_fd, uint16_t generation);
/* The stamp takes no mark of a generation any more: nothing can be on its way with one. Return: as
 * ruleset_load. */
int ruleset_end_proofs(int netlink_fd, uint16_t generation);

/**
 * ruleset_keep_alive - let flows of a generation pass for another while
 * @hold_ms: how long, at least RULESET_LIFE_MS_MIN is taken
 * Return: as ruleset_load.
 */
int ruleset_keep_alive(int netlink_fd, uint16_t generation, uint64_t hold_ms);

/**
 * ruleset_probe - find out how this kernel hands packets to user space
 * @netlink_fd: of a namespace that may hold a table for a moment
 * Return: 0 with *@kind; -ERR_UNSUPPORTED where it cannot.
 */
int ruleset_probe(int netlink_fd, enum ruleset_queue *kind);

/* Whether a ruleset uses a flow table. */
bool ruleset_offloads(const struct ruleset *r);
/* Whether the kernel has flow tables. @netlink_fd: as ruleset_probe. */
bool ruleset_probe_offload(int netlink_fd);

#endif

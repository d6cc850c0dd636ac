/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that write a zone's rules; nobody else includes this. */
#ifndef SEKISHO_NETFILTER_RULESET_PRIVATE_H
#define SEKISHO_NETFILTER_RULESET_PRIVATE_H

#include <netinet/in.h>

#include "netfilter/ruleset/ruleset.h"

#define CHAIN_RAW           "raw"
#define CHAIN_RAW4          "raw4"
#define CHAIN_RAW6          "raw6"
#define CHAIN_STATIONS      "stations"
#define CHAIN_SHUT          "shut"
#define CHAIN_GUARD         "guard"
#define CHAIN_OVER_RATE     "over-rate"
#define CHAIN_OVER_FLOWS    "over-flows"
#define CHAIN_PERMITTED     "permitted"
#define CHAIN_FORWARD       "forward"
#define CHAIN_OFFLOAD       "offload"
#define CHAIN_FROM_PORT     "from-port"
#define CHAIN_FROM_CROSSING "from-crossing"
#define CHAIN_LOCK          "lock"
#define CHAIN_STAMP         "stamp"
#define CHAIN_DENIED        "denied"
#define CHAIN_ERRORS        "errors"
#define CHAIN_INPUT         "input"
#define CHAIN_INPUT_STAMP   "input-stamp"
#define CHAIN_OUTPUT        "output"
#define CHAIN_SHARES        "shares"

#define SET_ALIVE  "alive"  /* generations whose flows may pass; an element times out by itself */
#define SET_PROOFS "proofs" /* generations whose marks the stamp takes */

/* Before defragmentation (-400), so that fragments are seen; after connection tracking (-200). */
enum { PRIORITY_RAW = -450, PRIORITY_GUARD = -150 };

extern const struct nft_set set_denied[2];

/* Of the sets that name offenders. */
#define RULESET_OFFENDERS_MAX 256
#define RULESET_OFFENDERS_MS  60000

/* End a rule: count and drop; mark and accept. */
void rule_drop(struct nft_batch *b, enum ruleset_counter counter);
void rule_accept_marked(struct nft_batch *b, uint32_t mark);

/* The flow's mark is of a generation that is still held alive: the dead man's switch. */
void rule_match_alive(struct nft_batch *b);
/* The flow's mark is a proof of this one, alive or not. */
void rule_match_generation(struct nft_batch *b, uint16_t generation);
void rule_drop_invalid(struct nft_batch *b, const char *chain);
/* ICMP errors about a flow that is alive; @device: only those that come in by it, NULL: all. */
void rules_accept_errors(struct nft_batch *b, const char *chain, const char *device);
void rules_drop_denied(struct nft_batch *b, const char *chain);
/* Everything that comes here goes to the arbiter; @origin: enum packet_origin. */
void rules_queue(struct nft_batch *b, const char *chain, const struct ruleset *r, uint32_t origin);
/* The proof: only a mark of a generation in SET_PROOFS passes; with @only_lock not the arbiter's,
 * but the rules' own. */
void rules_stamp(struct nft_batch *b, const char *chain, bool only_lock);

/* share.c: one of several queues for each packet. */
/* The verdict of a rule: the queue of a share, 0 the first. */
void rule_put_queue(struct nft_batch *b, enum ruleset_queue kind, unsigned share);
/* End a rule: into the queue that the packet belongs to. */
void rule_end_queued(struct nft_batch *b, const struct ruleset *r);
/* Whether the zone's packets go into more than one queue. */
bool ruleset_spreads(const struct ruleset *r);
/* The chain that chooses; before every rule that ends with rule_end_queued. */
void ruleset_put_shares(struct nft_batch *b, const struct ruleset *r);

/* The table and its base chains, without a rule; @fresh: removed first, with all in it. */
void ruleset_put_table(struct nft_batch *b, bool fresh);

/* raw.c: prerouting. The sets of the zone's own addresses, which its rules look up. */
void ruleset_put_own(struct nft_batch *b, const struct ruleset *r);
void ruleset_put_raw(struct nft_batch *b, const struct ruleset *r);
/* flood.c: counts, of the packets of the zone's port that come here to be dropped, those of
 * each hardware address. The sets are made first. */
void ruleset_put_flood_sets(struct nft_batch *b);
void ruleset_put_flood(struct nft_batch *b, const struct ruleset *r, const char *chain,
		       enum ruleset_flood kind);
/* guard.c: limits of each source. CHAIN_PERMITTED is for flows that a verdict lets begin: it counts
 * them, and drops what is over a limit. */
void ruleset_put_guard(struct nft_batch *b, const struct ruleset *r);
/* neighbour.c: who may claim which address, in ARP and in IPv6's neighbour discovery; with the sets
 * of the addresses of both families that stations of the zone are bound to. */
#define SET_BOUND4 "bound4"
#define SET_BOUND6 "bound6"
void ruleset_put_discovery(struct nft_batch *b, const struct ruleset *r);
void ruleset_put_arp(struct nft_batch *b, const struct ruleset *r);
/* shut.c: what isolated stations send. @chain: sees packets of the zone's port alone. */
void ruleset_put_shut(struct nft_batch *b, const struct ruleset *r, const char *chain);
/* local.c: the gateway's own sockets. */
void ruleset_put_local(struct nft_batch *b, const struct ruleset *r);

/* offload.c: the flow table. Before every other rule of forwarded packets. */
void ruleset_put_offload(struct nft_batch *b, const struct ruleset *r);
/* All flows leave the flow table, in the transaction that @b is; those with a proof may come back.
 */
void ruleset_exchange_offload(struct nft_batch *b, const struct ruleset *r);

#endif

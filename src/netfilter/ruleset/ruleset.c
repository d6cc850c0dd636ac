/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of one zone: chains of forwarded packets, and the transaction that puts all chains in
 * force. */
#include "netfilter/ruleset/ruleset.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "base/err.h"
#include "channel/packet.h"
#include "netfilter/ruleset/lock.h"
#include "netfilter/ruleset/private.h"

const char *const ruleset_counters[RULESET_COUNTER_COUNT] = {
	[COUNTER_FRAGMENT] = "fragment",   [COUNTER_OPTIONS] = "options",
	[COUNTER_MULTICAST] = "multicast", [COUNTER_SPOOFED] = "spoofed",
	[COUNTER_STATION] = "station",     [COUNTER_SHUT] = "isolated",
	[COUNTER_RATE] = "rate",           [COUNTER_FLOWS] = "flows",
	[COUNTER_NEIGHBOUR] = "neighbour", [COUNTER_INVALID] = "invalid",
	[COUNTER_LOCK] = "lock",           [COUNTER_AGAIN] = "again",
	[COUNTER_UNPROVEN] = "unproven",   [COUNTER_INPUT] = "input",
	[COUNTER_OUTPUT] = "output",       [COUNTER_DENIED] = "denied",
	[COUNTER_QUEUED] = "queued",
};

/* The half of the mark that says which judgement it is a proof of, and that it permits. */
static const uint32_t proof_mask = PACKET_MARK_GENERATION | PACKET_MARK_DENY;
static const uint32_t generation_mask = PACKET_MARK_GENERATION;
static const uint32_t verdict_mask = ~PACKET_MARK_GENERATION;

void rule_drop(struct nft_batch *b, enum ruleset_counter counter)
{
	nft_count(b, ruleset_counters[counter]);
	nft_verdict(b, NF_DROP);
	nft_rule_end(b);
}

void rule_accept_marked(struct nft_batch *b, uint32_t mark)
{
	nft_immediate(b, REG(0), &mark, sizeof(mark));
	nft_meta_set(b, NFT_META_MARK, REG(0));
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

void rule_match_alive(struct nft_batch *b)
{
	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_mask(b, REG(0), &proof_mask, sizeof(proof_mask));
	nft_lookup(b, SET_ALIVE, REG(0), false);
}

void rule_match_generation(struct nft_batch *b, uint16_t generation)
{
	const uint32_t proof = (uint32_t)generation << 16;

	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_mask(b, REG(0), &proof_mask, sizeof(proof_mask));
	nft_compare(b, NFT_CMP_EQ, REG(0), &proof, sizeof(proof));
}

static void accept_with_flow_mark(struct nft_batch *b)
{
	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_meta_set(b, NFT_META_MARK, REG(0));
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

/* RFC 792; RFC 4443: errors about a flow, which its ends need to hear of. */
static void put_errors(struct nft_batch *b)
{
	static const struct {
		uint8_t protocol, type;
	} errors[] = {
		{IPPROTO_ICMP, 3},   {IPPROTO_ICMP, 11},  {IPPROTO_ICMP, 12},  {IPPROTO_ICMPV6, 1},
		{IPPROTO_ICMPV6, 2}, {IPPROTO_ICMPV6, 3}, {IPPROTO_ICMPV6, 4},
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		nft_rule(b, CHAIN_ERRORS);
		nft_match_protocol(b, errors[i].protocol);
		nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, REG(0));
		nft_compare(b, NFT_CMP_EQ, REG(0), &errors[i].type, 1);
		rule_match_alive(b);
		accept_with_flow_mark(b);
	}
}

void rules_accept_errors(struct nft_batch *b, const char *chain, const char *device)
{
	nft_rule(b, chain);
	if (device != NULL)
		nft_match_interface(b, NFT_META_IIFNAME, device, true);
	nft_match_state(b, NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_jump(b, NFT_JUMP, CHAIN_ERRORS);
	nft_rule_end(b);
}

void rule_drop_invalid(struct nft_batch *b, const char *chain)
{
	nft_rule(b, chain);
	nft_match_state(b, NF_CT_STATE_INVALID_BIT | NF_CT_STATE_UNTRACKED_BIT);
	rule_drop(b, COUNTER_INVALID);
}

/* The flow's tuple into registers, to remember or recognise a denied flow by. */
static void load_tuple(struct nft_batch *b, uint8_t nfproto)
{
	bool v4 = nfproto == NFPROTO_IPV4;
	uint32_t words = v4 ? 1 : 4;

	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 12 : 8, v4 ? 8 : 32, REG(0));
	nft_meta(b, NFT_META_L4PROTO, REG(2 * words));
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4, REG(2 * words + 1));
}

const struct nft_set set_denied[2] = {
	{.name = "denied4",
	 .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
	 .fields = {NFT_FIELD_IPV4, NFT_FIELD_IPV4, NFT_FIELD_PROTOCOL, NFT_FIELD_MARK},
	 .size = 65535,
	 .timeout_ms = RULESET_DENIED_MS},
	{.name = "denied6",
	 .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
	 .fields = {NFT_FIELD_IPV6, NFT_FIELD_IPV6, NFT_FIELD_PROTOCOL, NFT_FIELD_MARK},
	 .size = 65535,
	 .timeout_ms = RULESET_DENIED_MS},
};

static const uint8_t families[2] = {NFPROTO_IPV4, NFPROTO_IPV6};

void rules_drop_denied(struct nft_batch *b, const char *chain)
{
	for (int i = 0; i < 2; i++) {
		nft_rule(b, chain);
		nft_match_family(b, families[i]);
		load_tuple(b, families[i]);
		nft_lookup(b, set_denied[i].name, REG(0), false);
		rule_drop(b, COUNTER_AGAIN);
	}
}

/* The packet's mark for the arbiter: what its flow has proved before, or by which generation it has
 * passed without a proof; and how the packet came. */
static void put_origin(struct nft_batch *b, uint32_t origin, bool proved)
{
	const uint32_t proof = PACKET_MARK_GENERATION | PACKET_MARK_PERMIT;
	const uint32_t way = origin << PACKET_ORIGIN_SHIFT;

	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_or(b, REG(0), proved ? &proof : &generation_mask, &way, sizeof(way));
	nft_meta_set(b, NFT_META_MARK, REG(0));
}

/* The flow has never been denied, nor let pass without having proved anything. One that begins with
 * this packet has no mark. */
static void match_proved_flow(struct nft_batch *b)
{
	const uint32_t denied = PACKET_MARK_DENY, none = 0;

	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_mask(b, REG(0), &denied, sizeof(denied));
	nft_compare(b, NFT_CMP_EQ, REG(0), &none, sizeof(none));
}

/* Give the packet to the arbiter. */
static void rule_queue(struct nft_batch *b, const char *chain, const struct ruleset *r,
		       uint32_t origin, bool proved)
{
	nft_rule(b, chain);
	if (origin & PACKET_IS_ESTABLISHED)
		nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	if (proved)
		match_proved_flow(b);
	put_origin(b, origin, proved);
	nft_count(b, ruleset_counters[COUNTER_QUEUED]);
	rule_end_queued(b, r);
}

void rules_queue(struct nft_batch *b, const char *chain, const struct ruleset *r, uint32_t origin)
{
	rule_queue(b, chain, r, origin | PACKET_IS_ESTABLISHED, true);
	rule_queue(b, chain, r, origin | PACKET_IS_ESTABLISHED, false);
	rule_queue(b, chain, r, origin, true);
	rule_queue(b, chain, r, origin, false);
}

static void match_lock_mark(struct nft_batch *b, bool locked)
{
	const uint32_t bit = PACKET_MARK_LOCK, none = 0;

	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_mask(b, REG(0), &bit, sizeof(bit));
	nft_compare(b, locked ? NFT_CMP_NEQ : NFT_CMP_EQ, REG(0), &none, sizeof(none));
}

static void put_forward(struct nft_batch *b, const struct ruleset *r)
{
	const char *port = r->snapshot->zones[r->zone].port;
	const uint32_t verdict = PACKET_MARK_DENY | PACKET_MARK_PERMIT, ended = PACKET_MARK_DENY;

	/* First, since almost every packet takes it. Also a flow that has had no answer: its mark
	 * says that it was judged. Not errors about it. */
	nft_rule(b, CHAIN_FORWARD);
	nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_NEW));
	rule_match_alive(b);
	accept_with_flow_mark(b);

	/* Ended by an operator: the bit of a denial, which is in no proof. */
	nft_rule(b, CHAIN_FORWARD);
	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_mask(b, REG(0), &verdict, sizeof(verdict));
	nft_compare(b, NFT_CMP_EQ, REG(0), &ended, sizeof(ended));
	nft_jump(b, NFT_GOTO, CHAIN_DENIED);
	nft_rule_end(b);
	rule_drop_invalid(b, CHAIN_FORWARD);
	rules_accept_errors(b, CHAIN_FORWARD, NULL);
	nft_rule(b, CHAIN_FORWARD);
	nft_match_interface(b, NFT_META_IIFNAME, port, true);
	nft_jump(b, NFT_GOTO, CHAIN_FROM_PORT);
	nft_rule_end(b);
	nft_rule(b, CHAIN_FORWARD);
	nft_jump(b, NFT_GOTO, CHAIN_FROM_CROSSING);
	nft_rule_end(b);
}

/* What comes from the zone itself: answers to flows that came through the lock, and flows of its
 * own. */
static void put_from_port(struct nft_batch *b, const struct ruleset *r)
{
	nft_rule(b, CHAIN_FROM_PORT);
	nft_match_direction(b, NFT_DIRECTION_REPLY);
	match_lock_mark(b, true);
	nft_jump(b, NFT_GOTO, CHAIN_LOCK);
	nft_rule_end(b);
	nft_rule(b, CHAIN_FROM_PORT);
	nft_match_direction(b, NFT_DIRECTION_REPLY);
	rule_drop(b, COUNTER_LOCK);
	rules_drop_denied(b, CHAIN_FROM_PORT);
	rules_queue(b, CHAIN_FROM_PORT, r, 0);
}

/* What comes from another zone: flows that only the lock lets in, and answers to this zone's own.
 */
static void put_from_crossing(struct nft_batch *b, const struct ruleset *r)
{
	nft_rule(b, CHAIN_FROM_CROSSING);
	nft_match_direction(b, NFT_DIRECTION_ORIGINAL);
	nft_jump(b, NFT_GOTO, CHAIN_LOCK);
	nft_rule_end(b);
	nft_rule(b, CHAIN_FROM_CROSSING);
	match_lock_mark(b, true);
	rule_drop(b, COUNTER_LOCK);
	rules_drop_denied(b, CHAIN_FROM_CROSSING);
	rules_queue(b, CHAIN_FROM_CROSSING, r, PACKET_IS_REPLY);
}

static void put_lock(struct nft_batch *b, const struct ruleset *r, const struct lock *lock)
{
	lock_put_rules(lock, b, CHAIN_LOCK, (uint32_t)r->generation << 16 | PACKET_MARK_LOCK);
	nft_rule(b, CHAIN_LOCK);
	rule_drop(b, COUNTER_LOCK);
}

static void rules_reject(struct nft_batch *b, const char *chain, bool always)
{
	nft_rule(b, chain);
	if (!always)
		nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	nft_match_protocol(b, IPPROTO_TCP);
	nft_count(b, ruleset_counters[COUNTER_DENIED]);
	nft_reject(b, NFT_REJECT_TCP_RST, 0);
	nft_rule_end(b);
	if (!always)
		return;
	nft_rule(b, chain);
	nft_count(b, ruleset_counters[COUNTER_DENIED]);
	nft_reject(b, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
	nft_rule_end(b);
}

/* Denied by the arbiter: remembered for a while, then refused; a flow that was permitted before
 * always hears of it. */
static void put_denied(struct nft_batch *b, const struct ruleset *r)
{
	for (int i = 0; i < 2; i++) {
		nft_rule(b, CHAIN_DENIED);
		nft_match_family(b, families[i]);
		load_tuple(b, families[i]);
		nft_add_to_set(b, set_denied[i].name, REG(0), false);
		nft_rule_end(b);
	}
	rules_reject(b, CHAIN_DENIED, r->snapshot->zones[r->zone].reject);
	nft_rule(b, CHAIN_DENIED);
	rule_drop(b, COUNTER_DENIED);
}

/* The packet's mark, of which the masked part is among the proofs that are taken. */
static void match_proof(struct nft_batch *b, const uint32_t *mask)
{
	nft_meta(b, NFT_META_MARK, REG(0));
	nft_mask(b, REG(0), mask, sizeof(*mask));
	nft_lookup(b, SET_PROOFS, REG(0), false);
}

/* The verdict in the packet's mark, of whatever generation. */
static void match_verdict(struct nft_batch *b, uint32_t verdict)
{
	nft_meta(b, NFT_META_MARK, REG(0));
	nft_mask(b, REG(0), &verdict_mask, sizeof(verdict_mask));
	nft_compare(b, NFT_CMP_EQ, REG(0), &verdict, sizeof(verdict));
}

static void save_and_accept(struct nft_batch *b)
{
	nft_meta(b, NFT_META_MARK, REG(0));
	nft_ct_set(b, NFT_CT_MARK, REG(0));
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

/*
 * The packet passes, its flow does not: its mark has a permit and the bit of a denial. Saved with a
 * flow that has no mark yet, it says by whose permit the flow came, and can be no proof.
 */
static void rules_pass_once(struct nft_batch *b, const char *chain)
{
	const uint32_t kind = PACKET_MARK_DENY | PACKET_MARK_LOCK, once = PACKET_MARK_ONCE;
	const uint32_t none = 0;

	for (int save = 1; save >= 0; save--) {
		nft_rule(b, chain);
		nft_meta(b, NFT_META_MARK, REG(0));
		nft_mask(b, REG(0), &kind, sizeof(kind));
		nft_compare(b, NFT_CMP_EQ, REG(0), &once, sizeof(once));
		match_proof(b, &generation_mask);
		if (save) {
			nft_ct(b, NFT_CT_MARK, REG(0));
			nft_compare(b, NFT_CMP_EQ, REG(0), &none, sizeof(none));
			nft_meta(b, NFT_META_MARK, REG(0));
			nft_ct_set(b, NFT_CT_MARK, REG(0));
		} else {
			nft_verdict(b, NF_ACCEPT);
		}
		nft_rule_end(b);
	}
}

/* A flow of the zone that has no mark yet, and gets one of a permit now: also where only the packet
 * passes, since that begins it. */
static void put_permitted(struct nft_batch *b, const struct ruleset *r)
{
	const uint32_t permit = PACKET_MARK_PERMIT, none = 0;

	nft_rule(b, CHAIN_STAMP);
	nft_match_interface(b, NFT_META_IIFNAME, r->snapshot->zones[r->zone].port, true);
	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &none, sizeof(none));
	match_proof(b, &generation_mask);
	nft_meta(b, NFT_META_MARK, REG(0));
	nft_mask(b, REG(0), &permit, sizeof(permit));
	nft_compare(b, NFT_CMP_NEQ, REG(0), &none, sizeof(none));
	nft_jump(b, NFT_JUMP, CHAIN_PERMITTED);
	nft_rule_end(b);
}

void rules_stamp(struct nft_batch *b, const char *chain, bool only_lock)
{
	nft_rule(b, chain);
	if (only_lock) {
		match_verdict(b, PACKET_MARK_LOCK);
		match_proof(b, &generation_mask);
	} else {
		match_proof(b, &proof_mask);
	}
	save_and_accept(b);
	nft_rule(b, chain);
	match_verdict(b, PACKET_MARK_DENY);
	nft_jump(b, NFT_GOTO, CHAIN_DENIED);
	nft_rule_end(b);
	if (!only_lock)
		rules_pass_once(b, chain);
	nft_rule(b, chain);
	rule_drop(b, COUNTER_UNPROVEN);
}

static void put_chains(struct nft_batch *b)
{
	nft_base_chain(b, CHAIN_RAW, NF_INET_PRE_ROUTING, PRIORITY_RAW, NF_ACCEPT);
	nft_base_chain(b, CHAIN_GUARD, NF_INET_PRE_ROUTING, PRIORITY_GUARD, NF_ACCEPT);
	nft_base_chain(b, CHAIN_FORWARD, NF_INET_FORWARD, 0, NF_DROP);
	nft_base_chain(b, CHAIN_STAMP, NF_INET_FORWARD, 1, NF_DROP);
	nft_base_chain(b, CHAIN_INPUT, NF_INET_LOCAL_IN, 0, NF_DROP);
	nft_base_chain(b, CHAIN_INPUT_STAMP, NF_INET_LOCAL_IN, 1, NF_DROP);
	nft_base_chain(b, CHAIN_OUTPUT, NF_INET_LOCAL_OUT, 0, NF_DROP);
}

void ruleset_put_table(struct nft_batch *b, bool fresh)
{
	if (fresh)
		nft_table_remove(b, NFPROTO_INET, RULESET_TABLE);
	nft_table(b, NFPROTO_INET, RULESET_TABLE);
	put_chains(b);
	nft_flush_rules(b);
}

static void put_common_sets(struct nft_batch *b)
{
	static const struct nft_set alive = {
		.name = SET_ALIVE, .flags = NFT_SET_TIMEOUT, .fields = {NFT_FIELD_MARK}};

	/* With a size known the kernel takes its fastest kind: every packet is looked up here. */
	static const struct nft_set proofs = {
		.name = SET_PROOFS, .fields = {NFT_FIELD_MARK}, .size = 16};

	nft_set_keep(b, &alive);
	nft_set_keep(b, &proofs);
	for (int i = 0; i < 2; i++)
		nft_set_keep(b, &set_denied[i]);
	for (size_t i = 0; i < RULESET_COUNTER_COUNT; i++)
		nft_counter(b, ruleset_counters[i]);
}

static void put_proof_element(struct nft_batch *b, const char *set, uint16_t generation,
			      uint64_t life_ms)
{
	const uint32_t proof = (uint32_t)generation << 16;
	struct nft_elements elements;
	const struct nft_element element = {
		.key = &proof, .key_bytes = sizeof(proof), .timeout_ms = life_ms};

	nft_elements_begin(&elements, b, set);
	nft_elements_add(&elements, &element);
	nft_elements_end(&elements);
}

static void remove_proof_element(struct nft_batch *b, const char *set, uint16_t generation)
{
	const uint32_t proof = (uint32_t)generation << 16;

	nft_element_remove(b, set, &proof, sizeof(proof));
}

static uint64_t life_of(uint64_t hold_ms)
{
	return hold_ms < RULESET_LIFE_MS_MIN ? RULESET_LIFE_MS_MIN : hold_ms;
}

/* Flows and proofs of these generations are taken, and of no others. */
static void put_generations(struct nft_batch *b, const struct ruleset *r)
{
	const uint16_t taken[] = {r->generation, r->before};

	nft_set_flush(b, SET_ALIVE);
	nft_set_flush(b, SET_PROOFS);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i] == 0)
			continue;
		put_proof_element(b, SET_ALIVE, taken[i],
				  life_of(r->snapshot->zones[r->zone].hold_ms));
		put_proof_element(b, SET_PROOFS, taken[i], 0);
	}
}

static void put_rules(struct nft_batch *b, const struct ruleset *r, const struct lock *lock)
{
	nft_chain(b, CHAIN_FROM_PORT);
	nft_chain(b, CHAIN_FROM_CROSSING);
	nft_chain(b, CHAIN_LOCK);
	nft_chain(b, CHAIN_DENIED);
	nft_chain(b, CHAIN_ERRORS);
	put_errors(b);
	ruleset_put_shares(b, r);
	ruleset_put_raw(b, r);
	ruleset_put_guard(b, r);
	ruleset_put_offload(b, r);
	put_forward(b, r);
	put_from_port(b, r);
	put_from_crossing(b, r);
	put_lock(b, r, lock);
	put_permitted(b, r);
	rules_stamp(b, CHAIN_STAMP, false);
	put_denied(b, r);
	ruleset_put_local(b, r);
}

/* What the rules will look up is in its place before they are in force. */
static int load_own(const struct ruleset *r, int netlink_fd)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	ruleset_put_own(&b, r);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

/* Everything but what load_own has put there before. */
static void put_whole(struct nft_batch *b, const struct ruleset *r, const struct lock *lock,
		      bool own)
{
	ruleset_put_table(b, r->fresh);
	if (own)
		ruleset_put_own(b, r);
	put_common_sets(b);
	put_generations(b, r);
	lock_remove_sets(b, r->fresh ? 0 : r->lock_sets);
	lock_put_sets(lock, b);
	put_rules(b, r, lock);
	ruleset_put_arp(b, r);
}

int ruleset_write(const struct ruleset *r, struct nft_batch *b)
{
	struct lock *lock = lock_new(r->snapshot, r->zone);

	if (lock == NULL)
		return -ERR_NO_MEMORY;
	put_whole(b, r, lock, true);
	lock_free(lock);
	return b->buffer.failed ? -ERR_TOO_LONG : 0;
}

int ruleset_load(struct ruleset *r, int netlink_fd)
{
	bool own_first = !r->fresh && !r->check;
	int err = own_first ? load_own(r, netlink_fd) : 0;
	struct lock *lock = err == 0 ? lock_new(r->snapshot, r->zone) : NULL;
	struct nft_batch b;

	if (lock == NULL)
		return err != 0 ? err : -ERR_NO_MEMORY;
	nft_begin(&b, RULESET_BATCH_BYTES);
	put_whole(&b, r, lock, !own_first);
	err = r->check ? nft_check(&b, netlink_fd) : nft_commit(&b, netlink_fd);
	if (err == 0 && !r->check)
		r->lock_sets = lock_set_count(lock);
	nft_fini(&b);
	lock_free(lock);
	return err;
}

int ruleset_end_flows(int netlink_fd, uint16_t generation)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	remove_proof_element(&b, SET_ALIVE, generation);
	for (int i = 0; i < 2; i++)
		nft_set_flush(&b, set_denied[i].name); /* what was denied may be permitted now */
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

int ruleset_end_proofs(int netlink_fd, uint16_t generation)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	remove_proof_element(&b, SET_PROOFS, generation);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

int ruleset_make_room(int netlink_fd)
{
	const int bytes = RULESET_BATCH_BYTES;

	return setsockopt(netlink_fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == 0
		       ? 0
		       : -ERR_SYSTEM;
}

int ruleset_keep_alive(int netlink_fd, uint16_t generation, uint64_t hold_ms)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	remove_proof_element(&b, SET_ALIVE, generation);
	put_proof_element(&b, SET_ALIVE, generation, life_of(hold_ms));
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

static int try_queue(int netlink_fd, enum ruleset_queue kind)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, "sekisho-probe");
	nft_chain(&b, "probe");
	nft_rule(&b, "probe");
	put_origin(&b, 0, false);
	rule_put_queue(&b, kind, 0);
	nft_rule_end(&b);
	nft_table_remove(&b, NFPROTO_INET, "sekisho-probe");
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

int ruleset_probe(int netlink_fd, enum ruleset_queue *kind)
{
	static const enum ruleset_queue kinds[] = {RULESET_QUEUE_NATIVE, RULESET_QUEUE_COMPAT};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (try_queue(netlink_fd, kinds[i]) == 0) {
			*kind = kinds[i];
			return 0;
		}
	}
	return -ERR_UNSUPPORTED;
}

bool ruleset_probe_offload(int netlink_fd)
{
	static const char *const device[] = {"lo"};
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, "sekisho-probe");
	nft_flowtable(&b, "probe", device, 1);
	nft_table_remove(&b, NFPROTO_INET, "sekisho-probe");
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err == 0;
}

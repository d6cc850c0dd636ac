/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of several queues a packet goes into (ADR 414). All that is counted of a source and all
 * that is remembered of a flow has to stay with one arbiter: the queue is chosen by who began the
 * flow, in both directions alike. Needs nothing of the kernel that one queue would not need.
 */
#include <stdio.h>

#include "netfilter/ruleset/private.h"

#define SET_NAME_BYTES 12

/* What of an address is counted as one source, and the byte of it that says whose it is. */
struct part {
	uint8_t nfproto, field;
	enum nft_ct_keys source; /* of the flow's first packet */
	uint8_t bytes, at;
	char digit;
};
static const struct part parts[2] = {
	{NFPROTO_IPV4, NFT_FIELD_IPV4, NFT_CT_SRC_IP, 4, 3, '4'},
	{NFPROTO_IPV6, NFT_FIELD_IPV6, NFT_CT_SRC_IP6, 16, 7, '6'}, /* a /64 */
};

static void set_name(char name[SET_NAME_BYTES], const struct part *part, unsigned share)
{
	(void)snprintf(name, SET_NAME_BYTES, "share%c-%u", part->digit,
		       share % SNAPSHOT_QUEUES_MAX);
}

bool ruleset_spreads(const struct ruleset *r)
{
	return r->queues > 1 && r->snapshot->zones[r->zone].station_policy != STATION_ENFORCE;
}

void rule_put_queue(struct nft_batch *b, enum ruleset_queue kind, unsigned share)
{
	uint16_t number = (uint16_t)(RULESET_QUEUE + share);

	if (kind == RULESET_QUEUE_NATIVE)
		nft_queue(b, number);
	else
		nft_queue_compat(b, number);
}

void rule_end_queued(struct nft_batch *b, const struct ruleset *r)
{
	if (ruleset_spreads(r))
		nft_jump(b, NFT_GOTO, CHAIN_SHARES);
	else
		rule_put_queue(b, r->queue, r->queues > 1 ? r->zone % r->queues : 0);
	nft_rule_end(b);
}

/* Every value of the byte is in one share. */
static void put_share(struct nft_batch *b, const struct ruleset *r, const struct part *part,
		      unsigned share)
{
	char name[SET_NAME_BYTES];
	const struct nft_set set = {.name = name, .fields = {part->field}};
	struct nft_elements elements;

	set_name(name, part, share);
	nft_set_anew(b, &set);
	nft_elements_begin(&elements, b, name);
	for (uint32_t byte = share; byte <= UINT8_MAX; byte += r->queues) {
		uint8_t key[16] = {0};
		const struct nft_element element = {.key = key, .key_bytes = part->bytes};

		key[part->at] = (uint8_t)byte;
		nft_elements_add(&elements, &element);
	}
	nft_elements_end(&elements);
}

static void rule_share(struct nft_batch *b, const struct ruleset *r, const struct part *part,
		       unsigned share)
{
	uint8_t mask[16] = {0};
	char name[SET_NAME_BYTES];

	mask[part->at] = UINT8_MAX;
	set_name(name, part, share);
	nft_rule(b, CHAIN_SHARES);
	nft_match_family(b, part->nfproto);
	nft_ct_original(b, part->source, REG(0));
	nft_mask(b, REG(0), mask, part->bytes);
	nft_lookup(b, name, REG(0), false);
	rule_put_queue(b, r->queue, share);
	nft_rule_end(b);
}

void ruleset_put_shares(struct nft_batch *b, const struct ruleset *r)
{
	char name[SET_NAME_BYTES];

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned share = 1; share < r->queues_before; share++) {
			set_name(name, &parts[i], share);
			nft_set_remove(b, name);
		}
	}
	if (!ruleset_spreads(r)) {
		if (r->queues_before > 1)
			nft_chain_remove(b, CHAIN_SHARES);
		return;
	}
	nft_chain(b, CHAIN_SHARES);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned share = 1; share < r->queues; share++) {
			put_share(b, r, &parts[i], share);
			rule_share(b, r, &parts[i], share);
		}
	}
	nft_rule(b, CHAIN_SHARES);
	rule_put_queue(b, r->queue, 0);
	nft_rule_end(b);
}

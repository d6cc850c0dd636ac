/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floods: whose packets are dropped unjudged more often than the zone's guard takes. They are
 * counted by the hardware address that they came from, never by an address in them: what is dropped
 * here says of its source whatever it likes. A set that is full keeps a flood from being seen, not
 * its packets from being dropped: the rule for that comes behind.
 */
#include "netfilter/ruleset/private.h"

#define COUNTED_MAX 65535

const char *const ruleset_floods[RULESET_FLOOD_COUNT] = {
	[RULESET_FLOOD_LIMIT] = "flood-limit",
	[RULESET_FLOOD_SPOOFED] = "flood-spoofed",
	[RULESET_FLOOD_STATION] = "flood-station",
};

static const char *const counted[RULESET_FLOOD_COUNT] = {
	[RULESET_FLOOD_LIMIT] = "flood-limit-rates",
	[RULESET_FLOOD_SPOOFED] = "flood-spoofed-rates",
	[RULESET_FLOOD_STATION] = "flood-station-rates",
};

void ruleset_put_flood_sets(struct nft_batch *b)
{
	for (int kind = 0; kind < RULESET_FLOOD_COUNT; kind++) {
		const struct nft_set rates = {.name = counted[kind],
					      .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
					      .fields = {NFT_FIELD_MAC},
					      .size = COUNTED_MAX,
					      .timeout_ms = RULESET_FLOOD_MS};
		const struct nft_set floods = {.name = ruleset_floods[kind],
					       .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
					       .fields = {NFT_FIELD_MAC},
					       .size = RULESET_OFFENDERS_MAX,
					       .timeout_ms = RULESET_FLOOD_MS};

		nft_set_anew(b, &rates);
		nft_set_keep(b, &floods);
	}
}

void ruleset_put_flood(struct nft_batch *b, const struct ruleset *r, const char *chain,
		       enum ruleset_flood kind)
{
	const struct snapshot_guard *guard = &r->snapshot->zones[r->zone].guard;

	nft_rule(b, chain);
	nft_payload(b, NFT_PAYLOAD_LL_HEADER, 6, 6, REG(0));
	nft_over_rate(b, counted[kind], REG(0), guard->flood_rate, guard->flood_period_s,
		      guard->flood_rate);
	nft_add_to_set(b, ruleset_floods[kind], REG(0), true);
	nft_rule_end(b);
}

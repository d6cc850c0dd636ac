/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of one source, which hold before anybody judges: how many new flows in a time, and how
 * many flows at one time. A source is an IPv4 address or an IPv6 /64, since whoever has one address
 * of a /64 has them all.
 *
 * The kernel forgets that it has counted a flow when it counts the next one of that source while
 * connection tracking does not have the first yet, so as long as that waits for its verdict. So
 * flows are counted once more, in sets of their own, in the moment in which a verdict lets them
 * pass: then each is in connection tracking before the next is looked at (ADR 425).
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#include "netfilter/ruleset/private.h"

#define GUARDED_MAX 65535
#define GUARDED_MS  10000 /* at least; see rules_limits */
#define MS_A_SECOND 1000

/* Of one family: where the source is, and the sets that it is counted in. */
struct guarded {
	uint8_t nfproto, source_at, bytes;
	struct nft_set rates, flows, begun, limited;
};

static const struct guarded guarded[2] = {
	{.nfproto = NFPROTO_IPV4,
	 .source_at = 12,
	 .bytes = 4,
	 .rates = {.name = "rates4",
		   .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		   .fields = {NFT_FIELD_IPV4},
		   .size = GUARDED_MAX,
		   .timeout_ms = GUARDED_MS},
	 .flows = {.name = "flows4",
		   .flags = NFT_SET_EVAL,
		   .fields = {NFT_FIELD_IPV4},
		   .size = GUARDED_MAX},
	 .begun = {.name = "begun4",
		   .flags = NFT_SET_EVAL,
		   .fields = {NFT_FIELD_IPV4},
		   .size = GUARDED_MAX},
	 .limited = {.name = RULESET_LIMITED4,
		     .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		     .fields = {NFT_FIELD_IPV4},
		     .size = RULESET_OFFENDERS_MAX,
		     .timeout_ms = RULESET_OFFENDERS_MS}},
	{.nfproto = NFPROTO_IPV6,
	 .source_at = 8,
	 .bytes = 16,
	 .rates = {.name = "rates6",
		   .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		   .fields = {NFT_FIELD_IPV6},
		   .size = GUARDED_MAX,
		   .timeout_ms = GUARDED_MS},
	 .flows = {.name = "flows6",
		   .flags = NFT_SET_EVAL,
		   .fields = {NFT_FIELD_IPV6},
		   .size = GUARDED_MAX},
	 .begun = {.name = "begun6",
		   .flags = NFT_SET_EVAL,
		   .fields = {NFT_FIELD_IPV6},
		   .size = GUARDED_MAX},
	 .limited = {.name = RULESET_LIMITED6,
		     .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		     .fields = {NFT_FIELD_IPV6},
		     .size = RULESET_OFFENDERS_MAX,
		     .timeout_ms = RULESET_OFFENDERS_MS}},
};

static void load_source(struct nft_batch *b, const struct guarded *g)
{
	static const uint8_t network_half[16] = {255, 255, 255, 255, 255, 255, 255, 255};

	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, g->source_at, g->bytes, REG(0));
	if (g->nfproto == NFPROTO_IPV6)
		nft_mask(b, REG(0), network_half, sizeof(network_half));
}

/* The set @counted of @g, and the rule of a chain that counts new flows there and sends away what
 * is over the limit. */
static void rules_connections(struct nft_batch *b, const struct ruleset *r, const struct guarded *g,
			      const struct nft_set *counted, const char *chain)
{
	uint32_t connections = r->snapshot->zones[r->zone].guard.source_connections;

	if (r->connections_before == connections)
		nft_set_keep(b, counted); /* with those that it has counted */
	else
		nft_set_anew(b, counted);
	if (connections == 0)
		return;
	nft_rule(b, chain);
	nft_match_family(b, g->nfproto);
	load_source(b, g);
	nft_over_connections(b, counted->name, REG(0), connections);
	nft_jump(b, NFT_GOTO, CHAIN_OVER_FLOWS);
	nft_rule_end(b);
}

/* A new flow over the limit goes on to be remembered and dropped; two rules for that, since a full
 * set of offenders must not let it through. */
static void rules_over(struct nft_batch *b, const struct guarded *g, const char *chain,
		       enum ruleset_counter counter)
{
	nft_rule(b, chain);
	nft_match_family(b, g->nfproto);
	load_source(b, g);
	nft_add_to_set(b, g->limited.name, REG(0), true);
	nft_rule_end(b);
	nft_rule(b, chain);
	nft_match_family(b, g->nfproto);
	rule_drop(b, counter);
}

static void rules_limits(struct nft_batch *b, const struct ruleset *r, const struct guarded *g)
{
	const struct snapshot_guard *guard = &r->snapshot->zones[r->zone].guard;
	struct nft_set rates = g->rates;

	/* Who is forgotten sooner than his credit is back gets it before its time. */
	if (rates.timeout_ms < MS_A_SECOND * guard->source_period_s)
		rates.timeout_ms = MS_A_SECOND * guard->source_period_s;
	nft_set_keep(b, &g->limited);
	nft_set_anew(b, &rates);
	nft_rule(b, CHAIN_GUARD);
	nft_match_family(b, g->nfproto);
	load_source(b, g);
	nft_over_rate(b, g->rates.name, REG(0), guard->source_rate, guard->source_period_s,
		      guard->source_rate);
	nft_jump(b, NFT_GOTO, CHAIN_OVER_RATE);
	nft_rule_end(b);
	rules_connections(b, r, g, &g->flows, CHAIN_GUARD);
	rules_connections(b, r, g, &g->begun, CHAIN_PERMITTED);
}

void ruleset_put_guard(struct nft_batch *b, const struct ruleset *r)
{
	const uint32_t unmarked = 0;

	nft_rule(b, CHAIN_GUARD);
	nft_match_state(b, ~(uint32_t)NF_CT_STATE_BIT(IP_CT_NEW));
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
	nft_rule(b, CHAIN_GUARD);
	nft_ct(b, NFT_CT_MARK, REG(0));
	nft_compare(b, NFT_CMP_NEQ, REG(0), &unmarked, sizeof(unmarked));
	nft_verdict(b, NF_ACCEPT); /* a flow without an answer, but not a new one */
	nft_rule_end(b);
	nft_rule(b, CHAIN_GUARD);
	nft_match_interface(b, NFT_META_IIFNAME, r->snapshot->zones[r->zone].port, false);
	nft_verdict(b, NF_ACCEPT); /* counted in the zone that it comes from */
	nft_rule_end(b);
	nft_chain(b, CHAIN_OVER_RATE);
	nft_chain(b, CHAIN_OVER_FLOWS);
	nft_chain(b, CHAIN_PERMITTED);
	ruleset_put_flood(b, r, CHAIN_OVER_RATE, RULESET_FLOOD_LIMIT);
	ruleset_put_flood(b, r, CHAIN_OVER_FLOWS, RULESET_FLOOD_LIMIT);
	for (int i = 0; i < 2; i++)
		rules_limits(b, r, &guarded[i]);
	for (int i = 0; i < 2; i++) {
		rules_over(b, &guarded[i], CHAIN_OVER_RATE, COUNTER_RATE);
		rules_over(b, &guarded[i], CHAIN_OVER_FLOWS, COUNTER_FLOWS);
	}
}

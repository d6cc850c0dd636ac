/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may say of itself that it has an address: ARP (RFC 826) and neighbour discovery (RFC 4861).
 * The gateway's own addresses, and those that it answers for between the two sides of a transparent
 * crossing, are nobody's else. An address that the zone binds to a station is only that station's;
 * where the list is only reported, a claim is remembered, but let through.
 */
#include <string.h>

#include "base/err.h"
#include "netfilter/ruleset/private.h"
#include "policy/proxied.h"

#define CHAIN_ARP     "arp-input"
#define CHAIN_ARP_OUT "arp-output"

enum { ADVERTISEMENT = 136, SOLICITATION = 135 };
enum { OPTION_SOURCE_ADDRESS = 1, OPTION_TARGET_ADDRESS = 2 };
enum { ARP_HOOK_IN = 0, ARP_HOOK_OUT = 1 };

/* Offsets in an ARP packet of Ethernet and IPv4; in ICMPv6, in the link's header, in IPv6's. */
enum { ARP_OPERATION = 6, ARP_SENDER_MAC = 8, ARP_SENDER_IP = 14, ARP_TARGET_IP = 24 };
enum { ND_TARGET = 8, ND_OPTION = 24, ND_OPTION_MAC = 26 };
enum { LINK_SOURCE = 6, IPV6_SOURCE = 8 };

/* The sets of one family. */
static const struct {
	struct nft_set own, bound, pairs;
} claims[2] = {
	{.own = {.name = "gateway4", .fields = {NFT_FIELD_IPV4}},
	 .bound = {.name = SET_BOUND4, .fields = {NFT_FIELD_IPV4}},
	 .pairs = {.name = "pairs4", .fields = {NFT_FIELD_IPV4, NFT_FIELD_MAC}}},
	{.own = {.name = "gateway6", .fields = {NFT_FIELD_IPV6}},
	 .bound = {.name = SET_BOUND6, .fields = {NFT_FIELD_IPV6}},
	 .pairs = {.name = "pairs6", .fields = {NFT_FIELD_IPV6, NFT_FIELD_MAC}}},
};
static const struct nft_set set_claimants = {.name = RULESET_CLAIMANTS,
					     .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
					     .fields = {NFT_FIELD_MAC},
					     .size = RULESET_OFFENDERS_MAX,
					     .timeout_ms = RULESET_OFFENDERS_MS};

static size_t address_bytes(int index)
{
	return index == 0 ? 4 : 16;
}

/* The addresses of one family on their way into their set. */
struct own_addresses {
	struct nft_elements elements;
	int index;
};

static int add_own(void *ctx, const struct snapshot_prefix *address)
{
	struct own_addresses *own = ctx;
	const struct nft_element element = {.key = address->addr,
					    .key_bytes = address_bytes(own->index)};

	if (address->family == (own->index == 0 ? 4 : 6))
		nft_elements_add(&own->elements, &element);
	return 0;
}

static void put_own(struct nft_batch *b, const struct ruleset *r, int index)
{
	const struct snapshot *s = r->snapshot;
	struct snapshot_range addresses = s->zones[r->zone].addresses;
	struct own_addresses own = {.index = index};

	nft_set_anew(b, &claims[index].own);
	nft_elements_begin(&own.elements, b, claims[index].own.name);
	for (uint32_t i = 0; i < addresses.count; i++)
		(void)add_own(&own, &s->prefixes[addresses.first + i]); /* never fails */
	if (proxied_each(s, r->zone, add_own, &own) < 0)
		b->buffer.failed = true; /* no memory: nothing of this batch is taken */
	nft_elements_end(&own.elements);
}

/* The addresses that stations are bound to, one by one; @pairs: with the station's MAC. */
static void put_bound(struct nft_batch *b, const struct ruleset *r, int index, bool pairs)
{
	const struct snapshot *s = r->snapshot;
	const struct snapshot_zone *zone = &s->zones[r->zone];
	const struct nft_set *set = pairs ? &claims[index].pairs : &claims[index].bound;
	size_t bytes = address_bytes(index);
	struct nft_elements elements;

	nft_set_anew(b, set);
	nft_elements_begin(&elements, b, set->name);
	for (uint32_t i = 0; i < zone->stations.count; i++) {
		const struct snapshot_station *station = &s->stations[zone->stations.first + i];

		for (uint32_t j = 0; j < station->addresses.count; j++) {
			const struct snapshot_prefix *p =
				&s->prefixes[station->addresses.first + j];
			uint8_t key[24] = {0};
			const struct nft_element element = {.key = key,
							    .key_bytes = pairs ? bytes + 8 : bytes};

			if (p->family != (index == 0 ? 4 : 6) || p->bits != 8 * bytes)
				continue; /* a network, or of the other family */
			memcpy(key, p->addr, bytes);
			memcpy(key + bytes, station->mac, 6);
			nft_elements_add(&elements, &element);
		}
	}
	nft_elements_end(&elements);
}

static void put_sets(struct nft_batch *b, const struct ruleset *r, int index)
{
	nft_set_keep(b, &set_claimants);
	put_own(b, r, index);
	put_bound(b, r, index, false);
	put_bound(b, r, index, true);
}

/* Where in a packet a claim is: what is claimed, and for which hardware address. */
struct claim {
	int index;            /* 0: ARP, 1: neighbour discovery */
	uint8_t type, option; /* of neighbour discovery; option 0: none is looked at */
	enum nft_payload_bases address_base;
	uint8_t address_at;
	enum nft_payload_bases mac_base;
	uint8_t mac_at;
};

static const struct claim arp_claims[] = {
	{0, 0, 0, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_IP, NFT_PAYLOAD_NETWORK_HEADER,
	 ARP_SENDER_MAC},
	{0, 0, 0, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_IP, NFT_PAYLOAD_LL_HEADER, LINK_SOURCE},
};
static const struct claim discovery_claims[] = {
	{1, ADVERTISEMENT, 0, NFT_PAYLOAD_TRANSPORT_HEADER, ND_TARGET, NFT_PAYLOAD_LL_HEADER,
	 LINK_SOURCE},
	{1, ADVERTISEMENT, OPTION_TARGET_ADDRESS, NFT_PAYLOAD_TRANSPORT_HEADER, ND_TARGET,
	 NFT_PAYLOAD_TRANSPORT_HEADER, ND_OPTION_MAC},
	{1, SOLICITATION, 0, NFT_PAYLOAD_NETWORK_HEADER, IPV6_SOURCE, NFT_PAYLOAD_LL_HEADER,
	 LINK_SOURCE},
	{1, SOLICITATION, OPTION_SOURCE_ADDRESS, NFT_PAYLOAD_NETWORK_HEADER, IPV6_SOURCE,
	 NFT_PAYLOAD_TRANSPORT_HEADER, ND_OPTION_MAC},
};

/* The rule's first words: it is such a packet, and the claimed address is in the set. */
static void match_claim(struct nft_batch *b, const struct claim *claim, const char *set)
{
	if (claim->index == 1) {
		nft_match_protocol(b, IPPROTO_ICMPV6);
		nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, REG(0));
		nft_compare(b, NFT_CMP_EQ, REG(0), &claim->type, 1);
	}
	if (claim->option != 0) {
		nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, ND_OPTION, 1, REG(0));
		nft_compare(b, NFT_CMP_EQ, REG(0), &claim->option, 1);
	}
	nft_payload(b, claim->address_base, claim->address_at,
		    (uint32_t)address_bytes(claim->index), REG(0));
	nft_lookup(b, set, REG(0), false);
}

/* And where it is bound, that it is bound to another. */
static void match_pair(struct nft_batch *b, const struct claim *claim)
{
	nft_payload(b, claim->mac_base, claim->mac_at, 6, REG(address_bytes(claim->index) / 4));
	nft_lookup(b, claims[claim->index].pairs.name, REG(0), true);
}

static void match(struct nft_batch *b, const char *chain, const struct claim *claim, bool own)
{
	nft_rule(b, chain);
	match_claim(b, claim,
		    own ? claims[claim->index].own.name : claims[claim->index].bound.name);
	if (!own)
		match_pair(b, claim);
}

/* Two rules, one to remember and one to drop: a full set of offenders must not let it through. */
static void rules_claim(struct nft_batch *b, const char *chain, const struct claim *claim, bool own,
			bool enforce)
{
	match(b, chain, claim, own);
	nft_payload(b, NFT_PAYLOAD_LL_HEADER, LINK_SOURCE, 6, REG(0));
	nft_add_to_set(b, set_claimants.name, REG(0), true);
	nft_rule_end(b);
	if (!enforce)
		return;
	match(b, chain, claim, own);
	rule_drop(b, COUNTER_NEIGHBOUR);
}

static void rules_claims(struct nft_batch *b, const struct ruleset *r, const char *chain,
			 const struct claim *list, size_t count)
{
	uint32_t policy = r->snapshot->zones[r->zone].station_policy;

	for (size_t i = 0; i < count; i++) {
		rules_claim(b, chain, &list[i], true, true);
		if (policy != STATION_OFF)
			rules_claim(b, chain, &list[i], false, policy == STATION_ENFORCE);
	}
}

void ruleset_put_discovery(struct nft_batch *b, const struct ruleset *r)
{
	put_sets(b, r, 1);
	put_bound(b, r, 0, false);
	rules_claims(b, r, CHAIN_RAW6, discovery_claims,
		     sizeof(discovery_claims) / sizeof(discovery_claims[0]));
}

/* Ethernet and IPv4 with addresses of their lengths: anything else is no ARP that we know. */
static void rule_form(struct nft_batch *b)
{
	static const uint8_t form[6] = {0, 1, 8, 0, 6, 4};

	nft_rule(b, CHAIN_ARP);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 0, sizeof(form), REG(0));
	nft_compare(b, NFT_CMP_NEQ, REG(0), form, sizeof(form));
	rule_drop(b, COUNTER_NEIGHBOUR);
}

/*
 * In a transparent zone the gateway has no address to ask from, and the kernel would send what
 * looks like a probe for a duplicate: it asks in the name of a host of the other side (RFC
 * 5227 2.1.1).
 */
static void rule_ask_for(void *ctx, const struct snapshot_prefix *network,
			 const struct snapshot_prefix *sender)
{
	static const uint8_t request[2] = {0, 1}, nobody[4];
	struct nft_batch *b = ctx;
	address_number first, last;
	uint8_t bounds[2][4];

	prefix_bounds(network, &first, &last);
	address_from_number(4, first, bounds[0]);
	address_from_number(4, last, bounds[1]);
	nft_rule(b, CHAIN_ARP_OUT);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, ARP_OPERATION, sizeof(request), REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), request, sizeof(request));
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_IP, sizeof(nobody), REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), nobody, sizeof(nobody));
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, ARP_TARGET_IP, 4, REG(0));
	nft_compare(b, NFT_CMP_GTE, REG(0), bounds[0], 4);
	nft_compare(b, NFT_CMP_LTE, REG(0), bounds[1], 4);
	nft_immediate(b, REG(0), sender->addr, 4);
	nft_payload_set(b, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_IP, 4, REG(0));
	nft_rule_end(b);
}

static void put_asking(struct nft_batch *b, const struct ruleset *r)
{
	nft_base_chain(b, CHAIN_ARP_OUT, ARP_HOOK_OUT, 0, NF_ACCEPT);
	if (proxied_each_asker(r->snapshot, r->zone, rule_ask_for, b) < 0)
		b->buffer.failed = true; /* no memory: nothing of this batch is taken */
}

void ruleset_put_arp(struct nft_batch *b, const struct ruleset *r)
{
	if (r->fresh)
		nft_table_remove(b, NFPROTO_ARP, RULESET_TABLE);
	nft_table(b, NFPROTO_ARP, RULESET_TABLE);
	nft_base_chain(b, CHAIN_ARP, ARP_HOOK_IN, 0, NF_ACCEPT);
	nft_flush_rules(b);
	nft_counter(b, ruleset_counters[COUNTER_NEIGHBOUR]);
	put_sets(b, r, 0);
	put_asking(b, r);
	rule_form(b);
	rules_claims(b, r, CHAIN_ARP, arp_claims, sizeof(arp_claims) / sizeof(arp_claims[0]));
}

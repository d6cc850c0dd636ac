/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the gateway's own sockets: exactly what the configuration makes it open, in either
 * direction. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#include "channel/packet.h"
#include "netfilter/ruleset/private.h"
#include "policy/sockets.h"

#define SET_LISTENERS "listeners"

enum { NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };

static const struct nft_set set_peers[2] = {
	{.name = "peers4", .fields = {NFT_FIELD_IPV4, NFT_FIELD_PROTOCOL, NFT_FIELD_PORT}},
	{.name = "peers6", .fields = {NFT_FIELD_IPV6, NFT_FIELD_PROTOCOL, NFT_FIELD_PORT}},
};

/* Addresses in the IP header, by index of family. */
static const struct {
	uint8_t nfproto, source_at, destination_at, bytes;
} layouts[2] = {{NFPROTO_IPV4, 12, 16, 4}, {NFPROTO_IPV6, 8, 24, 16}};

static int add_listener(void *ctx, const struct policy_listener *listener)
{
	uint8_t key[8] = {listener->protocol};
	uint16_t port = htons(listener->port);
	const struct nft_element element = {.key = key, .key_bytes = sizeof(key)};

	memcpy(key + 4, &port, sizeof(port));
	nft_elements_add(ctx, &element);
	return 0;
}

static void put_listeners(struct nft_batch *b, const struct ruleset *r)
{
	static const struct nft_set set = {.name = SET_LISTENERS,
					   .fields = {NFT_FIELD_PROTOCOL, NFT_FIELD_PORT}};
	struct nft_elements elements;

	nft_set_anew(b, &set);
	nft_elements_begin(&elements, b, set.name);
	(void)policy_listeners(r->snapshot, r->zone, add_listener,
			       &elements); /* never ends early */
	nft_elements_end(&elements);
}

/* The peers of one family on their way into their set. */
struct peers {
	struct nft_elements elements;
	uint8_t family;
};

static int add_peer(void *ctx, const struct policy_peer *peer)
{
	struct peers *peers = ctx;
	size_t bytes = peers->family == 4 ? 4 : 16;
	uint8_t key[24] = {0};
	uint16_t port = htons(peer->port);
	const struct nft_element element = {.key = key, .key_bytes = bytes + 8};

	if (peer->address.family != peers->family)
		return 0;
	memcpy(key, peer->address.addr, bytes);
	key[bytes] = peer->protocol;
	memcpy(key + bytes + 4, &port, sizeof(port));
	nft_elements_add(&peers->elements, &element);
	return 0;
}

static void put_peers(struct nft_batch *b, const struct ruleset *r)
{
	for (int i = 0; i < 2; i++) {
		struct peers peers = {.family = i == 0 ? 4 : 6};

		nft_set_anew(b, &set_peers[i]);
		nft_elements_begin(&peers.elements, b, set_peers[i].name);
		(void)policy_peers(r->snapshot, r->zone, add_peer, &peers); /* never ends early */
		nft_elements_end(&peers.elements);
	}
}

/* Protocol and one port of the packet; @port_at: 0 source, 2 destination. */
static void load_service(struct nft_batch *b, uint32_t port_at, uint32_t at)
{
	nft_meta(b, NFT_META_L4PROTO, REG(at));
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, port_at, 2, REG(at + 1));
}

static void match_peer(struct nft_batch *b, int index, bool is_source)
{
	uint32_t words = layouts[index].bytes / 4;

	nft_match_family(b, layouts[index].nfproto);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
		    is_source ? layouts[index].source_at : layouts[index].destination_at,
		    layouts[index].bytes, REG(0));
	load_service(b, is_source ? 0 : 2, words);
	nft_lookup(b, set_peers[index].name, REG(0), false);
}

/* RFC 4861 7.1: a hop limit of 255 proves that the packet crossed no router. */
static void match_neighbour(struct nft_batch *b, uint8_t type)
{
	const uint8_t no_router = 255;

	nft_match_protocol(b, IPPROTO_ICMPV6);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &no_router, 1);
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &type, 1);
}

static void put_input(struct nft_batch *b, const struct ruleset *r)
{
	const char *port = r->snapshot->zones[r->zone].port;
	uint32_t own = (uint32_t)r->generation << 16 | PACKET_MARK_LOCK;

	/* What the kernel itself says of our flows: the next hop does not answer, for one. */
	rules_accept_errors(b, CHAIN_INPUT, "lo");
	nft_rule(b, CHAIN_INPUT);
	nft_match_interface(b, NFT_META_IIFNAME, port, false);
	rule_drop(b, COUNTER_INPUT);
	for (uint8_t type = NEIGHBOUR_SOLICITATION; type <= NEIGHBOUR_ADVERTISEMENT; type++) {
		nft_rule(b, CHAIN_INPUT);
		match_neighbour(b, type);
		rule_accept_marked(b, own);
	}
	rule_drop_invalid(b, CHAIN_INPUT);
	nft_rule(b, CHAIN_INPUT);
	nft_match_direction(b, NFT_DIRECTION_ORIGINAL);
	load_service(b, 2, 0);
	nft_lookup(b, SET_LISTENERS, REG(0), false);
	rule_accept_marked(b, own);
	for (int i = 0; i < 2; i++) {
		nft_rule(b, CHAIN_INPUT);
		nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
		nft_match_direction(b, NFT_DIRECTION_REPLY);
		match_peer(b, i, true);
		rule_accept_marked(b, own);
	}
	/* The stamp lets only those about our own flows pass. */
	rules_accept_errors(b, CHAIN_INPUT, NULL);
	rules_drop_denied(b, CHAIN_INPUT);
	rules_queue(b, CHAIN_INPUT, r, 0);
	rules_stamp(b, CHAIN_INPUT_STAMP, true);
}

/* What `reject` answers for a zone: it belongs to no flow of ours, but to the one that was refused.
 */
static void rules_answers_of_reject(struct nft_batch *b)
{
	static const struct {
		uint8_t protocol, type_code[2];
	} refusals[] = {{IPPROTO_ICMP, {3, 13}}, {IPPROTO_ICMPV6, {1, 1}}};
	const uint8_t rst = 4, none = 0;

	nft_rule(b, CHAIN_OUTPUT);
	nft_match_state(b, NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_match_protocol(b, IPPROTO_TCP);
	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, REG(0));
	nft_mask(b, REG(0), &rst, 1);
	nft_compare(b, NFT_CMP_NEQ, REG(0), &none, 1);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		nft_rule(b, CHAIN_OUTPUT);
		nft_match_state(b, NF_CT_STATE_BIT(IP_CT_RELATED));
		nft_match_protocol(b, refusals[i].protocol);
		nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, REG(0));
		nft_compare(b, NFT_CMP_EQ, REG(0), refusals[i].type_code, 2);
		nft_verdict(b, NF_ACCEPT);
		nft_rule_end(b);
	}
}

/* What the kernel sends as a multicast listener or host (RFC 3376, 2710, 3810, 4861): needed by
 * nobody, and no news. */
static void rules_listener_reports(struct nft_batch *b)
{
	static const uint8_t types[] = {131, 132, 133, 143};

	nft_rule(b, CHAIN_OUTPUT);
	nft_match_protocol(b, IPPROTO_IGMP);
	nft_verdict(b, NF_DROP);
	nft_rule_end(b);
	for (size_t i = 0; i < sizeof(types); i++) {
		nft_rule(b, CHAIN_OUTPUT);
		nft_match_protocol(b, IPPROTO_ICMPV6);
		nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, REG(0));
		nft_compare(b, NFT_CMP_EQ, REG(0), &types[i], 1);
		nft_verdict(b, NF_DROP);
		nft_rule_end(b);
	}
}

static void put_output(struct nft_batch *b, const struct ruleset *r)
{
	const char *port = r->snapshot->zones[r->zone].port;
	const uint32_t own = (uint32_t)r->generation << 16 | PACKET_MARK_LOCK;

	rules_answers_of_reject(b);
	rules_accept_errors(b, CHAIN_OUTPUT, NULL);
	rules_listener_reports(b);
	nft_rule(b, CHAIN_OUTPUT);
	nft_match_interface(b, NFT_META_OIFNAME, port, false);
	rule_drop(b, COUNTER_OUTPUT);
	for (uint8_t type = NEIGHBOUR_SOLICITATION; type <= NEIGHBOUR_ADVERTISEMENT; type++) {
		nft_rule(b, CHAIN_OUTPUT);
		match_neighbour(b, type);
		nft_verdict(b, NF_ACCEPT);
		nft_rule_end(b);
	}
	nft_rule(b, CHAIN_OUTPUT);
	nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	nft_match_direction(b, NFT_DIRECTION_REPLY);
	load_service(b, 0, 0);
	nft_lookup(b, SET_LISTENERS, REG(0), false);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
	for (int i = 0; i < 2; i++) {
		nft_rule(b, CHAIN_OUTPUT);
		nft_match_direction(b, NFT_DIRECTION_ORIGINAL);
		match_peer(b, i, false);
		nft_immediate(b, REG(0), &own, sizeof(own));
		nft_ct_set(b, NFT_CT_MARK, REG(0));
		nft_verdict(b, NF_ACCEPT);
		nft_rule_end(b);
	}
	nft_rule(b, CHAIN_OUTPUT);
	rule_drop(b, COUNTER_OUTPUT);
}

void ruleset_put_local(struct nft_batch *b, const struct ruleset *r)
{
	put_listeners(b, r);
	put_peers(b, r);
	put_input(b, r);
	put_output(b, r);
}

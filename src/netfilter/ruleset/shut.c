/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stations that are shut out: nothing that they send gets anywhere. */
#include <string.h>

#include "netfilter/ruleset/private.h"

/* By the size of what a station is known by. */
static const struct shut_kind {
	struct nft_set set;
	uint8_t size, nfproto; /* nfproto: 0 for any */
	enum nft_payload_bases base;
	uint8_t at; /* where the sender is */
} kinds[] = {
	{{.name = "shut-macs", .fields = {NFT_FIELD_MAC}}, 6, 0, NFT_PAYLOAD_LL_HEADER, 6},
	{{.name = "shut4", .fields = {NFT_FIELD_IPV4}},
	 4,
	 NFPROTO_IPV4,
	 NFT_PAYLOAD_NETWORK_HEADER,
	 12},
	{{.name = "shut6", .fields = {NFT_FIELD_IPV6}},
	 16,
	 NFPROTO_IPV6,
	 NFT_PAYLOAD_NETWORK_HEADER,
	 8},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool put_elements(struct nft_batch *b, const struct shut_kind *kind, const struct ruleset *r)
{
	struct nft_elements elements;
	bool any = false;

	nft_set_keep(b, &kind->set);
	nft_set_flush(b, kind->set.name);
	nft_elements_begin(&elements, b, kind->set.name);
	for (size_t i = 0; i < r->shut_count; i++) {
		const struct station_shut *station = &r->shut[i];
		const struct nft_element element = {.key = station->bytes, .key_bytes = kind->size};

		if (station->size == kind->size) {
			nft_elements_add(&elements, &element);
			any = true;
		}
	}
	nft_elements_end(&elements);
	return any;
}

/* Sets, and a rule for each that has something in it: on most days no packet is looked up. */
static void put_kinds(struct nft_batch *b, const struct ruleset *r)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct shut_kind *kind = &kinds[i];

		if (!put_elements(b, kind, r))
			continue;
		nft_rule(b, CHAIN_SHUT);
		if (kind->nfproto != 0)
			nft_match_family(b, kind->nfproto);
		nft_payload(b, kind->base, kind->at, kind->size, REG(0));
		nft_lookup(b, kind->set.name, REG(0), false);
		rule_drop(b, COUNTER_SHUT);
	}
}

void ruleset_put_shut(struct nft_batch *b, const struct ruleset *r, const char *chain)
{
	nft_chain(b, CHAIN_SHUT);
	put_kinds(b, r);
	nft_rule(b, chain);
	nft_jump(b, NFT_JUMP, CHAIN_SHUT);
	nft_rule_end(b);
}

int ruleset_shut(const struct ruleset *r, int netlink_fd)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	nft_flush_chain(&b, CHAIN_SHUT);
	put_kinds(&b, r);
	ruleset_exchange_offload(&b, r);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

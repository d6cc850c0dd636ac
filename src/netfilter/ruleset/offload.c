/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Established flows of a crossing with `offload` go through the kernel's flow table, past all
 * chains of forwarded packets. What holds for them instead: only a flow with a proof of the rules'
 * own generation gets in; each new ruleset exchanges the whole table in its transaction, so that
 * every flow meets the rules again; and a chain in front of it at the crossing's end passes nothing
 * unless the generation is alive, so that the dead man's switch holds for offloaded flows too.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>

#include "channel/device.h"
#include "netfilter/ruleset/private.h"

#define FLOWTABLE "offload"

enum { PRIORITY_FRONT = -10 }; /* the flow table has 0 */

#define DEVICES_MAX (SNAPSHOT_ZONES_MAX + 1)

/* The devices between which a zone's flows are offloaded: crossings, and the port behind them. */
struct devices {
	char names[DEVICES_MAX][DEVICE_NAME_BYTES];
	const char *list[DEVICES_MAX];
	size_t crossings, count;
};

static const struct snapshot_crossing *crossing_with(const struct ruleset *r, uint32_t other)
{
	const struct snapshot *s = r->snapshot;

	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const struct snapshot_crossing *c = &s->crossings[i];

		if ((c->low == r->zone && c->high == other) ||
		    (c->high == r->zone && c->low == other))
			return c;
	}
	return NULL;
}

static void find_devices(struct devices *d, const struct ruleset *r)
{
	const struct snapshot *s = r->snapshot;

	d->crossings = d->count = 0;
	for (uint32_t i = 0; i < s->zone_count && r->offload; i++) {
		const struct snapshot_crossing *c = crossing_with(r, i);

		if (c == NULL || !(c->flags & CROSSING_OFFLOAD))
			continue;
		device_crossing_name(d->names[d->count], s->zones[i].name);
		d->list[d->count] = d->names[d->count];
		d->count++;
	}
	d->crossings = d->count;
	if (d->count > 0)
		d->list[d->count++] = s->zones[r->zone].port;
}

bool ruleset_offloads(const struct ruleset *r)
{
	struct devices d;

	find_devices(&d, r);
	return d.count > 0;
}

/* Names of chains have room for a device's name behind a word. */
static void front_name(char name[32], const char *device)
{
	(void)snprintf(name, 32, "front-%s", device);
}

/* Only while the generation is alive. */
static void put_front(struct nft_batch *b, const struct ruleset *r, const char *device)
{
	const uint32_t proof = (uint32_t)r->generation << 16;
	char name[32];

	front_name(name, device);
	nft_ingress_chain(b, name, device, PRIORITY_FRONT, NF_DROP);
	nft_flush_chain(b, name);
	nft_rule(b, name);
	nft_immediate(b, REG(0), &proof, sizeof(proof));
	nft_lookup(b, SET_ALIVE, REG(0), false);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
	nft_rule(b, name);
	rule_drop(b, COUNTER_UNPROVEN);
}

/* A zone whose crossing no longer offloads has no such chain there. */
static void remove_other_fronts(struct nft_batch *b, const struct ruleset *r)
{
	for (uint32_t i = 0; i < r->snapshot->zone_count; i++) {
		const struct snapshot_crossing *c = crossing_with(r, i);
		char device[DEVICE_NAME_BYTES], name[32];

		if (c != NULL && r->offload && (c->flags & CROSSING_OFFLOAD))
			continue;
		device_crossing_name(device, r->snapshot->zones[i].name);
		front_name(name, device);
		nft_chain_remove(b, name);
	}
}

/* Each flow that goes on over such a crossing, once it is known to have answers and a proof. One of
 * the generation before runs by the rules until it has a new one, or is cut. */
static void put_flows(struct nft_batch *b, const struct ruleset *r, const struct devices *d)
{
	nft_flowtable(b, FLOWTABLE, d->list, d->count);
	for (size_t i = 0; i < d->crossings; i++) {
		nft_rule(b, CHAIN_OFFLOAD);
		nft_match_interface(b, NFT_META_OIFNAME, d->list[i], true);
		nft_match_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
		rule_match_generation(b, r->generation);
		nft_flow_add(b, FLOWTABLE);
		nft_rule_end(b);
	}
}

void ruleset_put_offload(struct nft_batch *b, const struct ruleset *r)
{
	struct devices d;

	find_devices(&d, r);
	remove_other_fronts(b, r);
	nft_chain(b, CHAIN_OFFLOAD);
	nft_flowtable_remove(b, FLOWTABLE);
	if (d.count == 0)
		return;
	for (size_t i = 0; i < d.crossings; i++)
		put_front(b, r, d.list[i]);
	put_flows(b, r, &d);
	nft_rule(b, CHAIN_FORWARD);
	nft_jump(b, NFT_JUMP, CHAIN_OFFLOAD);
	nft_rule_end(b);
}

void ruleset_exchange_offload(struct nft_batch *b, const struct ruleset *r)
{
	struct devices d;

	find_devices(&d, r);
	if (d.count == 0)
		return;
	nft_flush_chain(b, CHAIN_OFFLOAD);
	nft_flowtable_remove(b, FLOWTABLE);
	put_flows(b, r, &d);
}

int ruleset_renew_offload(const struct ruleset *r, int netlink_fd)
{
	struct nft_batch b;

	if (!ruleset_offloads(r))
		return 0;
	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, RULESET_TABLE);
	ruleset_exchange_offload(&b, r);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

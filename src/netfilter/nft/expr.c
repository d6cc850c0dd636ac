/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables rules and their expressions as netlink attributes. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>

#include "netfilter/nft/nft.h"

#define XT_NFQUEUE_REVISION 3

/* An expression: its name and a nest with its attributes. */
struct expression {
	size_t element_at, data_at;
};

void nft_rule(struct nft_batch *b, const char *chain)
{
	netlink_begin(&b->buffer, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
		      NLM_F_CREATE | NLM_F_APPEND, b->family, 0);
	netlink_put_text(&b->buffer, NFTA_RULE_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_RULE_CHAIN, chain);
	b->list_at = netlink_nest(&b->buffer, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft_batch *b)
{
	netlink_nest_end(&b->buffer, b->list_at);
	netlink_end(&b->buffer);
}

static struct expression open_expression(struct nft_batch *b, const char *name)
{
	struct expression e;

	e.element_at = netlink_nest(&b->buffer, NFTA_LIST_ELEM);
	netlink_put_text(&b->buffer, NFTA_EXPR_NAME, name);
	e.data_at = netlink_nest(&b->buffer, NFTA_EXPR_DATA);
	return e;
}

static void close_expression(struct nft_batch *b, struct expression e)
{
	netlink_nest_end(&b->buffer, e.data_at);
	netlink_nest_end(&b->buffer, e.element_at);
}

static void put_data(struct nft_batch *b, uint16_t type, const void *data, size_t bytes)
{
	size_t nest = netlink_nest(&b->buffer, type);

	netlink_put(&b->buffer, NFTA_DATA_VALUE, data, bytes);
	netlink_nest_end(&b->buffer, nest);
}

void nft_meta(struct nft_batch *b, enum nft_meta_keys key, uint32_t reg)
{
	struct expression e = open_expression(b, "meta");

	netlink_put_be32(&b->buffer, NFTA_META_KEY, key);
	netlink_put_be32(&b->buffer, NFTA_META_DREG, reg);
	close_expression(b, e);
}

void nft_meta_set(struct nft_batch *b, enum nft_meta_keys key, uint32_t reg)
{
	struct expression e = open_expression(b, "meta");

	netlink_put_be32(&b->buffer, NFTA_META_KEY, key);
	netlink_put_be32(&b->buffer, NFTA_META_SREG, reg);
	close_expression(b, e);
}

void nft_ct(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg)
{
	struct expression e = open_expression(b, "ct");

	netlink_put_be32(&b->buffer, NFTA_CT_KEY, key);
	netlink_put_be32(&b->buffer, NFTA_CT_DREG, reg);
	close_expression(b, e);
}

void nft_ct_original(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg)
{
	struct expression e = open_expression(b, "ct");

	netlink_put_be32(&b->buffer, NFTA_CT_KEY, key);
	netlink_put_be32(&b->buffer, NFTA_CT_DREG, reg);
	netlink_put_u8(&b->buffer, NFTA_CT_DIRECTION, NFT_DIRECTION_ORIGINAL);
	close_expression(b, e);
}

void nft_ct_set(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg)
{
	struct expression e = open_expression(b, "ct");

	netlink_put_be32(&b->buffer, NFTA_CT_KEY, key);
	netlink_put_be32(&b->buffer, NFTA_CT_SREG, reg);
	close_expression(b, e);
}

void nft_payload(struct nft_batch *b, enum nft_payload_bases base, uint32_t offset, uint32_t bytes,
		 uint32_t reg)
{
	struct expression e = open_expression(b, "payload");

	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_DREG, reg);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_BASE, base);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_OFFSET, offset);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_LEN, bytes);
	close_expression(b, e);
}

void nft_payload_set(struct nft_batch *b, enum nft_payload_bases base, uint32_t offset,
		     uint32_t bytes, uint32_t reg)
{
	struct expression e = open_expression(b, "payload");

	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_SREG, reg);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_BASE, base);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_OFFSET, offset);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_LEN, bytes);
	/* Left out they are the same, but the kernel tells them: its rules are compared by that. */
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_NONE);
	netlink_put_be32(&b->buffer, NFTA_PAYLOAD_CSUM_OFFSET, 0);
	close_expression(b, e);
}

void nft_immediate(struct nft_batch *b, uint32_t reg, const void *data, size_t bytes)
{
	struct expression e = open_expression(b, "immediate");

	netlink_put_be32(&b->buffer, NFTA_IMMEDIATE_DREG, reg);
	put_data(b, NFTA_IMMEDIATE_DATA, data, bytes);
	close_expression(b, e);
}

void nft_compare(struct nft_batch *b, enum nft_cmp_ops op, uint32_t reg, const void *data,
		 size_t bytes)
{
	struct expression e = open_expression(b, "cmp");

	netlink_put_be32(&b->buffer, NFTA_CMP_SREG, reg);
	netlink_put_be32(&b->buffer, NFTA_CMP_OP, op);
	put_data(b, NFTA_CMP_DATA, data, bytes);
	close_expression(b, e);
}

void nft_or(struct nft_batch *b, uint32_t reg, const void *mask, const void *set, size_t bytes)
{
	struct expression e = open_expression(b, "bitwise");

	netlink_put_be32(&b->buffer, NFTA_BITWISE_SREG, reg);
	netlink_put_be32(&b->buffer, NFTA_BITWISE_DREG, reg);
	netlink_put_be32(&b->buffer, NFTA_BITWISE_LEN, (uint32_t)bytes);
	put_data(b, NFTA_BITWISE_MASK, mask, bytes);
	put_data(b, NFTA_BITWISE_XOR, set, bytes);
	close_expression(b, e);
}

void nft_mask(struct nft_batch *b, uint32_t reg, const void *mask, size_t bytes)
{
	static const uint8_t nothing[16];

	nft_or(b, reg, mask, nothing, bytes);
}

void nft_lookup(struct nft_batch *b, const char *set, uint32_t reg, bool absent)
{
	struct expression e = open_expression(b, "lookup");

	netlink_put_text(&b->buffer, NFTA_LOOKUP_SET, set);
	netlink_put_be32(&b->buffer, NFTA_LOOKUP_SREG, reg);
	if (absent)
		netlink_put_be32(&b->buffer, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	close_expression(b, e);
}

static struct expression open_dynset(struct nft_batch *b, const char *set, uint32_t reg,
				     enum nft_dynset_ops op)
{
	struct expression e = open_expression(b, "dynset");

	netlink_put_text(&b->buffer, NFTA_DYNSET_SET_NAME, set);
	netlink_put_be32(&b->buffer, NFTA_DYNSET_SREG_KEY, reg);
	netlink_put_be32(&b->buffer, NFTA_DYNSET_OP, op);
	return e;
}

void nft_add_to_set(struct nft_batch *b, const char *set, uint32_t reg, bool update)
{
	close_expression(b, open_dynset(b, set, reg,
					update ? NFT_DYNSET_OP_UPDATE : NFT_DYNSET_OP_ADD));
}

/* An expression that each element of the set has for itself. */
static struct expression open_in_dynset(struct nft_batch *b, const char *name)
{
	struct expression e;

	e.element_at = netlink_nest(&b->buffer, NFTA_DYNSET_EXPR);
	netlink_put_text(&b->buffer, NFTA_EXPR_NAME, name);
	e.data_at = netlink_nest(&b->buffer, NFTA_EXPR_DATA);
	return e;
}

void nft_over_rate(struct nft_batch *b, const char *set, uint32_t reg, uint64_t rate,
		   uint32_t period_s, uint32_t burst)
{
	struct expression e = open_dynset(b, set, reg, NFT_DYNSET_OP_UPDATE);
	struct expression limit = open_in_dynset(b, "limit");

	netlink_put_be64(&b->buffer, NFTA_LIMIT_RATE, rate);
	netlink_put_be64(&b->buffer, NFTA_LIMIT_UNIT, period_s);
	netlink_put_be32(&b->buffer, NFTA_LIMIT_BURST, burst);
	netlink_put_be32(&b->buffer, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	netlink_put_be32(&b->buffer, NFTA_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	close_expression(b, limit);
	close_expression(b, e);
}

void nft_over_connections(struct nft_batch *b, const char *set, uint32_t reg, uint32_t count)
{
	struct expression e = open_dynset(b, set, reg, NFT_DYNSET_OP_ADD);
	struct expression limit = open_in_dynset(b, "connlimit");

	netlink_put_be32(&b->buffer, NFTA_CONNLIMIT_COUNT, count);
	netlink_put_be32(&b->buffer, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	close_expression(b, limit);
	close_expression(b, e);
}

void nft_flow_add(struct nft_batch *b, const char *flowtable)
{
	struct expression e = open_expression(b, "flow_offload");

	netlink_put_text(&b->buffer, NFTA_FLOW_TABLE_NAME, flowtable);
	close_expression(b, e);
}

void nft_log(struct nft_batch *b, uint16_t group, uint32_t bytes)
{
	struct expression e = open_expression(b, "log");

	netlink_put_be16(&b->buffer, NFTA_LOG_GROUP, group);
	netlink_put_be32(&b->buffer, NFTA_LOG_SNAPLEN, bytes);
	netlink_put_be16(&b->buffer, NFTA_LOG_QTHRESHOLD, 1);
	close_expression(b, e);
}

void nft_count(struct nft_batch *b, const char *counter)
{
	struct expression e = open_expression(b, "objref");

	netlink_put_be32(&b->buffer, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	netlink_put_text(&b->buffer, NFTA_OBJREF_IMM_NAME, counter);
	close_expression(b, e);
}

static void put_verdict(struct nft_batch *b, int verdict, const char *chain)
{
	struct expression e = open_expression(b, "immediate");

	netlink_put_be32(&b->buffer, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t data = netlink_nest(&b->buffer, NFTA_IMMEDIATE_DATA);
	size_t nest = netlink_nest(&b->buffer, NFTA_DATA_VERDICT);

	netlink_put_be32(&b->buffer, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain != NULL)
		netlink_put_text(&b->buffer, NFTA_VERDICT_CHAIN, chain);
	netlink_nest_end(&b->buffer, nest);
	netlink_nest_end(&b->buffer, data);
	close_expression(b, e);
}

void nft_verdict(struct nft_batch *b, int verdict)
{
	put_verdict(b, verdict, NULL);
}

void nft_jump(struct nft_batch *b, int verdict, const char *chain)
{
	put_verdict(b, verdict, chain);
}

void nft_reject(struct nft_batch *b, uint32_t type, uint8_t code)
{
	struct expression e = open_expression(b, "reject");

	netlink_put_be32(&b->buffer, NFTA_REJECT_TYPE, type);
	netlink_put_u8(&b->buffer, NFTA_REJECT_ICMP_CODE, code);
	close_expression(b, e);
}

void nft_queue(struct nft_batch *b, uint16_t queue)
{
	struct expression e = open_expression(b, "queue");

	netlink_put_be16(&b->buffer, NFTA_QUEUE_NUM, queue);
	netlink_put_be16(&b->buffer, NFTA_QUEUE_TOTAL, 1);
	close_expression(b, e);
}

void nft_queue_compat(struct nft_batch *b, uint16_t queue)
{
	const struct xt_NFQ_info_v3 info = {.queuenum = queue, .queues_total = 1, .flags = 0};
	uint8_t padded[(sizeof(info) + 7) & ~(size_t)7] = {0}; /* XT_ALIGN */
	struct expression e = open_expression(b, "target");

	memcpy(padded, &info, sizeof(info));
	netlink_put_text(&b->buffer, NFTA_TARGET_NAME, "NFQUEUE");
	netlink_put_be32(&b->buffer, NFTA_TARGET_REV, XT_NFQUEUE_REVISION);
	netlink_put(&b->buffer, NFTA_TARGET_INFO, padded, sizeof(padded));
	close_expression(b, e);
}

void nft_match_interface(struct nft_batch *b, enum nft_meta_keys key, const char *device,
			 bool equal)
{
	char name[IF_NAMESIZE] = {0};

	strncpy(name, device, sizeof(name) - 1);
	nft_meta(b, key, REG(0));
	nft_compare(b, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, REG(0), name, sizeof(name));
}

void nft_match_family(struct nft_batch *b, uint8_t nfproto)
{
	nft_meta(b, NFT_META_NFPROTO, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &nfproto, 1);
}

void nft_match_protocol(struct nft_batch *b, uint8_t protocol)
{
	nft_meta(b, NFT_META_L4PROTO, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &protocol, 1);
}

void nft_match_state(struct nft_batch *b, uint32_t states)
{
	const uint32_t none = 0;

	nft_ct(b, NFT_CT_STATE, REG(0));
	nft_mask(b, REG(0), &states, sizeof(states));
	nft_compare(b, NFT_CMP_NEQ, REG(0), &none, sizeof(none));
}

void nft_match_direction(struct nft_batch *b, enum nft_direction direction)
{
	const uint8_t byte = (uint8_t)direction;

	nft_ct(b, NFT_CT_DIRECTION, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &byte, 1);
}

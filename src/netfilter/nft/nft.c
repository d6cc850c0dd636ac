/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables as netlink attributes: batches, tables, chains, counters, sets and their elements. */
#include "netfilter/nft/nft.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#define SUBSYSTEM(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))
#define ELEMENTS_BYTES_MAX 60000 /* of one list: an attribute's length has 16 bits */

static void begin(struct nft_batch *b, uint16_t message, uint16_t flags)
{
	netlink_begin(&b->buffer, SUBSYSTEM(message), flags, b->family, 0);
}

static void batch_mark(struct nft_batch *b, uint16_t type)
{
	netlink_begin(&b->buffer, type, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	netlink_end(&b->buffer);
}

void nft_begin(struct nft_batch *b, size_t limit_bytes)
{
	*b = (struct nft_batch){.set_id = 1};
	netlink_init(&b->buffer, limit_bytes);
	batch_mark(b, NFNL_MSG_BATCH_BEGIN);
}

void nft_fini(struct nft_batch *b)
{
	netlink_fini(&b->buffer);
}

int nft_commit(struct nft_batch *b, int netlink_fd)
{
	struct netlink_buffer *buffer = &b->buffer;
	uint32_t last = buffer->sequence;

	/* The acknowledgement of the last change comes when the whole batch is in force. */
	netlink_add_flags(buffer, NLM_F_ACK);
	batch_mark(b, NFNL_MSG_BATCH_END);
	buffer->sequence = last;
	return netlink_transact(netlink_fd, buffer, NULL, NULL);
}

/* A batch without its end is undone by the kernel after the last message, which it still
 * acknowledges. */
int nft_check(struct nft_batch *b, int netlink_fd)
{
	netlink_add_flags(&b->buffer, NLM_F_ACK);
	return netlink_transact(netlink_fd, &b->buffer, NULL, NULL);
}

void nft_table(struct nft_batch *b, uint8_t family, const char *name)
{
	b->family = family;
	b->table = name;
	begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_TABLE_NAME, name);
	netlink_end(&b->buffer);
}

void nft_table_remove(struct nft_batch *b, uint8_t family, const char *name)
{
	b->family = family;
	begin(b, NFT_MSG_DESTROYTABLE, 0);
	netlink_put_text(&b->buffer, NFTA_TABLE_NAME, name);
	netlink_end(&b->buffer);
}

void nft_remove_all(struct nft_batch *b)
{
	b->family = NFPROTO_UNSPEC;
	begin(b, NFT_MSG_DELTABLE, 0); /* no name: all of them */
	netlink_end(&b->buffer);
}

void nft_flush_rules(struct nft_batch *b)
{
	begin(b, NFT_MSG_DELRULE, 0);
	netlink_put_text(&b->buffer, NFTA_RULE_TABLE, b->table);
	netlink_end(&b->buffer);
}

void nft_base_chain(struct nft_batch *b, const char *name, uint32_t hook, int32_t priority,
		    uint32_t policy)
{
	begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_CHAIN_NAME, name);
	size_t nest = netlink_nest(&b->buffer, NFTA_CHAIN_HOOK);

	netlink_put_be32(&b->buffer, NFTA_HOOK_HOOKNUM, hook);
	netlink_put_be32(&b->buffer, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_nest_end(&b->buffer, nest);
	netlink_put_be32(&b->buffer, NFTA_CHAIN_POLICY, policy);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TYPE, "filter");
	netlink_end(&b->buffer);
}

void nft_chain(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_CHAIN_NAME, name);
	netlink_end(&b->buffer);
}

void nft_ingress_chain(struct nft_batch *b, const char *name, const char *device, int32_t priority,
		       uint32_t policy)
{
	begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_CHAIN_NAME, name);
	size_t nest = netlink_nest(&b->buffer, NFTA_CHAIN_HOOK);

	netlink_put_be32(&b->buffer, NFTA_HOOK_HOOKNUM, NF_INET_INGRESS);
	netlink_put_be32(&b->buffer, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_put_text(&b->buffer, NFTA_HOOK_DEV, device);
	netlink_nest_end(&b->buffer, nest);
	netlink_put_be32(&b->buffer, NFTA_CHAIN_POLICY, policy);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TYPE, "filter");
	netlink_end(&b->buffer);
}

void nft_chain_remove(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_DESTROYCHAIN, 0);
	netlink_put_text(&b->buffer, NFTA_CHAIN_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_CHAIN_NAME, name);
	netlink_end(&b->buffer);
}

void nft_flush_chain(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_DELRULE, 0);
	netlink_put_text(&b->buffer, NFTA_RULE_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_RULE_CHAIN, name);
	netlink_end(&b->buffer);
}

void nft_flowtable(struct nft_batch *b, const char *name, const char *const *devices,
		   size_t device_count)
{
	begin(b, NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_FLOWTABLE_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_FLOWTABLE_NAME, name);
	size_t hook = netlink_nest(&b->buffer, NFTA_FLOWTABLE_HOOK);

	netlink_put_be32(&b->buffer, NFTA_FLOWTABLE_HOOK_NUM, NF_NETDEV_INGRESS);
	netlink_put_be32(&b->buffer, NFTA_FLOWTABLE_HOOK_PRIORITY, 0);
	size_t list = netlink_nest(&b->buffer, NFTA_FLOWTABLE_HOOK_DEVS);

	for (size_t i = 0; i < device_count; i++)
		netlink_put_text(&b->buffer, NFTA_DEVICE_NAME, devices[i]);
	netlink_nest_end(&b->buffer, list);
	netlink_nest_end(&b->buffer, hook);
	/* What takes this way is in its flow's counters, too. */
	netlink_put_be32(&b->buffer, NFTA_FLOWTABLE_FLAGS, NFT_FLOWTABLE_COUNTER);
	netlink_end(&b->buffer);
}

void nft_flowtable_remove(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_DESTROYFLOWTABLE, 0);
	netlink_put_text(&b->buffer, NFTA_FLOWTABLE_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_FLOWTABLE_NAME, name);
	netlink_end(&b->buffer);
}

void nft_counter(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	netlink_put_text(&b->buffer, NFTA_OBJ_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_OBJ_NAME, name);
	netlink_put_be32(&b->buffer, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
	netlink_nest_end(&b->buffer, netlink_nest(&b->buffer, NFTA_OBJ_DATA));
	netlink_end(&b->buffer);
}

static void name_set(struct nft_batch *b, uint16_t message, uint16_t flags, const char *name)
{
	begin(b, message, flags);
	netlink_put_text(&b->buffer, NFTA_SET_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_SET_NAME, name);
}

/* How long each part of a key is, and its type as nft(8) numbers them (nftables, datatype.h). */
static const struct {
	uint8_t bytes, type;
} fields[] = {
	[NFT_FIELD_IPV4] = {4, 7},      [NFT_FIELD_IPV6] = {16, 8}, [NFT_FIELD_MAC] = {6, 9},
	[NFT_FIELD_PROTOCOL] = {1, 12}, [NFT_FIELD_PORT] = {2, 13}, [NFT_FIELD_MARK] = {4, 19},
};

static size_t field_count(const struct nft_set *set)
{
	size_t count = 0;

	while (count < NFT_FIELDS_MAX && set->fields[count] != NFT_FIELD_END)
		count++;
	return count;
}

static void describe_set(struct nft_batch *b, const struct nft_set *set)
{
	size_t count = field_count(set);
	size_t description = netlink_nest(&b->buffer, NFTA_SET_DESC);

	if (set->size > 0)
		netlink_put_be32(&b->buffer, NFTA_SET_DESC_SIZE, set->size);
	if (count > 1 && (set->flags & NFT_SET_INTERVAL)) {
		size_t list = netlink_nest(&b->buffer, NFTA_SET_DESC_CONCAT);

		for (size_t i = 0; i < count; i++) {
			size_t field = netlink_nest(&b->buffer, NFTA_LIST_ELEM);

			netlink_put_be32(&b->buffer, NFTA_SET_FIELD_LEN,
					 fields[set->fields[i]].bytes);
			netlink_nest_end(&b->buffer, field);
		}
		netlink_nest_end(&b->buffer, list);
	}
	netlink_nest_end(&b->buffer, description);
}

static uint32_t key_bytes(const struct nft_set *set)
{
	size_t count = field_count(set);
	uint32_t bytes = 0;

	if (count == 1)
		return fields[set->fields[0]].bytes;
	for (size_t i = 0; i < count; i++)
		bytes +=
			(fields[set->fields[i]].bytes + 3U) & ~3U; /* each part begins a register */
	return bytes;
}

/* The types of the parts, six bits each. */
static uint32_t key_type(const struct nft_set *set)
{
	uint32_t type = 0;

	for (size_t i = 0; i < field_count(set); i++)
		type = type << 6 | fields[set->fields[i]].type;
	return type;
}

void nft_set_keep(struct nft_batch *b, const struct nft_set *set)
{
	uint32_t flags = set->flags;

	if (field_count(set) > 1 && (flags & NFT_SET_INTERVAL))
		flags |= NFT_SET_CONCAT;
	name_set(b, NFT_MSG_NEWSET, NLM_F_CREATE, set->name);
	netlink_put_be32(&b->buffer, NFTA_SET_FLAGS, flags);
	netlink_put_be32(&b->buffer, NFTA_SET_KEY_TYPE, key_type(set));
	netlink_put_be32(&b->buffer, NFTA_SET_KEY_LEN, key_bytes(set));
	netlink_put_be32(&b->buffer, NFTA_SET_ID, b->set_id++);
	if (set->timeout_ms > 0)
		netlink_put_be64(&b->buffer, NFTA_SET_TIMEOUT, set->timeout_ms);
	describe_set(b, set);
	netlink_end(&b->buffer);
}

void nft_set_remove(struct nft_batch *b, const char *name)
{
	name_set(b, NFT_MSG_DESTROYSET, 0, name);
	netlink_end(&b->buffer);
}

void nft_set_anew(struct nft_batch *b, const struct nft_set *set)
{
	nft_set_remove(b, set->name);
	nft_set_keep(b, set);
}

void nft_set_flush(struct nft_batch *b, const char *name)
{
	begin(b, NFT_MSG_DELSETELEM, 0);
	netlink_put_text(&b->buffer, NFTA_SET_ELEM_LIST_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_SET_ELEM_LIST_SET, name);
	netlink_end(&b->buffer);
}

static size_t open_elements(struct nft_batch *b, uint16_t message, uint16_t flags, const char *set)
{
	begin(b, message, flags);
	netlink_put_text(&b->buffer, NFTA_SET_ELEM_LIST_TABLE, b->table);
	netlink_put_text(&b->buffer, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_nest(&b->buffer, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void put_key(struct nft_batch *b, uint16_t type, const void *key, size_t bytes)
{
	size_t nest = netlink_nest(&b->buffer, type);

	netlink_put(&b->buffer, NFTA_DATA_VALUE, key, bytes);
	netlink_nest_end(&b->buffer, nest);
}

void nft_elements_begin(struct nft_elements *e, struct nft_batch *b, const char *set)
{
	*e = (struct nft_elements){.batch = b, .set = set};
}

void nft_elements_add(struct nft_elements *e, const struct nft_element *element)
{
	struct netlink_buffer *buffer = &e->batch->buffer;

	if (e->open && netlink_nest_bytes(buffer, e->list_at) > ELEMENTS_BYTES_MAX)
		nft_elements_end(e);
	if (!e->open)
		e->list_at = open_elements(e->batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, e->set);
	e->open = true;
	size_t nest = netlink_nest(buffer, NFTA_LIST_ELEM);

	put_key(e->batch, NFTA_SET_ELEM_KEY, element->key, element->key_bytes);
	if (element->key_end != NULL)
		put_key(e->batch, NFTA_SET_ELEM_KEY_END, element->key_end, element->key_bytes);
	if (element->timeout_ms > 0)
		netlink_put_be64(buffer, NFTA_SET_ELEM_TIMEOUT, element->timeout_ms);
	if (element->interval_end)
		netlink_put_be32(buffer, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	netlink_nest_end(buffer, nest);
}

void nft_elements_end(struct nft_elements *e)
{
	if (!e->open)
		return;
	netlink_nest_end(&e->batch->buffer, e->list_at);
	netlink_end(&e->batch->buffer);
	e->open = false;
}

void nft_element_remove(struct nft_batch *b, const char *set, const void *key, size_t bytes)
{
	size_t list = open_elements(b, NFT_MSG_DESTROYSETELEM, 0, set);
	size_t nest = netlink_nest(&b->buffer, NFTA_LIST_ELEM);

	put_key(b, NFTA_SET_ELEM_KEY, key, bytes);
	netlink_nest_end(&b->buffer, nest);
	netlink_nest_end(&b->buffer, list);
	netlink_end(&b->buffer);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A zone that is shut: in place of all tables, or beside tables that others own (ADR 419). */
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/err.h"
#include "netfilter/ruleset/private.h"

#define GET_TABLE     ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE))
#define NEW_TABLE     ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
#define REQUEST_BYTES 64

int ruleset_deny_all(int netlink_fd)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_remove_all(&b);
	ruleset_put_table(&b, false);
	nft_base_chain(&b, CHAIN_RAW, NF_INET_PRE_ROUTING, PRIORITY_RAW, NF_DROP);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

static int add_beside(int netlink_fd, const char *name)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table(&b, NFPROTO_INET, name);
	nft_base_chain(&b, CHAIN_RAW, NF_INET_PRE_ROUTING, PRIORITY_RAW, NF_DROP);
	nft_base_chain(&b, CHAIN_FORWARD, NF_INET_FORWARD, 0, NF_DROP);
	nft_base_chain(&b, CHAIN_INPUT, NF_INET_LOCAL_IN, 0, NF_DROP);
	nft_base_chain(&b, CHAIN_OUTPUT, NF_INET_LOCAL_OUT, 0, NF_DROP);
	int err = nft_commit(&b, netlink_fd);

	nft_fini(&b);
	return err;
}

static void remove_beside(int netlink_fd, const char *name)
{
	struct nft_batch b;

	nft_begin(&b, RULESET_BATCH_BYTES);
	nft_table_remove(&b, NFPROTO_INET, name);
	/* Somebody may own that by now as well; the one in force does not need it gone. */
	(void)nft_commit(&b, netlink_fd);
	nft_fini(&b);
}

int ruleset_deny_beside(int netlink_fd, char name[RULESET_BESIDE_BYTES])
{
	char fresh[RULESET_BESIDE_BYTES];
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return -ERR_SYSTEM;
	snprintf(fresh, sizeof(fresh), RULESET_TABLE "-%016" PRIx64, number);
	int err = add_beside(netlink_fd, fresh);

	if (err != 0)
		return err;
	if (name[0] != '\0')
		remove_beside(netlink_fd, name);
	snprintf(name, RULESET_BESIDE_BYTES, "%s", fresh);
	return 0;
}

static void note_owner(void *ctx, const struct netlink_message *m)
{
	bool *foreign = ctx;

	if (m->type == NEW_TABLE &&
	    (netlink_find_be32(m->attributes, NFTA_TABLE_FLAGS) & NFT_TABLE_F_OWNER))
		*foreign = true;
}

bool ruleset_has_foreign(int netlink_fd)
{
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;
	bool foreign = false;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, GET_TABLE, NLM_F_DUMP, NFPROTO_UNSPEC, 0);
	netlink_end(&b);
	return netlink_transact(netlink_fd, &b, note_owner, &foreign) != 0 || foreign;
}

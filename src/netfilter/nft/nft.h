/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of nftables as netlink attributes: tables, chains, sets, rules and the expressions that
 * this product uses. Everything is appended to one batch, which the kernel takes as a whole or not
 * at all.
 */
#ifndef SEKISHO_NETFILTER_NFT_NFT_H
#define SEKISHO_NETFILTER_NFT_NFT_H

#include <netinet/in.h> /* before the kernel headers, which then leave its part out */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netfilter/nft/netlink.h"

/* 32-bit registers, of which keys are put together: REG(0) to REG(15). */
#define REG(n) (NFT_REG32_00 + (n))

/* Of a packet in its flow; the kernel's numbers. */
enum nft_direction { NFT_DIRECTION_ORIGINAL = 0, NFT_DIRECTION_REPLY = 1 };

struct nft_batch {
	struct netlink_buffer buffer;
	uint8_t family;    /* NFPROTO_* of the table */
	const char *table; /* borrowed */
	size_t list_at;    /* expressions of the open rule */
	uint32_t set_id;
};

void nft_begin(struct nft_batch *b, size_t limit_bytes);
void nft_fini(struct nft_batch *b);

/**
 * nft_commit - close the batch and hand it to the kernel
 * Return: 0: all of it is in force; -ERR_SYSTEM with the kernel's errno, -ERR_TOO_LONG: nothing of
 * it is.
 */
int nft_commit(struct nft_batch *b, int netlink_fd);

/* Let the kernel go through the whole batch and leave everything as it is. Return: as nft_commit.
 */
int nft_check(struct nft_batch *b, int netlink_fd);

/* What follows belongs to this table; made unless it exists. */
void nft_table(struct nft_batch *b, uint8_t family, const char *name);
/* Remove a table and all in it, if it is there. */
void nft_table_remove(struct nft_batch *b, uint8_t family, const char *name);
/* Remove every table of the namespace, of every family, whoever made it. */
void nft_remove_all(struct nft_batch *b);
/* Remove every rule of the table; its chains and sets stay. */
void nft_flush_rules(struct nft_batch *b);

/* A chain at a hook; made, or its policy set. @policy: NF_ACCEPT or NF_DROP. */
void nft_base_chain(struct nft_batch *b, const char *name, uint32_t hook, int32_t priority,
		    uint32_t policy);
/* A chain to jump to. */
void nft_chain(struct nft_batch *b, const char *name);

/* A chain that sees what comes in by one device, before routing and before any flow table. */
void nft_ingress_chain(struct nft_batch *b, const char *name, const char *device, int32_t priority,
		       uint32_t policy);
/* Remove a chain, if it is there. */
void nft_chain_remove(struct nft_batch *b, const char *name);
/* Remove every rule of one chain. */
void nft_flush_chain(struct nft_batch *b, const char *name);

/* A table of flows that go from device to device without meeting a rule; made, or its devices added
 * to. */
void nft_flowtable(struct nft_batch *b, const char *name, const char *const *devices,
		   size_t device_count);
/* Remove it, if it is there, with all flows in it. No rule may use it any more. */
void nft_flowtable_remove(struct nft_batch *b, const char *name);

/* A named counter, kept if it exists. */
void nft_counter(struct nft_batch *b, const char *name);

/* Parts of keys. Their types matter only to those who list the rules with nft(8). */
enum nft_field {
	NFT_FIELD_END = 0,
	NFT_FIELD_IPV4,
	NFT_FIELD_IPV6,
	NFT_FIELD_MAC,
	NFT_FIELD_PROTOCOL,
	NFT_FIELD_PORT,
	NFT_FIELD_MARK, /* any four bytes */
};

#define NFT_FIELDS_MAX 8

struct nft_set {
	const char *name;
	uint32_t flags;                 /* NFT_SET_* */
	uint8_t fields[NFT_FIELDS_MAX]; /* enum nft_field */
	uint32_t size;                  /* most elements, 0: no limit */
	uint64_t timeout_ms;            /* default of elements, 0: none */
};

/* Remove a set, if there, and make it anew, empty. No rule may use the old one any more. */
void nft_set_anew(struct nft_batch *b, const struct nft_set *set);
void nft_set_remove(struct nft_batch *b, const char *name);
/* Make a set unless it exists: what packets put into it stays. */
void nft_set_keep(struct nft_batch *b, const struct nft_set *set);
/* Remove all elements. */
void nft_set_flush(struct nft_batch *b, const char *name);

/* Elements go into messages of their own, as many as fit in each. */
struct nft_elements {
	struct nft_batch *batch;
	const char *set;
	size_t list_at;
	bool open;
};

struct nft_element {
	const void *key,
		*key_end; /* key_end: of an interval of a joined key, included; NULL: none */
	size_t key_bytes;
	uint64_t timeout_ms; /* 0: the set's */
	bool interval_end; /* of an interval set with a simple key: where an interval has just ended
			    */
};

void nft_elements_begin(struct nft_elements *e, struct nft_batch *b, const char *set);
void nft_elements_add(struct nft_elements *e, const struct nft_element *element);
void nft_elements_end(struct nft_elements *e);
/* Remove an element if it is there. */
void nft_element_remove(struct nft_batch *b, const char *set, const void *key, size_t key_bytes);

/* A rule: nft_rule, expressions, nft_rule_end. */
void nft_rule(struct nft_batch *b, const char *chain);
void nft_rule_end(struct nft_batch *b);

void nft_meta(struct nft_batch *b, enum nft_meta_keys key, uint32_t reg);
void nft_meta_set(struct nft_batch *b, enum nft_meta_keys key, uint32_t reg);
void nft_ct(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg);
/* A part of the address tuple of the flow's first packet. */
void nft_ct_original(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg);
void nft_ct_set(struct nft_batch *b, enum nft_ct_keys key, uint32_t reg);
void nft_payload(struct nft_batch *b, enum nft_payload_bases base, uint32_t offset, uint32_t bytes,
		 uint32_t reg);
/* Write a register into the packet; no checksum is mended. */
void nft_payload_set(struct nft_batch *b, enum nft_payload_bases base, uint32_t offset,
		     uint32_t bytes, uint32_t reg);
void nft_immediate(struct nft_batch *b, uint32_t reg, const void *data, size_t bytes);
void nft_compare(struct nft_batch *b, enum nft_cmp_ops op, uint32_t reg, const void *data,
		 size_t bytes);
/* reg = reg & mask (^ 0). */
void nft_mask(struct nft_batch *b, uint32_t reg, const void *mask, size_t bytes);
void nft_or(struct nft_batch *b, uint32_t reg, const void *mask, const void *set, size_t bytes);
void nft_lookup(struct nft_batch *b, const char *set, uint32_t reg, bool absent);
/* Put the key into a set from the packet's path; an existing element's time starts again with
 * @update. */
void nft_add_to_set(struct nft_batch *b, const char *set, uint32_t reg, bool update);
/* The same with a rate for each key: the rule goes on only for packets over it. */
void nft_over_rate(struct nft_batch *b, const char *set, uint32_t reg, uint64_t rate,
		   uint32_t period_s, uint32_t burst);
/* The same with a number of flows that connection tracking knows: only for packets of more flows.
 */
void nft_over_connections(struct nft_batch *b, const char *set, uint32_t reg, uint32_t count);
/* The packet's flow goes into a flow table; the rule ends where it cannot. */
void nft_flow_add(struct nft_batch *b, const char *flowtable);
/* Copy the packet, at most @bytes of it, to who listens to an nfnetlink_log group. */
void nft_log(struct nft_batch *b, uint16_t group, uint32_t bytes);
void nft_count(struct nft_batch *b, const char *counter);
void nft_verdict(struct nft_batch *b, int verdict);
void nft_jump(struct nft_batch *b, int verdict, const char *chain);
/* @type: enum nft_reject_types; @code: of the ICMP message. */
void nft_reject(struct nft_batch *b, uint32_t type, uint8_t code);

/* Both ways to hand a packet to user space; neither ever lets it pass when nobody listens. */
void nft_queue(struct nft_batch *b, uint16_t queue);
void nft_queue_compat(struct nft_batch *b, uint16_t queue);

/* A rule's usual first words. */
void nft_match_interface(struct nft_batch *b, enum nft_meta_keys key, const char *device,
			 bool equal);
void nft_match_family(struct nft_batch *b, uint8_t nfproto);
void nft_match_protocol(struct nft_batch *b, uint8_t protocol);
/* Whether the flow's state is among @states: NF_CT_STATE_BIT values. */
void nft_match_state(struct nft_batch *b, uint32_t states);
void nft_match_direction(struct nft_batch *b, enum nft_direction direction);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel answers about nf_tables, as text: tables, chains, sets and flow tables as `nft
 * list ruleset` lays them out, and of each rule the expressions that the kernel runs, as `nft
 * --debug=netlink` spells them (ADR 422). An attribute or an expression that is not in the tables
 * here is printed as its number and its bytes: nothing of what is handed in is left out, but for
 * addresses in the kernel's own memory.
 */
#ifndef SEKISHO_NETFILTER_NFT_TEXT_H
#define SEKISHO_NETFILTER_NFT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "netfilter/nft/netlink.h"

#define NFT_TEXT_VALUE_BYTES 4096 /* of one value are printed; how many more there are is said */
#define NFT_TEXT_LEVELS      3    /* expressions in expressions; deeper ones are bytes */
#define NFT_TEXT_LINE_BYTES  96   /* after which elements of a set go on in another line */

/* The caller's own attribute of a message that stands for elements which were not kept: how many
 * (be32). */
#define NFT_TEXT_LEFT_OUT 1000

/* Printing under way. */
struct nft_text {
	struct span all;               /* borrowed: messages as they were received */
	struct span tables;            /* where the next table is looked for */
	struct span holders;           /* chains, sets ... of the open table: the next */
	struct span inner;             /* rules or elements of the open one: the next */
	struct netlink_message table;  /* the open one */
	struct netlink_message holder; /* chain or set that is open */
	unsigned kind;                 /* of holders */
	bool in_table, in_holder;
	uint32_t messages, printed;
};

/**
 * nft_text_begin - print the answers to dumps of tables, objects, sets, their elements, flow
 * tables, chains and rules
 * @messages: borrowed until the end; in any order
 */
void nft_text_begin(struct nft_text *t, struct span messages);

/**
 * nft_text_next - print the next piece: a heading, one rule, one message with elements
 * @out: lines are appended; `failed` where it is full
 * Return: false: there was nothing left. What belonged to no table or chain has then been counted
 * in a last line.
 */
bool nft_text_next(struct nft_text *t, struct bytes *out);

/* The parts of it, in text_expr.c. */

/* A list of expressions, each behind @indent in a line of its own. */
void nft_text_expressions(struct bytes *out, struct span list, const char *indent);
/* Attributes of a table, chain, set ... that are not in @known, which ends with 0: `, attribute N
 * 0x...`. */
void nft_text_rest(struct bytes *out, struct span attributes, const uint8_t *known);
/* A name as the kernel has it; what is no printable ASCII, as \xNN. */
void nft_text_name(struct bytes *out, struct span text);
/* Bytes in hexadecimal digits. */
void nft_text_hex(struct bytes *out, struct span value);

#endif

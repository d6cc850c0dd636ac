/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a capture takes, in words:
 *
 *   filter    = term *("or" term)
 *   term      = primitive *(["and"] primitive)
 *   primitive = ["not"] ("host" address | "net" prefix | "port" number | "proto" protocol)
 *   protocol  = "tcp" / "udp" / "icmp" / "icmp6" / number
 *
 * It becomes rules, so that the kernel matches and nobody here looks into a packet.
 */
#ifndef SEKISHO_NETFILTER_CAPTURE_FILTER_H
#define SEKISHO_NETFILTER_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netfilter/nft/nft.h"

#define CAPTURE_TERMS_MAX      8
#define CAPTURE_PRIMITIVES_MAX 5 /* in one term */

enum capture_primitive_kind { CAPTURE_HOST = 1, CAPTURE_PORT, CAPTURE_PROTO };

struct capture_primitive {
	enum capture_primitive_kind kind;
	bool negated;
	uint8_t family, bits; /* HOST */
	uint8_t address[16];
	uint16_t number; /* PORT, PROTO */
};

struct capture_term {
	size_t count;
	struct capture_primitive primitives[CAPTURE_PRIMITIVES_MAX];
};

struct capture_filter {
	size_t count; /* 0: everything */
	struct capture_term terms[CAPTURE_TERMS_MAX];
};

/**
 * capture_filter_read - read the words of a filter
 * @words, @count: NUL-terminated; borrowed for the call
 * Return: 0; -ERR_SYNTAX; -ERR_TOO_LONG past a limit above.
 */
int capture_filter_read(struct capture_filter *out, const char *const *words, size_t count);

/**
 * capture_filter_put - rules that match what the filter takes, each once
 * @begin: called for each rule, before the filter's expressions
 * @end:   called behind them
 */
void capture_filter_put(const struct capture_filter *filter, struct nft_batch *b,
			void (*begin)(struct nft_batch *b, void *ctx),
			void (*end)(struct nft_batch *b, void *ctx), void *ctx);

#endif

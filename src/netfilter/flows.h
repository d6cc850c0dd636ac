/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that a zone's connection tracking knows: listing them, and removing those of a
 * generation. */
#ifndef SEKISHO_NETFILTER_FLOWS_H
#define SEKISHO_NETFILTER_FLOWS_H

#include <stdint.h>

struct flow {
	uint8_t family; /* 4 or 6 */
	uint8_t protocol;
	uint16_t source_port, destination_port; /* ICMP: 0 and the type */
	uint32_t mark;
	uint32_t timeout_s;
	uint64_t packets, bytes; /* both directions; 0 where the kernel does not count */
	uint8_t source[16], destination[16];
};

/**
 * flows_list - call @each for every flow of a zone whose mark is of a generation
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_list(int netlink_fd, uint16_t generation,
	       void (*each)(void *ctx, const struct flow *flow), void *ctx);

/**
 * flows_forget - remove every flow whose mark is of a generation
 * For a generation that is about to be used again: marks of its former life must prove nothing.
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_forget(int netlink_fd, uint16_t generation);

#endif

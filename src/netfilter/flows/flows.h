/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that a zone's connection tracking knows: listing them, and removing those of a
 * generation. */
#ifndef SEKISHO_NETFILTER_FLOWS_FLOWS_H
#define SEKISHO_NETFILTER_FLOWS_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_TUPLE_BYTES 96 /* more than IPv6 addresses, protocol, ports and a zone need */

struct flow {
	uint8_t family; /* 4 or 6 */
	uint8_t protocol;
	uint16_t source_port, destination_port; /* ICMP: 0 and the type */
	uint32_t mark;
	uint32_t timeout_s;
	uint64_t packets, bytes; /* both directions; 0 where the kernel does not count */
	uint64_t bytes_back;     /* of them, the responder's */
	uint64_t duration_ms;    /* since it began; of a flow that has ended its life; 0: unknown */
	uint8_t source[16], destination[16];
	bool ended; /* TCP that both ends have closed, or one has reset: it is only remembered */
	bool offloaded;      /* its packets take the zone's flow table, past the rules */
	uint8_t tuple_bytes; /* 0: longer than there is room for */
	uint8_t tuple[FLOW_TUPLE_BYTES]; /* the kernel's own words, to name the flow by */
};

struct netlink_message;

/**
 * flow_read - read the kernel's description of a flow
 * Return: false where it does not name a flow of IPv4 or IPv6.
 */
bool flow_read(struct flow *flow, const struct netlink_message *m);

/**
 * flows_list - call @each for every flow of a zone whose mark is of a generation; 0: of any, or
 * without a mark
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_list(int netlink_fd, uint16_t generation,
	       void (*each)(void *ctx, const struct flow *flow), void *ctx);

/**
 * flows_begin - ask for every flow of a zone, to be received from @fd a piece at a time until
 * NLMSG_DONE
 * @fd: as netlink_fd, with nothing left to be received
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_begin(int fd);

/* The flow that one message of a list tells of. Return: false: none. */
bool flow_of_message(struct flow *flow, const struct netlink_message *m);

/**
 * flows_mark - give flows the marks that are in them
 * @fd:    of the flows' namespace, on which nobody waits for an answer: none is asked for
 * @count: 0..PACKET_BATCH_MAX
 * A flow that has ended is left out by the kernel. Return: 0 or -ERR_SYSTEM.
 */
int flows_mark(int fd, const struct flow *flows, size_t count);

/**
 * flows_end - end flows: TCP is marked as denied, so that both its ends are reset when they speak;
 * others are forgotten, and judged anew with their next packet
 * @fd, @count: as flows_mark
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_end(int fd, struct flow *flows, size_t count);

/**
 * flows_forget - remove every flow whose mark is of a generation
 * For a generation that is about to be used again: marks of its former life must prove nothing.
 * Return: 0 or -ERR_SYSTEM.
 */
int flows_forget(int netlink_fd, uint16_t generation);

#endif

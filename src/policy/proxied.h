/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transparent crossing: one network on both sides, and no host knows of the gateway. At the port
 * of each zone the gateway answers ARP (RFC 1027) and neighbour discovery (RFC 4389) for the
 * addresses of the other side, and only for those. The supervisor tells the kernel which they are;
 * netfilter's rules let nobody else claim them there.
 */
#ifndef SEKISHO_POLICY_PROXIED_H
#define SEKISHO_POLICY_PROXIED_H

#include <stdbool.h>

#include "policy/snapshot.h"

/**
 * proxied_each - the addresses that the gateway answers for at the port of a zone
 * @zone: index; none are told of a zone that is in no transparent crossing
 * @each: is told single addresses (prefix of 32 or 128 bits), ascending in each family, IPv4 first,
 *        at most SNAPSHOT_PROXIED_MAX; its negative return ends the walk and is returned
 * Return: 0, -ERR_NO_MEMORY, or what @each returned.
 */
int proxied_each(const struct snapshot *s, uint32_t zone,
		 int (*each)(void *ctx, const struct snapshot_prefix *address), void *ctx);

/* Told of an IPv4 network of a zone, and of the address (of 32 bits) that asks for its hosts. */
typedef void proxied_asker_fn(void *ctx, const struct snapshot_prefix *network,
			      const struct snapshot_prefix *asker);

/**
 * proxied_each_asker - who asks for hosts of each IPv4 network at a zone's port
 * @zone: index
 * @each: is told of each network, in the policy's order; of none where there is no IPv4 address on
 *        the other side
 * In whose name: of the addresses that the gateway answers for there, the one with most leading
 * bits in common with the network, and rather one that looks like a host's than one that ends in 0
 * or 255. An ARP request without a sender's address is a probe for a duplicate (RFC 5227 2.1.1): a
 * host that comes up would take it for one.
 * Return: 0 or -ERR_NO_MEMORY.
 */
int proxied_each_asker(const struct snapshot *s, uint32_t zone, proxied_asker_fn *each, void *ctx);

#endif

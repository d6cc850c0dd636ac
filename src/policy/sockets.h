/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets that the configuration makes the gateway itself open, by zone: what it listens on and
 * whom it connects to. The kernel's input and output rules are made from these, and `trace` answers
 * from them.
 */
#ifndef SEKISHO_POLICY_SOCKETS_H
#define SEKISHO_POLICY_SOCKETS_H

#include <stdint.h>

#include "policy/snapshot.h"

#define POLICY_PORT_NTP 123 /* RFC 5905 section 7.2 */

/* One listening port, on every address that the zone gives the gateway. */
struct policy_listener {
	uint8_t protocol;
	uint16_t port;
	const char *service; /* "mail" or "screen" */
	const char *name;    /* of the configuration's entry */
};

/* One peer that the gateway itself may open a connection or send datagrams to. */
struct policy_peer {
	uint8_t protocol;
	uint16_t port;
	struct snapshot_prefix address; /* of full length */
	const char *service;
};

/**
 * policy_listeners - call @each for every listener of a zone, until it returns non-zero
 * Return: 0 or what @each returned.
 */
int policy_listeners(const struct snapshot *s, uint32_t zone,
		     int (*each)(void *ctx, const struct policy_listener *listener), void *ctx);

/* The same for the peers that the gateway opens connections to. */
int policy_peers(const struct snapshot *s, uint32_t zone,
		 int (*each)(void *ctx, const struct policy_peer *peer), void *ctx);

#endif

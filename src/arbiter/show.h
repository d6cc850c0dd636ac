/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captured packets as lines for a console: who to whom, how, and what the policy says under which
 * they were captured. Only headers are shown, never what is behind them (A6).
 */
#ifndef SEKISHO_ARBITER_SHOW_H
#define SEKISHO_ARBITER_SHOW_H

#include "arbiter/judge.h"
#include "arbiter/row.h"
#include "channel/packet.h"

/**
 * show_fill - the cells of one packet: time, direction, protocol, source, destination, flags, bytes
 * and verdict
 * @row:    begun
 * @policy: of the packet's epoch; NULL: it is no longer at hand
 * @shown:  a packet
 * The verdict is the policy's about a flow that this packet begins or answers. It is "gateway" for
 * what the gateway itself has sent or is sent, "link" for neighbour discovery, "as its flow" for an
 * ICMP error. Without the policy, or with a zone that it does not have, what would be read by it is
 * "?".
 */
void show_fill(struct row *row, const struct judge_policy *policy, const struct packet_show *shown);

/**
 * show_packet - send what netfilter wants shown
 * @policy: of its epoch; NULL: it is no longer at hand
 * Return: 0, or -ERR_PEER for a message that is not sound. A row that finds no room is lost.
 */
int show_packet(struct channel *control, const struct judge_policy *policy,
		const struct packet_show *shown);

#endif

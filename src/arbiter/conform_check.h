/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first payload of a flow shows: does the initiator speak the protocol that the service
 * names, and for a name on its list? Pure: stream in, finding out.
 */
#ifndef SEKISHO_ARBITER_CONFORM_CHECK_H
#define SEKISHO_ARBITER_CONFORM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arbiter/judge.h"
#include "base/buf.h"
#include "policy/snapshot.h"

#define CONFORM_STREAM_BYTES_MAX 16384 /* of the initiator, within which it must be decided */
#define CONFORM_NAME_BYTES_MAX   253

/* What one service asks of the first payload; views into a snapshot. */
struct conform_rule {
	const struct snapshot *snapshot;
	const struct snapshot_conform *row;
};

enum conform_state { CONFORM_PENDING, CONFORM_SHOWN, CONFORM_REFUSED };

struct conform_finding {
	enum conform_state state;
	enum judge_reason reason; /* of a refusal */
	size_t name_bytes;
	char name[CONFORM_NAME_BYTES_MAX + 1]; /* that was asked for, where one could be read */
};

/**
 * conform_check_stream - look at the beginning of what the initiator sent over TCP
 * @stream:  in order, without gaps; 1..CONFORM_STREAM_BYTES_MAX
 * @scratch: CONFORM_STREAM_BYTES_MAX bytes, for the parsers
 * @out:     PENDING where what is there is right so far
 */
void conform_check_stream(struct conform_finding *out, const struct conform_rule *rule,
			  struct span stream, uint8_t *scratch);

/**
 * conform_check_datagram - look at one datagram, which has to show all by itself
 * @reply: from the responder
 * @out:   never PENDING
 */
void conform_check_datagram(struct conform_finding *out, const struct conform_rule *rule,
			    struct span payload, bool reply);

/* How many bytes the responder may send before the initiator has shown anything. */
uint32_t conform_responder_bytes_max(const struct conform_rule *rule);

/* The lower-case name of what a rule asks for ("tls"). */
const char *conform_kind_name(uint32_t kind);

/**
 * conform_name_matches - compare a name with an entry of a list
 * @pattern: a name, or "*.name" for all names below it (not for itself)
 * Return: whether it matches; ASCII letters compare without case.
 */
bool conform_name_matches(struct span pattern, struct span name);

#endif

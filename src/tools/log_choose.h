/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of several records with one number is the gateway's, where a syslog server's files hold
 * others: whoever reaches that server can write what looks like a record, and can compute a chain
 * of his own from any record on (it has no key), but not the device's signature.
 *
 * With the device's key, what an anchor covers is followed backwards from it: each hash leaves one
 * record that can have it. Forwards, a record is the next of a chain where its hash is that of the
 * record before and itself.
 */
#ifndef SEKISHO_TOOLS_LOG_CHOOSE_H
#define SEKISHO_TOOLS_LOG_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/log/anchor.h"
#include "wire/log/chain.h"

#define LOG_PLACE_DIGEST_BYTES 16
/* Pairs of records with neighbouring numbers that are tried backwards, in all: so many, and so many
 * for each place. A step takes as many as there are of the earlier number for each one that has the
 * seal which is looked for. Past them no anchor proves anything older. */
#define LOG_CHOOSE_PAIRS       (1U << 18)
#define LOG_CHOOSE_PAIRS_PLACE 16U

enum log_fate {
	LOG_OPEN,
	LOG_TAKEN,
	LOG_TWICE,     /* the same as one before it */
	LOG_FOREIGN,   /* it is not of this chain */
	LOG_UNDECIDED, /* two that nothing tells apart, or (with a key) one that nothing proves */
};

/* Where one record was found. */
struct log_place {
	uint64_t sequence;
	int64_t offset;                         /* of its first byte in the file */
	uint8_t digest[LOG_PLACE_DIGEST_BYTES]; /* of its bytes: the same record has the same */
	uint32_t line;
	uint16_t size; /* bytes without line end; LOG_CHAIN_LINE_MAX at most */
	uint16_t source;
	uint8_t fate; /* enum log_fate */
};

struct log_choice {
	struct log_place *places; /* by number; those of one number in any fixed order */
	size_t count;
	const struct log_anchor *anchors; /* by the expected key, signatures checked */
	size_t anchor_count;
	bool keyed; /* there is an expected key: only what follows from its anchors is taken */
	/* Read a record's bytes again. Return: 0 or a negative error, which ends the choice. */
	int (*load)(void *ctx, const struct log_place *place, uint8_t line[LOG_CHAIN_LINE_MAX]);
	void *ctx;
	uint64_t pairs_left;
	bool forked; /* out: without a key, two records went on from one: nothing tells which */
	size_t fork; /* out: the second of them; the first is marked taken */
};

/**
 * log_choose - set the fate of each place
 * Return: 0; -ERR_INTEGRITY: @forked, and no fate counts; an error of load().
 */
int log_choose(struct log_choice *c);

#endif

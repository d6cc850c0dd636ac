/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The anchors of a log that is being verified: signatures, and that none is missing. */
#ifndef SEKISHO_TOOLS_LOG_ANCHORS_H
#define SEKISHO_TOOLS_LOG_ANCHORS_H

#include <stdbool.h>

#include "wire/log/anchor.h"
#include "wire/log/chain.h"

/* Records that may stand between an anchor and what it covers: the log's own, of a new file. */
#define LOG_ANCHORS_BACK 64
#define LOG_ANCHORS_GAP_S                                                                          \
	(25U * 3600U) /* a day and what a busy machine may add: then one is missing */

struct log_anchors {
	bool expects_key; /* every anchor must be by @key, and none may be missing */
	uint8_t key[LOG_ANCHOR_KEY_BYTES];
	uint8_t hashes[LOG_ANCHORS_BACK][SHA256_BYTES]; /* of the newest records, by number */
	uint64_t newest;                                /* whose hash is there; 0: none */
	uint64_t oldest;                                /* seen at all */
	bool timed;                                     /* the next two are set */
	uint64_t mono_s, since_s; /* by the gateway's monotonic clock: now; the last anchor or the
				     start */
	struct log_anchor last;
	unsigned long count;
};

/**
 * log_anchors_expect - say whose anchors are wanted
 * @name: 64 hexadecimal digits, or a file with the PEM that the console shows
 * Return: 0 or -ERR_SYNTAX.
 */
int log_anchors_expect(struct log_anchors *a, const char *name);

/**
 * log_anchors_check - see the next record, whose place in the chain has been checked
 * @chain: behind it
 * @why:   set to what is wrong, fixed text
 * Return: 0 or -ERR_INTEGRITY.
 */
int log_anchors_check(struct log_anchors *a, const struct log_chain *chain,
		      const struct syslog_view *view, const char **why);

/* All records have been seen. Return: 0; -ERR_INTEGRITY where an anchor was expected. */
int log_anchors_check_end(const struct log_anchors *a, const char **why);

#endif

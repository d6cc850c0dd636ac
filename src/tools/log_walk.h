/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a log directory from its oldest record to its newest, each record checked against the
 * chain before anybody sees it. */
#ifndef SEKISHO_TOOLS_LOG_WALK_H
#define SEKISHO_TOOLS_LOG_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/log_anchors.h"
#include "tools/log_copy.h"
#include "wire/log/chain.h"

/* Of one record that fits the chain. @view: its text still has the seal; borrowed for the call. */
typedef void log_walk_fn(void *ctx, uint64_t sequence, const struct syslog_view *view);

/* All zero but what the caller wants: @copy and @anchors to hold the log against, and @seen. */
struct log_walk {
	struct log_chain chain;
	struct log_copy copy; /* of the syslog server; empty without one */
	struct log_anchors anchors;
	bool part;         /* the newest files of a log: older ones need not be accounted for */
	log_walk_fn *seen; /* NULL: nobody looks */
	void *ctx;
	uint64_t first;      /* sequence number of the oldest record */
	uint64_t removed_to; /* the newest that a record of retention says was removed */
	int file_count;
	char file[512];
	unsigned long line; /* of @file: where it stands, or what is wrong there */
	const char *why;    /* fixed text, where the log is not whole */
	bool begun;
};

/**
 * log_walk_directory - check a log, record by record
 * One record is in memory at a time. It ends at the first record that does not fit: @w->file, line
 * and why then say which.
 * Return: 0 whole; -ERR_INTEGRITY; -ERR_NOT_FOUND: no log there, which has been told on stderr.
 */
int log_walk_directory(struct log_walk *w, const char *directory);

/* The number of the newest record that fitted; 0: none. */
uint64_t log_walk_last(const struct log_walk *w);

#endif

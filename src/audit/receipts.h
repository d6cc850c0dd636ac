/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receipts of flattened mails: one file each beside the log, the oldest given up when there are
 * too many or they take too much room. That a receipt is the one that was written is shown by its
 * hash, which stands in the log.
 */
#ifndef SEKISHO_AUDIT_RECEIPTS_H
#define SEKISHO_AUDIT_RECEIPTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"

#define RECEIPTS_MAX       8192U       /* files */
#define RECEIPTS_BYTES_MAX (64U << 20) /* together */
#define RECEIPT_BYTES_MAX  (1U << 20)  /* of one: a larger one is not kept */
#define RECEIPT_ID_BYTES   20          /* hexadecimal digits, without NUL */

struct receipt_file {
	uint64_t number; /* counts from 1, never used twice while its file is there */
	uint64_t size_bytes;
	char id[RECEIPT_ID_BYTES + 1];
};

struct receipts {
	int directory; /* borrowed */
	uint64_t bytes_max, total_bytes, next_number;
	size_t first, count, most; /* the ring of @files: oldest at @first */
	struct receipt_file files[RECEIPTS_MAX];
};

/* What was stored. */
struct receipt_stored {
	char id[RECEIPT_ID_BYTES + 1];
	uint64_t size_bytes;
	uint8_t sha256[SHA256_BYTES];
};

/**
 * receipts_open - find the receipts of a directory
 * @directory: borrowed as long as @r is used
 * @most, @bytes_max: limits, at most RECEIPTS_MAX; 0: the defaults
 * Return: 0 or -ERR_SYSTEM.
 */
int receipts_open(struct receipts *r, int directory, size_t most, uint64_t bytes_max);

/**
 * receipts_store - keep a receipt that a flattener wrote
 * @fd: sealed memfd, borrowed; it must begin with {"receipt":"ID" and be UTF-8
 * Return: 0; -ERR_INTEGRITY: not sealed; -ERR_SYNTAX: no receipt; -ERR_TOO_LONG; -ERR_NO_SPACE or
 * -ERR_SYSTEM: not written. A file is there whole or not at all.
 */
int receipts_store(struct receipts *r, int fd, struct receipt_stored *stored);

/**
 * receipts_find - read the newest receipt whose id begins with @id
 * @id:  at least 6 hexadecimal digits
 * @out: the file's content is appended
 * Return: 0; -ERR_NOT_FOUND; -ERR_SYNTAX for an id that is none; -ERR_SYSTEM.
 */
int receipts_find(const struct receipts *r, const char *id, struct bytes *out);

/**
 * receipt_text - a receipt as lines for people
 * @names: whether texts that came out of the mail are shown; else only those of known keys are, and
 *	   the rest is "***" (A6)
 * @out: lines with line ends are appended; nothing but printable UTF-8
 * Return: 0 or an error of @out.
 */
int receipt_text(struct span json, bool names, struct bytes *out);

#endif

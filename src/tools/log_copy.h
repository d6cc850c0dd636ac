/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a syslog server has received: numbers and hashes of records, to hold against a log
 * directory. */
#ifndef SEKISHO_TOOLS_LOG_COPY_H
#define SEKISHO_TOOLS_LOG_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"

#define LOG_COPY_RECORDS_MAX (16U << 20)

struct log_copy_record {
	uint64_t sequence;
	uint8_t hash[SHA256_BYTES];
};

/**
 * log_copy_parse - find a record in one line of a file of received messages
 * Servers put their own words in front of a message: what is ours is found by its marks.
 * @message: the record as it was sent, from "<PRI>1 " on if the server kept that; a view into @line
 * Return: whether there is one.
 */
bool log_copy_parse(struct span line, struct log_copy_record *record, struct span *message);

/**
 * log_first_of - the first of rows sorted by number whose number is at least @sequence
 * @rows: each of @row_bytes begins with its uint64_t number
 * Return: its index; @count where there is none.
 */
size_t log_first_of(const void *rows, size_t count, size_t row_bytes, uint64_t sequence);

struct log_copy {
	struct log_copy_record *records; /* by sequence */
	size_t count, capacity;
};

/**
 * log_copy_read - read a file of received messages, one a line, in whatever frame the server wrote
 * Lines that are no record of a gateway are passed over.
 * Return: 0; -ERR_SYSTEM (errno says why); -ERR_NO_MEMORY; -ERR_TOO_LONG (more than
 * LOG_COPY_RECORDS_MAX).
 */
int log_copy_read(struct log_copy *copy, const char *path);
void log_copy_fini(struct log_copy *copy);

/**
 * log_copy_check - hold one record of the log against the copy
 * Return: 0 (the same, or not in the copy), or -ERR_INTEGRITY: the server got another record under
 * this number.
 */
int log_copy_check(const struct log_copy *copy, uint64_t sequence,
		   const uint8_t hash[SHA256_BYTES]);

/* The highest number in the copy; 0: none. */
uint64_t log_copy_last(const struct log_copy *copy);

#endif

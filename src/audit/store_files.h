/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the local log: names, lists. Used by the store alone. */
#ifndef SEKISHO_AUDIT_STORE_FILES_H
#define SEKISHO_AUDIT_STORE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "audit/store.h"

#define STORE_NAME_BYTES 32 /* "00000000000000000001.log" with NUL */

void store_file_name(char name[STORE_NAME_BYTES], uint64_t first_sequence, const char *suffix);

/**
 * store_files_list - find the segments of a directory, oldest first
 * @count: set; where there are more than @most, the newest @most are listed
 * Return: 0 or -ERR_SYSTEM.
 */
int store_files_list(int directory, struct store_segment *segments, size_t most, size_t *count);

/* Open a segment. @flags: of openat, O_CLOEXEC is added. Return: descriptor or -ERR_SYSTEM. */
int store_file_open(int directory, uint64_t first_sequence, int flags);

/**
 * store_read_line - read the line at @offset
 * @buffer: STORE_LINE_MAX + 1 bytes
 * Return: 0 (@line without line end); -ERR_TRUNCATED (no line end there within STORE_LINE_MAX;
 * @line has what there is, nothing at the end of the file); -ERR_SYSTEM.
 */
int store_read_line(int fd, uint64_t offset, uint8_t *buffer, struct span *line);

/* When the first record of a segment was written, in seconds since 1970; 0: that cannot be read. */
int64_t store_file_begun_s(int directory, const struct store_segment *segment);

/**
 * store_recover - find where the log in the listed segments ends, and cut off what is torn; sets
 * the chain, the segments and @found. Return: 0 or -ERR_SYSTEM.
 */
int store_recover(struct store *s, struct store_recovery *found);

#endif

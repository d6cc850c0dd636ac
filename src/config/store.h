/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved configurations: one file each in config's directory, "config.NUMBER", never changed once it
 * has that name. The first line holds the SHA-256 of all that follows; a file whose bytes do not
 * fit it does not count.
 */
#ifndef SEKISHO_CONFIG_STORE_H
#define SEKISHO_CONFIG_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define STORE_KEPT          50 /* newest ones; older ones are removed */
#define STORE_ORIGIN_BYTES  32
#define STORE_BY_BYTES      24 /* as in struct control_policy */
#define STORE_COMMENT_BYTES 512

struct store_entry {
	uint32_t number;                   /* counts commits from 1 */
	int64_t time_s;                    /* since 1970 */
	char origin[STORE_ORIGIN_BYTES];   /* "console 0", "file"; printable */
	char comment[STORE_COMMENT_BYTES]; /* one printable line of UTF-8 */
	bool chosen;                       /* by persons; what does not say so was not */
	char by[STORE_BY_BYTES];           /* the person, printable; empty: nobody in particular */
};

/**
 * store_list - the numbers of all saved configurations, newest first
 * @dir:     the directory, borrowed
 * @numbers: room for @capacity; the oldest are left out
 * Return: how many, or -ERR_SYSTEM.
 */
int store_list(int dir, uint32_t *numbers, size_t capacity);

/**
 * store_read - read one and check it
 * @text: the configuration is appended, without the file's head
 * Return: 0; -ERR_NOT_FOUND; -ERR_INTEGRITY (checksum, head or number are wrong); -ERR_TOO_LONG;
 * -ERR_NO_MEMORY; -ERR_SYSTEM.
 */
int store_read(int dir, uint32_t number, struct store_entry *entry, struct bytes *text);

/**
 * store_stage - write a configuration beside the saved ones and bring it to the disk
 * Nothing that is saved is touched. Return: 0, -ERR_NO_MEMORY, -ERR_NO_SPACE (disk full) or
 * -ERR_SYSTEM.
 */
int store_stage(int dir, const struct store_entry *entry, struct span text);

/**
 * store_publish - give what was staged last the name of @number, for good, and remove what is older
 * than STORE_KEPT
 * Return: 0 or -ERR_SYSTEM: then either the old or the new one is the newest, whole.
 */
int store_publish(int dir, uint32_t number);

#endif

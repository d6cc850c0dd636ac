/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files that are replaced whole: written beside the old one under one staging name, brought
 * to the disk, renamed, and the directory brought to the disk. A power cut at any moment leaves the
 * old file or the new one. Where a kind is given, the first line, "# KIND sha256=HEX", holds the
 * SHA-256 of all that follows it.
 */
#ifndef SEKISHO_BASE_FILE_H
#define SEKISHO_BASE_FILE_H

#include "base/buf.h"

#define FILE_STAGED     "staged" /* one staged file a directory; never a name of a real one */
#define FILE_KIND_BYTES 48       /* of the longest kind, with NUL */

/**
 * file_write_all - write every byte, in as many calls as it takes
 * Return: 0; -ERR_NO_SPACE (disk or quota is full); -ERR_SYSTEM. Unless 0 some may be written.
 */
int file_write_all(int fd, struct span content);

/**
 * file_read - append all of a file to @out
 * @dir:  directory, borrowed
 * @name: in it; a symbolic link is not followed
 * Return: 0; -ERR_NOT_FOUND; -ERR_TOO_LONG or -ERR_NO_MEMORY of @out; -ERR_SYSTEM.
 */
int file_read(int dir, const char *name, struct bytes *out);

/**
 * file_check - hold what was read against its first line
 * @file:    the whole file
 * @kind:    that it was written with
 * @content: set to what follows the first line
 * Return: 0 or -ERR_INTEGRITY: of another kind, cut short, or any byte is not the one written.
 */
int file_check(struct span file, const char *kind, struct span *content);

/**
 * file_take_line - the value of the next line, "KEY VALUE", of what was checked
 * @rest: moved behind the line; left as it is on an error
 * Return: 0, @value NUL-terminated; -ERR_INTEGRITY: another key, no line, or longer than @value.
 */
int file_take_line(struct span *rest, const char *key, char *value, size_t value_bytes);

/**
 * file_take_number - the same of a line whose value is a decimal number
 * Return: 0 or -ERR_INTEGRITY, also where it is no number; then @rest may be behind the line.
 */
int file_take_number(struct span *rest, const char *key, int64_t *out);

/**
 * file_stage - write the staged file of @dir and bring it to the disk; what has a name is untouched
 * @kind: for the first line; NULL: the file is @content and nothing else
 * Return: 0; -ERR_NO_SPACE; -ERR_SYSTEM. Unless 0 nothing stays staged.
 */
int file_stage(int dir, const char *kind, struct span content);

/**
 * file_publish - give what was staged last its name, in place of whatever had it
 * Return: 0; -ERR_SYSTEM: the old one or the new one has the name, whole, and a power cut may still
 * choose between them.
 */
int file_publish(int dir, const char *name);

/* file_stage and file_publish in one; the errors of both. */
int file_replace(int dir, const char *name, const char *kind, struct span content);

#endif

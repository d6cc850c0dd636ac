/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a configuration file and saying what is wrong with it, for the subcommands that take one.
 */
#ifndef SEKISHO_TOOLS_CONFIG_FILE_H
#define SEKISHO_TOOLS_CONFIG_FILE_H

#include "base/buf.h"
#include "policy/problem.h"
#include "policy/snapshot.h"

/**
 * config_file_read - append a file's bytes
 * @path: "-" for standard input
 * Return: 0, or an error that has been told on stderr.
 */
int config_file_read(struct bytes *out, const char *path);

/* Messages follow the locale, as those of other programs do. */
enum language config_file_language(void);

/**
 * config_file_time - read YYYY-MM-DDTHH:MM
 * @utc_offset_s: what that local time is ahead of UTC
 * Return: 0, @at_s in seconds since 1970; -ERR_SYNTAX.
 */
int config_file_time(int64_t *at_s, const char *text, int32_t utc_offset_s);

/* Print all problems on stderr, each with @path, line and column. */
void config_file_complain(const struct problems *problems, const char *path);

/**
 * config_file_compile - read, compile and view a configuration
 * @block: initialised by the caller and freed by it after @out was last used
 * Return: 0, or an error that has been told on stderr.
 */
int config_file_compile(struct snapshot *out, struct bytes *block, const char *path);

#endif

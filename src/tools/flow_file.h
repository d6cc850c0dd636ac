/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of flows, as `sekisho trace --flows` and `sekisho replay` take them. */
#ifndef SEKISHO_TOOLS_FLOW_FILE_H
#define SEKISHO_TOOLS_FLOW_FILE_H

#include "arbiter/flow_line.h"

/**
 * flow_file_read - call @each for every flow of a file, in its order, until it returns non-zero
 * @path:         "-" for standard input; read line by line, of any length
 * @utc_offset_s: local time of the configuration: at_s of each line has it taken off
 * Return: 0; what @each returned; -ERR_SYNTAX or -ERR_TOO_LONG at the first line that cannot be
 * read; -ERR_SYSTEM. Every error but those of @each has been told on stderr with the line's number.
 */
int flow_file_read(const char *path, int32_t utc_offset_s,
		   int (*each)(void *ctx, struct flow_line *line), void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives of small files, in the form that every tar reads (ustar, POSIX.1-1988). */
#ifndef SEKISHO_WIRE_EXPORT_TAR_H
#define SEKISHO_WIRE_EXPORT_TAR_H

#include <stdint.h>

#include "base/buf.h"

#define TAR_BLOCK_BYTES 512
#define TAR_NAME_MAX    100         /* of a member; longer ones are refused */
#define TAR_MEMBER_MAX  (64U << 20) /* bytes of one member */

/**
 * tar_add - append a regular file, readable by its owner alone
 * @out:    the archive so far; borrowed
 * @name:   1..TAR_NAME_MAX bytes
 * @time_s: when it was made, since 1970; before that counts as 1970
 * Return: 0; -ERR_TOO_LONG (name or data); an error of @out (which then ends within a member).
 */
int tar_add(struct bytes *out, const char *name, struct span data, int64_t time_s);

/* The two empty blocks behind the last member. Return: 0 or an error of @out. */
int tar_end(struct bytes *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that one process writes and another one can only read: bulk data without a copy in
 * between. */
#ifndef SEKISHO_BASE_SHARED_H
#define SEKISHO_BASE_SHARED_H

#include <stddef.h>

enum shared_way { SHARED_WRITE, SHARED_READ, SHARED_WAY_COUNT_ };

/**
 * shared_make - a zeroed memfd that keeps its size, as two descriptors
 * @name: for the kernel's listings
 * @size_bytes: at least 1; memory is taken only for pages that are touched
 * @fds: set to one for each way, close-on-exec, owned by the caller; that of SHARED_READ can
 *neither be written through nor be mapped to be written
 * Return: 0 or -ERR_SYSTEM, then @fds are -1. It needs /proc: one of the supervisor's.
 */
int shared_make(const char *name, size_t size_bytes, int fds[SHARED_WAY_COUNT_]);

/**
 * shared_map - map what shared_make made, for the life of the process
 * @fd: borrowed, whatever it is; not needed any more once this has returned
 * @out: set where this succeeds. What is read there may change at any time, between two looks at
 *	the same byte, too: copy first, then look.
 * Return: 0; -ERR_INTEGRITY where it has another size, or one that may change (a touch would kill),
 * or where a reader could write; -ERR_SYSTEM.
 */
int shared_map(int fd, size_t size_bytes, enum shared_way way, void **out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bulk data between processes: memfds sealed against every change before they are handed over. */
#ifndef SEKISHO_BASE_SEALED_H
#define SEKISHO_BASE_SEALED_H

#include "base/buf.h"

/**
 * sealed_make - copy @content into a new memfd and seal it
 * @name: for the kernel's listings
 * @fd:   set to the descriptor (close-on-exec), owned by the caller
 * Return: 0 or -ERR_SYSTEM.
 */
int sealed_make(const char *name, struct span content, int *fd);

/**
 * sealed_check - whether nobody can change a memfd of another process any more
 * @fd: borrowed, whatever it is
 * @size_bytes: set to its size, which stays
 * Return: 0; -ERR_INTEGRITY where it is no memfd or lacks a seal against writing, shrinking,
 * growing or further sealing; -ERR_SYSTEM.
 */
int sealed_check(int fd, uint64_t *size_bytes);

/**
 * sealed_read - append the whole content of another process's memfd
 * @fd: borrowed; its position does not matter
 * Return: 0; -ERR_INTEGRITY where it lacks a seal against writing, shrinking or growing;
 * -ERR_TOO_LONG or -ERR_NO_MEMORY past @out's limit; -ERR_SYSTEM.
 */
int sealed_read(struct bytes *out, int fd);

#endif

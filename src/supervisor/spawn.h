/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From fork to exec: everything about a process's confinement that only its parent can set. */
#ifndef SEKISHO_SUPERVISOR_SPAWN_H
#define SEKISHO_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervisor/table.h"

struct spawn {
	int program_fds[ROLE_COUNT_]; /* opened before anything else happens; -1: missing */
	int void_netns_fd;            /* one empty network namespace for all */
	int empty_root_fd;            /* an empty, read-only, detached tmpfs */
	int null_fd;
	int stderr_fd; /* standard error for writing only, also where it is a terminal */
};

/* A block device that a process gets as descriptor FD_DISK. The child opens it, since that alone
 * may wait for as long as the device likes. */
struct spawn_disk {
	char path[32]; /* empty: none */
	dev_t number;  /* that it must have */
	bool writes;
};

/**
 * spawn_hide - keep a part of our memory out of all children until they execute their program
 * @memory: of @bytes; the whole pages in it are not copied for a child, which must not touch them
 *
 * A copy would be of no use to a child, and costs: each page that we write to after a fork is
 * copied, for a process that executes its program some microseconds later. Where the kernel
 * refuses, they are copied as ever.
 */
void spawn_hide(void *memory, size_t bytes);

/**
 * spawn_init - open the programs and make the empty places
 * @libexec: directory of the programs
 * @why: set to what failed, fixed text or a program's name
 * Return: 0; -ERR_NOT_FOUND for a missing program; -ERR_SYSTEM.
 */
int spawn_init(struct spawn *spawn, const char *libexec, const char **why);
void spawn_fini(struct spawn *spawn);

/**
 * spawn_start - start a process in its confinement
 * @spawn: may be in hidden memory
 * @control_fd: becomes descriptor 3; borrowed
 * @events_fd: becomes descriptor 4; borrowed
 * @file_bytes: RLIMIT_FSIZE, in place of the role's; 0: the role's
 * @disk: borrowed; may be in hidden memory
 * Return: the process id, or -ERR_SYSTEM. What fails after the fork is said on stderr, and the
 * child ends with 126.
 */
pid_t spawn_start(const struct spawn *spawn, enum role role, int control_fd, int events_fd,
		  uint64_t file_bytes, const struct spawn_disk *disk);

#endif

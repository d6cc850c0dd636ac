/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step into the sandbox, taken by the program itself: seccomp allow list (anything else kills the process) and
 * Landlock without any rule (no file system). Uid, empty network namespace, empty root, rlimits and no-new-privs were
 * set by the supervisor before exec.
 */
#ifndef SEKISHO_BASE_SANDBOX_H
#define SEKISHO_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What a program may call beyond the common core (read, write, close, ppoll, sendmsg, recvmsg, mmap without exec, ...). */
struct sandbox_profile {
	const char *name;
	const int *syscalls;	/* numbers (SYS_x), none of them in the core */
	size_t syscall_count;
	bool keeps_files;	/* audit, config: open descriptors of directories are used; no Landlock lock-down of them */
};

/**
 * sandbox_lock - apply seccomp and Landlock; cannot be undone
 * Return: 0 or -ERR_SYSTEM: the program must exit then.
 */
int sandbox_lock(const struct sandbox_profile *profile);

#endif

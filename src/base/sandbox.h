/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step into the sandbox, taken by the program itself: seccomp allow list (anything else
 * kills the process) and Landlock. Uid, empty network namespace, empty root, rlimits and
 * no-new-privs were set by the supervisor before exec.
 *
 * The core that every program may call: reading, writing and polling what it was handed, memory
 * that is never executable, time, random numbers, its own signals, exit. No program may open,
 * connect, start or trace anything unless its profile says so; mmap and mprotect with PROT_EXEC,
 * fcntl and ioctl requests that are not listed in sandbox.c, and setsockopt with SO_LINGER, kill
 * also where the call itself is allowed.
 */
#ifndef SEKISHO_BASE_SANDBOX_H
#define SEKISHO_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_SYSCALLS_MAX 192 /* that one profile may add to the core */

/* What a program may call beyond the common core. */
struct sandbox_profile {
	const char *name;
	const int *syscalls; /* numbers (SYS_x), none of them in the core */
	size_t syscall_count;
	bool keeps_files; /* audit, config: files below the directories that they are given; others:
			     none at all */
};

/**
 * sandbox_lock - no new privileges, Landlock without any rule (unless keeps_files), seccomp; cannot
 * be undone
 * Return: 0; -ERR_TOO_LONG for a profile that is too large; -ERR_SYSTEM: the program must exit
 * then. A kernel without Landlock is accepted: the empty root and seccomp stand without it, and the
 * supervisor says so.
 */
int sandbox_lock(const struct sandbox_profile *profile);

/* Whether this kernel has Landlock and uses it. */
bool sandbox_has_landlock(void);

/*
 * For profiles that keep files: Landlock with these directories only. An open directory is
 * otherwise a way out of the empty root ("..").
 */
struct sandbox_files {
	int ruleset; /* -1: no Landlock in this kernel, or closed */
};

/* Return: 0 or -ERR_SYSTEM. */
int sandbox_files_begin(struct sandbox_files *files);
/* Permit plain files and directories below @directory (borrowed). Return: 0 or -ERR_SYSTEM. */
int sandbox_files_allow(struct sandbox_files *files, int directory);
/* Lock; nothing can be allowed afterwards. Return: 0 or -ERR_SYSTEM. */
int sandbox_files_lock(struct sandbox_files *files);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp and Landlock. The filter is generated from a list when it is needed: no library, no
 * parsing.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox_filter.h"

static int lock_calls(const struct sandbox_profile *profile)
{
	struct sandbox_filter f;
	struct sock_fprog program;
	int err = sandbox_filter_build(&f, profile);

	if (err < 0)
		return err;
	program = (struct sock_fprog){.len = (unsigned short)f.length, .filter = f.code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -ERR_SYSTEM : 0;
}

bool sandbox_has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

int sandbox_files_begin(struct sandbox_files *files)
{
	/* Rights by ABI version: each version handles all of the earlier ones (landlock(7)). */
	static const uint64_t fs_rights[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
	struct landlock_ruleset_attr attr = {0};
	size_t size = sizeof(attr.handled_access_fs);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	files->ruleset = -1;
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -ERR_SYSTEM;
	attr.handled_access_fs = fs_rights[abi < 5 ? abi : 5];
	if (abi >= 4) {
		attr.handled_access_net =
			LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
		size = offsetof(struct landlock_ruleset_attr, handled_access_net) +
		       sizeof(attr.handled_access_net);
	}
	if (abi >= 6) {
		attr.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
		size = sizeof(attr);
	}
	files->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	return files->ruleset < 0 ? -ERR_SYSTEM : 0;
}

int sandbox_files_allow(struct sandbox_files *files, int directory)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_REMOVE_DIR,
		.parent_fd = directory,
	};
	long abi;

	if (files->ruleset < 0)
		return 0;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi >= 3)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return syscall(SYS_landlock_add_rule, files->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
		       0) < 0
		       ? -ERR_SYSTEM
		       : 0;
}

int sandbox_files_lock(struct sandbox_files *files)
{
	int err = 0;

	if (files->ruleset < 0)
		return 0;
	if (syscall(SYS_landlock_restrict_self, files->ruleset, 0) < 0)
		err = -ERR_SYSTEM;
	(void)close(files->ruleset); /* a ruleset holds nothing that could fail to be written */
	files->ruleset = -1;
	return err;
}

int sandbox_lock(const struct sandbox_profile *profile)
{
	struct sandbox_files files;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -ERR_SYSTEM;
	if (!profile->keeps_files) {
		err = sandbox_files_begin(&files);
		if (err == 0)
			err = sandbox_files_lock(&files);
		if (err < 0)
			return err;
	}
	return lock_calls(profile);
}

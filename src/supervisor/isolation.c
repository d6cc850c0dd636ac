/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Isolation of zones, kept on disk. Names have passed the snapshot's check: no path is in one. */
#include "supervisor/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

int isolation_open(int state_fd)
{
	int fd;

	if (mkdirat(state_fd, "isolated", 0700) < 0 && errno != EEXIST)
		return -ERR_SYSTEM;
	fd = openat(state_fd, "isolated", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

bool isolation_holds(int isolation_fd, const char *name)
{
	struct stat stat;

	return fstatat(isolation_fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int isolation_keep(int isolation_fd, const char *name, bool isolated)
{
	int fd;

	if (isolated) {
		fd = openat(isolation_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -ERR_SYSTEM;
		(void)close(fd); /* empty: its name says it all */
	} else if (unlinkat(isolation_fd, name, 0) < 0 && errno != ENOENT) {
		return -ERR_SYSTEM;
	}
	return fsync(isolation_fd) < 0 ? -ERR_SYSTEM : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Isolation of zones, kept on disk. Names have passed the snapshot's check: no path is in one. */
#include "supervisor/isolation/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/utf8.h"

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

/* The name says that it is isolated, whatever becomes of the note in it. */
static void note(int fd, const char *why)
{
	struct stat stat;

	if (fstat(fd, &stat) == 0 && stat.st_size == 0 && file_write_all(fd, span_of(why)) == 0)
		(void)fsync(fd); /* as above */
}

int isolation_keep(int isolation_fd, const char *name, const char *why)
{
	int fd;

	if (why != NULL) {
		fd = openat(isolation_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -ERR_SYSTEM;
		note(fd, why);
		(void)close(fd); /* its name is what counts */
	} else if (unlinkat(isolation_fd, name, 0) < 0 && errno != ENOENT) {
		return -ERR_SYSTEM;
	}
	return fsync(isolation_fd) < 0 ? -ERR_SYSTEM : 0;
}

void isolation_why(int isolation_fd, const char *name, char *why, size_t why_bytes)
{
	struct bytes file;

	bytes_init(&file, why_bytes);
	why[0] = '\0';
	if (file_read(isolation_fd, name, &file) == 0)
		utf8_one_line(why, why_bytes, bytes_span(&file));
	bytes_fini(&file);
}

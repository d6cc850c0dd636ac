/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of two processes: a memfd sealed against every change of its size, open twice. */
#include "base/shared.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* A second open file of the same memfd, whose mode forbids to write; a duplicate would have ours.
 */
static int open_to_read(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int shared_make(const char *name, size_t size_bytes, int fds[SHARED_WAY_COUNT_])
{
	int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	fds[SHARED_WRITE] = fds[SHARED_READ] = -1;
	if (made < 0)
		return -ERR_SYSTEM;
	/* Its mode as a file: who has the descriptor to read opens none to write with it. */
	if (ftruncate(made, (off_t)size_bytes) != 0 || fchmod(made, S_IRUSR) != 0 ||
	    fcntl(made, F_ADD_SEALS, SEALS_NEEDED) != 0)
		goto fail;
	fds[SHARED_READ] = open_to_read(made);
	if (fds[SHARED_READ] < 0)
		goto fail;
	fds[SHARED_WRITE] = made;
	return 0;

fail:
	(void)close(made); /* nothing is in it */
	return -ERR_SYSTEM;
}

/* Neither more nor less than is needed: the size stays, and whoever reads cannot write. */
static int check(int fd, size_t size_bytes, enum shared_way way)
{
	int seals = fcntl(fd, F_GET_SEALS), mode = fcntl(fd, F_GETFL);
	struct stat stat;

	if (seals < 0 || mode < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return -ERR_INTEGRITY;
	if ((mode & O_ACCMODE) != (way == SHARED_WRITE ? O_RDWR : O_RDONLY))
		return -ERR_INTEGRITY;
	if (fstat(fd, &stat) != 0)
		return -ERR_SYSTEM;
	return stat.st_size == (off_t)size_bytes ? 0 : -ERR_INTEGRITY;
}

int shared_map(int fd, size_t size_bytes, enum shared_way way, void **out)
{
	int error = check(fd, size_bytes, way);
	void *memory;

	if (error != 0)
		return error;
	memory = mmap(NULL, size_bytes, way == SHARED_WRITE ? PROT_READ | PROT_WRITE : PROT_READ,
		      MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (memory == MAP_FAILED)
		return -ERR_SYSTEM;
	*out = memory;
	return 0;
}

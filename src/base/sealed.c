/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sealed memfds: written once by their maker, then the same for everybody and for ever. */
#include "base/sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define CHUNK_BYTES  16384

int sealed_make(const char *name, struct span content, int *fd)
{
	int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (made < 0)
		return -ERR_SYSTEM;
	if (file_write_all(made, content) != 0 ||
	    fcntl(made, F_ADD_SEALS, SEALS_NEEDED | F_SEAL_SEAL) != 0) {
		(void)close(made); /* nothing in it is wanted */
		return -ERR_SYSTEM;
	}
	*fd = made;
	return 0;
}

int sealed_check(int fd, uint64_t *size_bytes)
{
	static const int needed = SEALS_NEEDED | F_SEAL_SEAL;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat stat;

	if (seals < 0 || (seals & needed) != needed)
		return -ERR_INTEGRITY;
	if (fstat(fd, &stat) < 0)
		return -ERR_SYSTEM;
	*size_bytes = (uint64_t)stat.st_size;
	return 0;
}

int sealed_read(struct bytes *out, int fd)
{
	uint8_t chunk[CHUNK_BYTES];
	int seals = fcntl(fd, F_GET_SEALS);
	off_t at = 0;
	ssize_t n;

	if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return -ERR_INTEGRITY;
	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		int err = bytes_append(out, chunk, (size_t)n);

		if (err != 0)
			return err;
		at += n;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

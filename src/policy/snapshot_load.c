/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mapping a snapshot from its sealed memfd: the one file of policy that makes system calls. */
#include "policy/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/err.h"

/* Without these three, another process could change what has been checked. */
#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

int snapshot_load(struct snapshot *out, int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *block;
	int err;

	*out = (struct snapshot){0};
	if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return -ERR_INTEGRITY;
	if (fstat(fd, &st) != 0)
		return -ERR_SYSTEM;
	if (st.st_size <= 0 || st.st_size > SNAPSHOT_BYTES_MAX)
		return -ERR_INTEGRITY;
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return -ERR_SYSTEM;
	err = snapshot_view(out, block, (size_t)st.st_size);
	if (err != 0) {
		(void)munmap(block, (size_t)st.st_size); /* the mapping is ours and whole */
		return err;
	}
	out->mapped_bytes = (size_t)st.st_size;
	return 0;
}

void snapshot_unload(struct snapshot *snapshot)
{
	union {
		const void *borrowed;
		void *mapping;
	} block = {.borrowed = snapshot->header};

	if (snapshot->mapped_bytes > 0)
		(void)munmap(block.mapping,
			     snapshot->mapped_bytes); /* cannot fail: our own mapping */
	*snapshot = (struct snapshot){0};
}

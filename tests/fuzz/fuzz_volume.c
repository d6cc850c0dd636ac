/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory stick that holds anything: a file is read from it and one is written onto it. Each ends
 * with a status; what was written and said to be there is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stick/volume.h"

#define MOST_BYTES 65536U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char content[] = "what is saved";
	const struct span saved = {(const uint8_t *)content, sizeof(content)};
	struct volume_file in = {.name = "A"}, out = {.name = "a-long-name.conf"};
	int disk = memfd_create("disk", MFD_CLOEXEC), memory = memfd_create("out", MFD_CLOEXEC);

	if (disk < 0 || memory < 0 || write(disk, data, size) != (ssize_t)size)
		abort();
	out.size_bytes = saved.size;
	sha256_of(saved.data, saved.size, out.sha256);
	if (volume_read(disk, &in, MOST_BYTES, memory) == STICK_DONE &&
	    (in.size_bytes > MOST_BYTES || lseek(memory, 0, SEEK_END) != (off_t)in.size_bytes))
		abort();
	if (volume_write(disk, &out, saved, 0) == STICK_DONE) {
		in.name = out.name;
		if (volume_read(disk, &in, MOST_BYTES, -1) != STICK_DONE ||
		    memcmp(in.sha256, out.sha256, sizeof(in.sha256)) != 0)
			abort();
	}
	if (lseek(disk, 0, SEEK_END) != (off_t)size)
		abort(); /* nothing is written behind its end */
	close(disk);
	close(memory);
	return 0;
}

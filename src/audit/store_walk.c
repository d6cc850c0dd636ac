/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the newest files of the log from their beginning, a record after the other. */
#include <fcntl.h>
#include <unistd.h>

#include "audit/store.h"
#include "audit/store_files.h"

static int walk_file(int fd, int (*each)(void *ctx, struct span line), void *ctx)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	uint64_t offset = 0;
	int err = 0;

	while (err == 0 && store_read_line(fd, offset, buffer, &line) == 0) {
		offset += line.size + 1;
		err = each(ctx, line);
	}
	return err;
}

int store_walk_newest(const struct store *s, size_t files, int (*each)(void *ctx, struct span line),
		      void *ctx)
{
	size_t count = s->segment_count;
	int err = 0;

	for (size_t i = count > files ? count - files : 0; err == 0 && i < count; i++) {
		int fd = store_file_open(s->directory, s->segments[i].first_sequence, O_RDONLY);

		if (fd < 0)
			return fd;
		err = walk_file(fd, each, ctx);
		(void)close(fd); /* read only */
	}
	return err;
}

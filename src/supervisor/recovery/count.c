/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a start leaves to the next of a recovery's key. It is erased before the key of this start is
 * looked at: whatever breaks a start off leaves nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "supervisor/recovery/recovery.h"

#define NAME      "recovery"
#define MARK      "restarting" /* as RESTART_MARK of process 1 */
#define KIND      "sekisho-recovery"
#define CONTENT   "starts 1\n"
#define BYTES_MAX 256

static bool is_left(int state_fd)
{
	struct span content;
	struct bytes file;
	int64_t starts = 0;
	bool left;

	bytes_init(&file, BYTES_MAX);
	left = file_read(state_fd, NAME, &file) == 0 &&
	       file_check(bytes_span(&file), KIND, &content) == 0 &&
	       file_take_number(&content, "starts", &starts) == 0 && starts == 1 &&
	       content.size == 0;
	bytes_fini(&file);
	return left;
}

int recovery_count_take(int state_fd, bool *counted)
{
	bool left = is_left(state_fd);

	*counted = false;
	if (unlinkat(state_fd, NAME, 0) < 0) {
		if (errno != ENOENT)
			return -ERR_SYSTEM;
		return 0;
	}
	if (fsync(state_fd) < 0)
		return -ERR_SYSTEM;
	*counted = left;
	return 0;
}

int recovery_count_leave(int state_fd)
{
	return file_replace(state_fd, NAME, KIND, span_of(CONTENT));
}

/* No fsync: it may not return, and what is to bite gives the kernel 20 s to write. */
void recovery_count_void(int state_fd)
{
	int fd = openat(state_fd, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);           /* its name is what counts */
	(void)unlinkat(state_fd, NAME, 0); /* mostly there is none */
}

void recovery_count_spare(int state_fd)
{
	(void)unlinkat(state_fd, MARK, 0); /* else a start by hand is taken for none, once */
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the local log. */
#include "audit/store_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define NUMBER_DIGITS 20

void store_file_name(char name[STORE_NAME_BYTES], uint64_t first_sequence, const char *suffix)
{
	(void)snprintf(name, STORE_NAME_BYTES, "%020llu.%s", (unsigned long long)first_sequence,
		       suffix);
}

int store_file_open(int directory, uint64_t first_sequence, int flags)
{
	char name[STORE_NAME_BYTES];
	int fd;

	store_file_name(name, first_sequence, "log");
	fd = openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

/* Exactly twenty digits and ".log", and no number beyond 64 bits. */
static bool parse_name(const char *name, uint64_t *first_sequence)
{
	uint64_t number = 0;

	if (strlen(name) != NUMBER_DIGITS + 4 || strcmp(name + NUMBER_DIGITS, ".log") != 0)
		return false;
	for (size_t i = 0; i < NUMBER_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		if (__builtin_mul_overflow(number, 10U, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(name[i] - '0'), &number))
			return false;
	}
	*first_sequence = number;
	return number > 0;
}

static int by_sequence(const void *a, const void *b)
{
	const struct store_segment *x = a, *y = b;

	return x->first_sequence < y->first_sequence ? -1 : x->first_sequence > y->first_sequence;
}

/* Keep the newest: the smallest number gives way. */
static void insert(struct store_segment *segments, size_t most, size_t *count,
		   struct store_segment one)
{
	size_t smallest = 0;

	if (*count < most) {
		segments[(*count)++] = one;
		return;
	}
	for (size_t i = 1; i < *count; i++) {
		if (segments[i].first_sequence < segments[smallest].first_sequence)
			smallest = i;
	}
	if (one.first_sequence > segments[smallest].first_sequence)
		segments[smallest] = one;
}

int store_files_list(int directory, struct store_segment *segments, size_t most, size_t *count)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*count = 0;
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd); /* read only */
		return -ERR_SYSTEM;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct store_segment one = {0};
		struct stat status;

		if (!parse_name(entry->d_name, &one.first_sequence) ||
		    fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		one.size_bytes = (uint64_t)status.st_size;
		insert(segments, most, count, one);
	}
	(void)closedir(dir); /* read only */
	qsort(segments, *count, sizeof(*segments), by_sequence);
	return 0;
}

int store_read_line(int fd, uint64_t offset, uint8_t *buffer, struct span *line)
{
	size_t have = 0;
	uint8_t *end = NULL;

	while (have < STORE_LINE_MAX + 1 && end == NULL) {
		ssize_t got =
			pread(fd, buffer + have, STORE_LINE_MAX + 1 - have, (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -ERR_SYSTEM;
		if (got == 0)
			break;
		end = memchr(buffer + have, '\n', (size_t)got);
		have += (size_t)got;
	}
	*line = (struct span){buffer, end != NULL ? (size_t)(end - buffer) : have};
	return end != NULL ? 0 : -ERR_TRUNCATED;
}

int64_t store_file_begun_s(int directory, const struct store_segment *segment)
{
	int fd = store_file_open(directory, segment->first_sequence, O_RDONLY);
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct syslog_view view;
	struct span line;
	int64_t begun_s = 0;

	if (fd < 0)
		return 0;
	if (store_read_line(fd, 0, buffer, &line) < 0 || syslog_parse(line, &view) < 0 ||
	    syslog_time_s(view.time, &begun_s) < 0)
		begun_s = 0;
	(void)close(fd); /* read only */
	return begun_s;
}

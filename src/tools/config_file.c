/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files for the offline command. */
#include "tools/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/parse.h"
#include "policy/policy.h"

#define READ_BYTES 65536

static int read_descriptor(struct bytes *out, int fd)
{
	static uint8_t chunk[READ_BYTES];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		int err = bytes_append(out, chunk, (size_t)n);

		if (err != 0)
			return err;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

int config_file_read(struct bytes *out, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -ERR_SYSTEM : read_descriptor(out, fd);

	if (err != 0)
		fprintf(stderr, "sekisho: cannot read %s: %s\n", path,
			err == -ERR_SYSTEM ? strerror(errno) : err_name(err));
	if (fd > STDIN_FILENO)
		(void)close(fd); /* only read from */
	return err;
}

enum language config_file_language(void)
{
	const char *names[] = {getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] != NULL && names[i][0] != '\0')
			return strncmp(names[i], "ja", 2) == 0 ? LANGUAGE_JA : LANGUAGE_EN;
	}
	return LANGUAGE_EN;
}

int config_file_time(int64_t *at_s, const char *text, int32_t utc_offset_s)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M", &tm);

	if (end == NULL || *end != '\0')
		return -ERR_SYNTAX;
	*at_s = (int64_t)timegm(&tm) - utc_offset_s;
	return 0;
}

void config_file_complain(const struct problems *problems, const char *path)
{
	struct bytes messages;

	bytes_init(&messages, PARSE_TEXT_BYTES_MAX);
	if (problems_print(&messages, problems, path, config_file_language()) == 0)
		fwrite(messages.data, 1, messages.size, stderr);
	bytes_fini(&messages);
}

int config_file_compile(struct snapshot *out, struct bytes *block, const char *path)
{
	static struct problems problems;
	struct bytes text;

	bytes_init(&text, 2 * PARSE_TEXT_BYTES_MAX);
	problems_init(&problems);
	int err = config_file_read(&text, path);

	if (err == 0) {
		err = policy_compile_text(bytes_span(&text), block, &problems);
		if (err != 0)
			config_file_complain(&problems, path);
	}
	bytes_fini(&text);
	return err == 0 ? snapshot_view(out, block->data, block->size) : err;
}

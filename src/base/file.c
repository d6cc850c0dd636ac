/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are replaced whole, with or without a checksum in their first line. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sha256.h"

#define READ_BYTES       16384
#define FIRST_LINE_BYTES (sizeof("#  sha256=\n") + FILE_KIND_BYTES + SHA256_HEX_BYTES)
#define NUMBER_BYTES     24 /* of the longest number, with NUL */

static int error_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? -ERR_NO_SPACE : -ERR_SYSTEM;
}

/* Return: bytes without NUL. */
static size_t print_first_line(char line[FIRST_LINE_BYTES], const char *kind, struct span content)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES];

	sha256_of(content.data, content.size, digest);
	sha256_hex(digest, hex);
	return (size_t)snprintf(line, FIRST_LINE_BYTES, "# %s sha256=%s\n", kind, hex);
}

int file_write_all(int fd, struct span content)
{
	while (content.size > 0) {
		ssize_t n = write(fd, content.data, content.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_of_errno();
		if (n == 0)
			return -ERR_SYSTEM;
		content.data += n;
		content.size -= (size_t)n;
	}
	return 0;
}

int file_read(int dir, const char *name, struct bytes *out)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t chunk[READ_BYTES];
	ssize_t n = 0;
	int err = 0;

	if (fd < 0)
		return errno == ENOENT ? -ERR_NOT_FOUND : -ERR_SYSTEM;
	while (err == 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		err = bytes_append(out, chunk, (size_t)n);
	if (err == 0 && n < 0)
		err = -ERR_SYSTEM;
	(void)close(fd);                      /* was only read */
	explicit_bzero(chunk, sizeof(chunk)); /* it may have been a key */
	return err;
}

int file_check(struct span file, const char *kind, struct span *content)
{
	const uint8_t *end = file.size > 0 ? memchr(file.data, '\n', file.size) : NULL;
	size_t line_bytes = end != NULL ? (size_t)(end - file.data) + 1 : 0;
	struct span rest = {file.data + line_bytes, file.size - line_bytes};
	char expected[FIRST_LINE_BYTES];
	size_t expected_bytes;

	if (end == NULL)
		return -ERR_INTEGRITY;
	expected_bytes = print_first_line(expected, kind, rest);
	if (line_bytes != expected_bytes || memcmp(file.data, expected, expected_bytes) != 0)
		return -ERR_INTEGRITY;
	*content = rest;
	return 0;
}

int file_take_line(struct span *rest, const char *key, char *value, size_t value_bytes)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t line = end != NULL ? (size_t)(end - rest->data) : 0, skip = strlen(key) + 1;

	if (end == NULL || line < skip || line - skip >= value_bytes ||
	    memcmp(rest->data, key, skip - 1) != 0 || rest->data[skip - 1] != ' ')
		return -ERR_INTEGRITY;
	memcpy(value, rest->data + skip, line - skip);
	value[line - skip] = '\0';
	rest->data += line + 1;
	rest->size -= line + 1;
	return 0;
}

int file_take_number(struct span *rest, const char *key, int64_t *out)
{
	char text[NUMBER_BYTES], *end;

	if (file_take_line(rest, key, text, sizeof(text)) < 0)
		return -ERR_INTEGRITY;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' ? 0 : -ERR_INTEGRITY;
}

static int write_staged(int fd, const char *kind, struct span content)
{
	char line[FIRST_LINE_BYTES];
	int err = 0;

	if (kind != NULL) {
		size_t line_bytes = print_first_line(line, kind, content);

		err = file_write_all(fd, (struct span){(const uint8_t *)line, line_bytes});
	}
	if (err == 0)
		err = file_write_all(fd, content);
	if (err == 0 && fsync(fd) < 0)
		err = error_of_errno();
	return err;
}

int file_stage(int dir, const char *kind, struct span content)
{
	int fd = openat(dir, FILE_STAGED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0600);
	int err;

	if (fd < 0)
		return error_of_errno();
	err = write_staged(fd, kind, content);
	if (close(fd) < 0 && err == 0)
		err = error_of_errno();
	if (err < 0)
		(void)unlinkat(dir, FILE_STAGED, 0); /* frees what it took of a full disk */
	return err;
}

int file_publish(int dir, const char *name)
{
	return renameat(dir, FILE_STAGED, dir, name) < 0 || fsync(dir) < 0 ? -ERR_SYSTEM : 0;
}

int file_replace(int dir, const char *name, const char *kind, struct span content)
{
	int err = file_stage(dir, kind, content);

	return err == 0 ? file_publish(dir, name) : err;
}

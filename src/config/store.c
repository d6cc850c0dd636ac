/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved configurations on disk. What a power cut can leave: a whole old file, a whole new one, and
 * a staged one of no name. */
#include "config/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sha256.h"

#define STAGED_NAME      "staged"
#define NAME_FORMAT      "config.%08u"
#define NAME_BYTES       24
#define SUM_PREFIX       "# sekisho-configuration sha256="
#define HEX_BYTES        (2 * SHA256_BYTES)
#define FIRST_LINE_BYTES (sizeof(SUM_PREFIX) - 1 + HEX_BYTES + 1)
#define HEAD_BYTES_MAX   1024
#define READ_BYTES       16384

static void hex_digest(char out[HEX_BYTES + 1], struct span content)
{
	uint8_t digest[SHA256_BYTES];

	sha256_of(content.data, content.size, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* "config.00000012" -> 12; 0 for any other name. */
static uint32_t name_number(const char *name)
{
	char again[NAME_BYTES];
	unsigned number = 0;

	if (sscanf(name, "config.%8u", &number) != 1)
		return 0;
	snprintf(again, sizeof(again), NAME_FORMAT, number);
	return strcmp(again, name) == 0 ? number : 0;
}

/* Keep @numbers sorted, newest first, at most @capacity of them. */
static size_t insert_number(uint32_t *numbers, size_t count, size_t capacity, uint32_t number)
{
	size_t at = count;

	while (at > 0 && numbers[at - 1] < number)
		at--;
	if (at == capacity)
		return count;
	if (count == capacity)
		count--;
	memmove(numbers + at + 1, numbers + at, (count - at) * sizeof(*numbers));
	numbers[at] = number;
	return count + 1;
}

static DIR *open_listing(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;

	if (listing == NULL && fd >= 0)
		close(fd);
	return listing;
}

int store_list(int dir, uint32_t *numbers, size_t capacity)
{
	DIR *listing = open_listing(dir);
	const struct dirent *item;
	size_t count = 0;

	if (listing == NULL)
		return -ERR_SYSTEM;
	while ((item = readdir(listing)) != NULL) {
		uint32_t number = name_number(item->d_name);

		if (number != 0)
			count = insert_number(numbers, count, capacity, number);
	}
	closedir(listing);
	return (int)count;
}

static int read_all(int fd, struct bytes *out)
{
	uint8_t chunk[READ_BYTES];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		int err = bytes_append(out, chunk, (size_t)n);

		if (err != 0)
			return err;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

static int check_sum(struct span file)
{
	char expected[HEX_BYTES + 1];

	if (file.size < FIRST_LINE_BYTES ||
	    memcmp(file.data, SUM_PREFIX, sizeof(SUM_PREFIX) - 1) != 0 ||
	    file.data[FIRST_LINE_BYTES - 1] != '\n')
		return -ERR_INTEGRITY;
	hex_digest(expected,
		   (struct span){file.data + FIRST_LINE_BYTES, file.size - FIRST_LINE_BYTES});
	return memcmp(file.data + sizeof(SUM_PREFIX) - 1, expected, HEX_BYTES) == 0
		       ? 0
		       : -ERR_INTEGRITY;
}

/* One line of the head, "# KEY VALUE"; copies the value. Advances @rest. */
static int take_line(struct span *rest, const char *key, char *value, size_t value_bytes)
{
	size_t key_bytes = strlen(key);
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t line, size;

	if (end == NULL)
		return -ERR_INTEGRITY;
	line = (size_t)(end - rest->data);
	if (line < key_bytes || memcmp(rest->data, key, key_bytes) != 0)
		return -ERR_INTEGRITY;
	size = line - key_bytes;
	if (size >= value_bytes)
		return -ERR_INTEGRITY;
	memcpy(value, rest->data + key_bytes, size);
	value[size] = '\0';
	rest->data = end + 1;
	rest->size -= line + 1;
	return 0;
}

static int parse_head(struct store_entry *entry, struct span *rest)
{
	char number[16], time[24];
	int err = take_line(rest, "# number ", number, sizeof(number));

	if (err == 0)
		err = take_line(rest, "# time ", time, sizeof(time));
	if (err == 0)
		err = take_line(rest, "# origin ", entry->origin, sizeof(entry->origin));
	if (err == 0)
		err = take_line(rest, "# comment ", entry->comment, sizeof(entry->comment));
	if (err != 0)
		return err;
	entry->number = (uint32_t)strtoul(number, NULL, 10);
	entry->time_s = (int64_t)strtoll(time, NULL, 10);
	return 0;
}

/* The whole file is checked before anything in it is looked at. */
static int parse_file(struct store_entry *entry, struct span file, uint32_t number,
		      struct bytes *text)
{
	struct span rest = {file.data + FIRST_LINE_BYTES, file.size - FIRST_LINE_BYTES};
	int err = check_sum(file);

	if (err == 0)
		err = parse_head(entry, &rest);
	if (err == 0 && entry->number != number)
		err = -ERR_INTEGRITY;
	return err == 0 ? bytes_append(text, rest.data, rest.size) : err;
}

int store_read(int dir, uint32_t number, struct store_entry *entry, struct bytes *text)
{
	char name[NAME_BYTES];
	struct bytes file;
	int fd, err;

	snprintf(name, sizeof(name), NAME_FORMAT, number);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? -ERR_NOT_FOUND : -ERR_SYSTEM;
	bytes_init(&file, text->limit + HEAD_BYTES_MAX);
	err = read_all(fd, &file);
	close(fd);
	if (err == 0)
		err = parse_file(entry, bytes_span(&file), number, text);
	bytes_fini(&file);
	return err;
}

static int format_file(struct bytes *file, const struct store_entry *entry, struct span text)
{
	char sum[HEX_BYTES + 1];

	(void)bytes_printf(file, SUM_PREFIX "%0*d\n", HEX_BYTES,
			   0); /* all errors are in file->failed */
	(void)bytes_printf(file, "# number %u\n# time %lld\n# origin %s\n# comment %s\n",
			   entry->number, (long long)entry->time_s, entry->origin, entry->comment);
	(void)bytes_append(file, text.data, text.size);
	if (file->failed)
		return -ERR_NO_MEMORY;
	hex_digest(sum,
		   (struct span){file->data + FIRST_LINE_BYTES, file->size - FIRST_LINE_BYTES});
	memcpy(file->data + sizeof(SUM_PREFIX) - 1, sum, HEX_BYTES);
	return 0;
}

static int write_synced(int fd, struct span content)
{
	while (content.size > 0) {
		ssize_t n = write(fd, content.data, content.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -ERR_SYSTEM;
		content.data += n;
		content.size -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : -ERR_SYSTEM;
}

int store_stage(int dir, const struct store_entry *entry, struct span text)
{
	struct bytes file;
	int fd, err;

	bytes_init(&file, text.size + HEAD_BYTES_MAX);
	err = format_file(&file, entry, text);
	fd = err == 0 ? openat(dir, STAGED_NAME,
			       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
		      : -1;
	if (err == 0 && fd < 0)
		err = -ERR_SYSTEM;
	if (err == 0)
		err = write_synced(fd, bytes_span(&file));
	if (fd >= 0 && close(fd) != 0 && err == 0)
		err = -ERR_SYSTEM;
	if (err != 0)
		(void)unlinkat(dir, STAGED_NAME, 0); /* frees what it took of a full disk */
	bytes_fini(&file);
	return err;
}

/* What is left too many after a failure goes with the next commit. */
static void trim(int dir, uint32_t newest)
{
	char name[NAME_BYTES];

	for (uint32_t number = newest > 2 * STORE_KEPT ? newest - 2 * STORE_KEPT : 1;
	     number + STORE_KEPT <= newest; number++) {
		snprintf(name, sizeof(name), NAME_FORMAT, number);
		(void)unlinkat(dir, name, 0); /* most are gone already */
	}
}

int store_publish(int dir, uint32_t number)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), NAME_FORMAT, number);
	if (renameat(dir, STAGED_NAME, dir, name) != 0 || fsync(dir) != 0)
		return -ERR_SYSTEM;
	trim(dir, number);
	return 0;
}

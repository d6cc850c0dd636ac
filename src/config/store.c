/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved configurations on disk. What a power cut can leave: a whole old file, a whole new one, and
 * a staged one of no name. */
#include "config/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"

#define FILE_KIND      "sekisho-configuration"
#define NAME_FORMAT    "config.%08u"
#define NAME_BYTES     24
#define HEAD_BYTES_MAX 1024
#define CHOSEN         "# chosen " /* a comment to whoever does not know of it */

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
	entry->by[0] = '\0';
	entry->chosen = take_line(rest, CHOSEN, entry->by, sizeof(entry->by)) == 0;
	entry->number = (uint32_t)strtoul(number, NULL, 10);
	entry->time_s = (int64_t)strtoll(time, NULL, 10);
	return 0;
}

/* The whole file is checked before anything in it is looked at. */
static int parse_file(struct store_entry *entry, struct span file, uint32_t number,
		      struct bytes *text)
{
	struct span rest;
	int err = file_check(file, FILE_KIND, &rest);

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
	int err;

	snprintf(name, sizeof(name), NAME_FORMAT, number);
	bytes_init(&file, text->limit + HEAD_BYTES_MAX);
	err = file_read(dir, name, &file);
	if (err == 0)
		err = parse_file(entry, bytes_span(&file), number, text);
	bytes_fini(&file);
	return err;
}

int store_stage(int dir, const struct store_entry *entry, struct span text)
{
	struct bytes file;
	int err;

	bytes_init(&file, text.size + HEAD_BYTES_MAX);
	(void)bytes_printf(&file, "# number %u\n# time %lld\n# origin %s\n# comment %s\n",
			   entry->number, (long long)entry->time_s, entry->origin, entry->comment);
	if (entry->chosen)
		(void)bytes_printf(&file, CHOSEN "%s\n", entry->by);
	(void)bytes_append(&file, text.data, text.size); /* errors of both are in file.failed */
	err = file.failed ? -ERR_NO_MEMORY : file_stage(dir, FILE_KIND, bytes_span(&file));
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
	int err;

	snprintf(name, sizeof(name), NAME_FORMAT, number);
	err = file_publish(dir, name);
	if (err == 0)
		trim(dir, number);
	return err;
}

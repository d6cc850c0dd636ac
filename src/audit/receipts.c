/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receipts of flattened mails, as files. */
#include "audit/receipts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/sealed.h"
#include "base/utf8.h"

#define NUMBER_DIGITS 20
#define NAME_BYTES    64 /* "receipt-NUMBER-ID.json" with NUL */
#define ID_LOOKED_FOR 6  /* digits at least */

static void file_name(char name[NAME_BYTES], const struct receipt_file *file)
{
	(void)snprintf(name, NAME_BYTES, "receipt-%020llu-%s.json",
		       (unsigned long long)file->number, file->id);
}

static bool is_id(const char *id, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f')))
			return false;
	}
	return true;
}

/* Exactly what file_name writes. */
static bool parse_name(const char *name, struct receipt_file *file)
{
	static const char begin[] = "receipt-";
	const char *digits = name + sizeof(begin) - 1;
	char again[NAME_BYTES];

	if (strncmp(name, begin, sizeof(begin) - 1) != 0 ||
	    strnlen(digits, NAME_BYTES) != NUMBER_DIGITS + 1 + RECEIPT_ID_BYTES + 5)
		return false;
	file->number = strtoull(digits, NULL, 10);
	memcpy(file->id, digits + NUMBER_DIGITS + 1, RECEIPT_ID_BYTES);
	file->id[RECEIPT_ID_BYTES] = '\0';
	file_name(again, file);
	return file->number > 0 && is_id(file->id, RECEIPT_ID_BYTES) && strcmp(again, name) == 0;
}

static int by_number(const void *a, const void *b)
{
	const struct receipt_file *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void remove_file(const struct receipts *r, const struct receipt_file *file)
{
	char name[NAME_BYTES];

	file_name(name, file);
	(void)unlinkat(r->directory, name,
		       0); /* where it stays it is found again at the next start */
}

static void remove_oldest(struct receipts *r)
{
	remove_file(r, &r->files[r->first]);
	r->total_bytes -= r->files[r->first].size_bytes;
	r->first = (r->first + 1) % r->most;
	r->count--;
}

/* Make room for one more of this size. */
static void make_room(struct receipts *r, uint64_t size_bytes)
{
	while (r->count > 0 && (r->count == r->most || r->total_bytes + size_bytes > r->bytes_max))
		remove_oldest(r);
}

/* While the directory is listed the ring begins at 0; a file that has no place is removed. */
static void take_listed(struct receipts *r, const struct receipt_file *file)
{
	size_t oldest = 0;

	if (r->count < r->most) {
		r->files[r->count++] = *file;
		return;
	}
	for (size_t i = 1; i < r->count; i++) {
		if (r->files[i].number < r->files[oldest].number)
			oldest = i;
	}
	if (file->number < r->files[oldest].number) {
		remove_file(r, file);
		return;
	}
	remove_file(r, &r->files[oldest]);
	r->files[oldest] = *file;
}

int receipts_open(struct receipts *r, int directory, size_t most, uint64_t bytes_max)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	memset(r, 0, sizeof(*r));
	r->directory = directory;
	r->most = most > 0 && most < RECEIPTS_MAX ? most : RECEIPTS_MAX;
	r->bytes_max = bytes_max > 0 ? bytes_max : RECEIPTS_BYTES_MAX;
	r->next_number = 1;
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd); /* read only */
		return -ERR_SYSTEM;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct receipt_file file;
		struct stat status;

		if (!parse_name(entry->d_name, &file) ||
		    fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		file.size_bytes = (uint64_t)status.st_size;
		take_listed(r, &file);
	}
	(void)closedir(dir); /* read only */
	qsort(r->files, r->count, sizeof(r->files[0]), by_number);
	for (size_t i = 0; i < r->count; i++)
		r->total_bytes += r->files[i].size_bytes;
	if (r->count > 0)
		r->next_number = r->files[r->count - 1].number + 1;
	while (r->count > 0 && r->total_bytes > r->bytes_max)
		remove_oldest(r);
	return 0;
}

/* The id that the receipt gives itself. */
static int read_id(struct span json, char id[RECEIPT_ID_BYTES + 1])
{
	static const char begin[] = "{\"receipt\":\"";
	size_t at = sizeof(begin) - 1;

	if (json.size < at + RECEIPT_ID_BYTES + 1 || memcmp(json.data, begin, at) != 0 ||
	    json.data[at + RECEIPT_ID_BYTES] != '"' || !utf8_valid(json))
		return -ERR_SYNTAX;
	memcpy(id, json.data + at, RECEIPT_ID_BYTES);
	id[RECEIPT_ID_BYTES] = '\0';
	return is_id(id, RECEIPT_ID_BYTES) ? 0 : -ERR_SYNTAX;
}

static int keep(struct receipts *r, struct span json, struct receipt_stored *stored)
{
	struct receipt_file file = {.number = r->next_number, .size_bytes = json.size};
	char name[NAME_BYTES];
	int err = read_id(json, file.id);

	if (err < 0)
		return err;
	make_room(r, json.size);
	file_name(name, &file);
	err = file_replace(r->directory, name, NULL, json);
	if (err < 0)
		return err;
	r->files[(r->first + r->count) % r->most] = file;
	r->count++;
	r->next_number++;
	r->total_bytes += json.size;
	memcpy(stored->id, file.id, sizeof(stored->id));
	stored->size_bytes = json.size;
	sha256_of(json.data, json.size, stored->sha256);
	return 0;
}

int receipts_store(struct receipts *r, int fd, struct receipt_stored *stored)
{
	uint64_t size_bytes;
	struct bytes json;
	int err = sealed_check(fd, &size_bytes);

	if (err < 0)
		return err;
	if (size_bytes > RECEIPT_BYTES_MAX)
		return -ERR_TOO_LONG;
	bytes_init(&json, RECEIPT_BYTES_MAX);
	err = sealed_read(&json, fd);
	if (err == 0)
		err = keep(r, bytes_span(&json), stored);
	bytes_fini(&json);
	return err;
}

static int read_file(const struct receipts *r, const struct receipt_file *file, struct bytes *out)
{
	char name[NAME_BYTES];

	file_name(name, file);
	return file_read(r->directory, name, out);
}

int receipts_find(const struct receipts *r, const char *id, struct bytes *out)
{
	size_t size = strlen(id);

	if (size < ID_LOOKED_FOR || size > RECEIPT_ID_BYTES || !is_id(id, size))
		return -ERR_SYNTAX;
	for (size_t i = r->count; i > 0; i--) {
		const struct receipt_file *file = &r->files[(r->first + i - 1) % r->most];

		if (strncmp(file->id, id, size) == 0)
			return read_file(r, file, out);
	}
	return -ERR_NOT_FOUND;
}

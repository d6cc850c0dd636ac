/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing one account, the era of the clock, and the doors. */
#include "accounts/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"

#define FILE_BYTES_MAX  (ACCOUNT_USED_BYTES * 2)
#define NAME_BYTES      (sizeof("screen.") + ACCOUNT_NAME_BYTES)
#define DOORS           "closed"
#define DOORS_KIND      "sekisho-doors"
#define DOORS_FORMAT    "closed %d\nawaited %s\nsaved %u\nadministrators %s\n"
#define FILE_KIND       "sekisho-account"
#define ERA             "era"
#define ERA_KIND        "sekisho-era"
#define ERA_BYTES_MAX   256U
#define NUMBER_BYTES    24U
#define DOORS_BYTES_MAX (KEEP_NAMES_BYTES + 256U) /* with its first line */

/* ---- the fields of a file, one line each: "KEY VALUE" */

/* A mark stands in a file only where it is set: a firmware of before knows no such line.
 * A field is a number, a text, or (a line each) the hashes of earlier passwords. */
static const struct field {
	const char *key;
	enum { FIELD_I64, FIELD_U32, FIELD_BOOL, FIELD_MARK, FIELD_TEXT } kind;
	size_t offset, size;
} fields[] = {
#define FIELD(key, kind, member)                                                                   \
	{key, kind, offsetof(struct account, member), sizeof(((struct account *)0)->member)}
	FIELD("hash", FIELD_TEXT, hash),
	FIELD("temporary", FIELD_BOOL, temporary),
	FIELD("set", FIELD_I64, set_s),
	FIELD("seen", FIELD_I64, seen_s),
	FIELD("era", FIELD_I64, era),
	FIELD("logins", FIELD_U32, logins),
	FIELD("failures", FIELD_U32, failures),
	FIELD("locks", FIELD_U32, locks),
	FIELD("locked-until", FIELD_I64, locked_until_s),
	FIELD("last-login", FIELD_I64, last_login_s),
	FIELD("last-logout", FIELD_I64, last_logout_s),
	FIELD("last-failure", FIELD_I64, last_failure_s),
	FIELD("failures-since", FIELD_U32, failures_since),
	FIELD("expired", FIELD_I64, expired_s),
	FIELD("stood-in", FIELD_I64, stood_in_s),
	FIELD("hands", FIELD_TEXT, hands),
	FIELD("totp", FIELD_TEXT, totp),
	FIELD("totp-used", FIELD_I64, totp_used),
	FIELD("enrol", FIELD_MARK, enrol),
	FIELD("setting", FIELD_TEXT, setting),
#undef FIELD
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))
#define USED_KEY    "used"

static void print_field(const struct account *a, const struct field *f, char *out, size_t size)
{
	const void *at = (const char *)a + f->offset;

	switch (f->kind) {
	case FIELD_I64:
		(void)snprintf(out, size, "%lld", (long long)*(const int64_t *)at);
		return;
	case FIELD_U32:
		(void)snprintf(out, size, "%u", *(const uint32_t *)at);
		return;
	case FIELD_BOOL:
	case FIELD_MARK:
		(void)snprintf(out, size, "%d", *(const bool *)at);
		return;
	case FIELD_TEXT:
		(void)snprintf(out, size, "%s", (const char *)at);
		return;
	}
}

static bool read_number(const char *value, int64_t *out)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < 0)
		return false;
	*out = number;
	return true;
}

static bool read_field(struct account *a, const struct field *f, const char *value)
{
	void *at = (char *)a + f->offset;
	int64_t number;

	if (f->kind == FIELD_TEXT) {
		if (strlen(value) >= f->size)
			return false;
		memcpy(at, value, strlen(value) + 1);
		return true;
	}
	if (!read_number(value, &number) || (f->kind == FIELD_U32 && number > UINT32_MAX) ||
	    (f->kind == FIELD_BOOL && number > 1) || (f->kind == FIELD_MARK && number != 1))
		return false;
	if (f->kind == FIELD_I64)
		*(int64_t *)at = number;
	else if (f->kind == FIELD_U32)
		*(uint32_t *)at = (uint32_t)number;
	else
		*(bool *)at = number != 0;
	return true;
}

/* ---- reading */

/* One line, NUL-terminated in place. Return: false for one that has no meaning here. */
static bool take_line(struct account *a, char *line)
{
	char *value = strchr(line, ' ');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(line, USED_KEY) == 0)
		return bytes_append(&a->used, value, strlen(value)) == 0 &&
		       bytes_append_u8(&a->used, '\n') == 0;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (strcmp(line, fields[i].key) == 0)
			return read_field(a, &fields[i], value);
	}
	return false;
}

static int take_file(struct account *a, struct bytes *file)
{
	struct span content;
	char *at, *end;
	int err = file_check(bytes_span(file), FILE_KIND, &content);

	if (err < 0)
		return err;
	if (memchr(file->data, '\0', file->size) != NULL)
		return -ERR_INTEGRITY;
	at = (char *)file->data + (file->size - content.size);
	for (char *stop = (char *)file->data + file->size; at < stop; at = end + 1) {
		end = memchr(at, '\n', (size_t)(stop - at));
		if (end == NULL)
			return -ERR_INTEGRITY;
		*end = '\0';
		if (!take_line(a, at))
			return -ERR_INTEGRITY;
	}
	return 0;
}

static void file_name(char out[NAME_BYTES], const struct account *a)
{
	(void)snprintf(out, NAME_BYTES, "%s.%s", a->screen ? "screen" : "user", a->name);
}

int keep_load(int dir, struct account *a)
{
	char name[NAME_BYTES];
	struct bytes file;
	struct account empty;
	int err;

	file_name(name, a);
	bytes_init(&file, FILE_BYTES_MAX);
	err = file_read(dir, name, &file);
	if (err == 0)
		err = take_file(a, &file);
	if (err < 0) {
		account_init(&empty, a->name);
		empty.screen = a->screen;
		account_fini(a);
		*a = empty;
	}
	if (file.size > 0)
		explicit_bzero(file.data, file.size);
	bytes_fini(&file);
	return err;
}

/* ---- writing */

static int append_line(struct bytes *out, const char *key, const char *value, size_t size)
{
	int err = bytes_append(out, key, strlen(key));

	if (err == 0)
		err = bytes_append_u8(out, ' ');
	if (err == 0)
		err = bytes_append(out, value, size);
	return err == 0 ? bytes_append_u8(out, '\n') : err;
}

static int print_account(const struct account *a, struct bytes *out)
{
	char value[PASSWORD_HASH_BYTES];
	int err = 0;

	for (size_t i = 0; err == 0 && i < FIELD_COUNT; i++) {
		if (fields[i].kind == FIELD_MARK &&
		    !*(const bool *)((const char *)a + fields[i].offset))
			continue;
		print_field(a, &fields[i], value, sizeof(value));
		err = append_line(out, fields[i].key, value, strlen(value));
	}
	for (size_t at = 0; err == 0 && at < a->used.size;) {
		const uint8_t *line = a->used.data + at;
		const uint8_t *end = memchr(line, '\n', a->used.size - at);
		size_t size = end != NULL ? (size_t)(end - line) : a->used.size - at;

		err = append_line(out, USED_KEY, (const char *)line, size);
		at += size + 1;
	}
	return err;
}

int keep_save(int dir, const struct account *a)
{
	char name[NAME_BYTES];
	struct bytes content;
	int err;

	file_name(name, a);
	bytes_init(&content, FILE_BYTES_MAX);
	err = print_account(a, &content);
	if (err == 0)
		err = file_replace(dir, name, FILE_KIND, bytes_span(&content));
	if (content.size > 0)
		explicit_bzero(content.data, content.size);
	bytes_fini(&content);
	return err;
}

/* ---- the era of the clock */

static int take_number(struct span *rest, const char *key, int64_t *out)
{
	char value[NUMBER_BYTES];
	int err = file_take_line(rest, key, value, sizeof(value));

	if (err < 0)
		return err;
	return read_number(value, out) ? 0 : -ERR_INTEGRITY;
}

int keep_load_era(int dir, struct keep_era *era)
{
	struct keep_era found;
	struct bytes file;
	struct span rest;
	int err;

	bytes_init(&file, ERA_BYTES_MAX);
	err = file_read(dir, ERA, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), ERA_KIND, &rest);
	if (err == 0)
		err = take_number(&rest, "number", &found.number);
	if (err == 0)
		err = take_number(&rest, "seen", &found.seen_s);
	bytes_fini(&file);
	if (err == 0)
		*era = found;
	return err;
}

int keep_save_era(int dir, const struct keep_era *era)
{
	char content[sizeof("number \nseen \n") + 2 * NUMBER_BYTES];

	(void)snprintf(content, sizeof(content), "number %lld\nseen %lld\n", (long long)era->number,
		       (long long)era->seen_s);
	return file_replace(dir, ERA, ERA_KIND, span_of(content));
}

/* ---- the doors */

static int take_doors(struct span rest, struct keep_doors *doors)
{
	int64_t closed = 0, saved = 0;
	int err = file_take_number(&rest, "closed", &closed);

	if (err == 0)
		err = file_take_line(&rest, "awaited", doors->awaited, sizeof(doors->awaited));
	if (err == 0)
		err = file_take_number(&rest, "saved", &saved);
	if (err == 0)
		err = file_take_line(&rest, "administrators", doors->administrators,
				     sizeof(doors->administrators));
	doors->closed = closed != 0;
	doors->saved = (uint32_t)saved;
	return err;
}

int keep_load_doors(int dir, struct keep_doors *doors)
{
	struct bytes file;
	struct span rest;
	int err;

	*doors = (struct keep_doors){0};
	bytes_init(&file, DOORS_BYTES_MAX);
	err = file_read(dir, DOORS, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), DOORS_KIND, &rest);
	if (err == 0)
		err = take_doors(rest, doors);
	bytes_fini(&file);
	if (err < 0)
		*doors = (struct keep_doors){.closed = true, .saved = UINT32_MAX};
	return err;
}

/* Behind the dot of the one that counts the guesses at unknown names there is nothing. */
static bool is_account(const char *name)
{
	return (strncmp(name, "user.", 5) == 0 && name[5] != '\0') ||
	       (strncmp(name, "screen.", 7) == 0 && name[7] != '\0');
}

bool keep_has_nobody(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *item;
	bool has_nobody;

	if (listing == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	do {
		errno = 0;
		item = readdir(listing);
	} while (item != NULL && !is_account(item->d_name));
	has_nobody = item == NULL && errno == 0;
	closedir(listing);
	return has_nobody;
}

int keep_save_doors(int dir, const struct keep_doors *doors)
{
	struct bytes content;
	int err;

	bytes_init(&content, DOORS_BYTES_MAX);
	err = bytes_printf(&content, DOORS_FORMAT, doors->closed, doors->awaited, doors->saved,
			   doors->administrators);
	if (err == 0)
		err = file_replace(dir, DOORS, DOORS_KIND, bytes_span(&content));
	bytes_fini(&content);
	return err;
}

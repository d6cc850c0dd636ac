/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Emergencies on the disk: a file each, named by its number. */
#include "supervisor/isolation/emergencies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "policy/persons.h"

#define DIRECTORY      "emergencies"
#define KIND           "sekisho-emergency"
#define FILE_BYTES_MAX 4096
#define NAME_BYTES     12

/* ---- one file */

static void print_person(struct bytes *out, const struct emergency_person *person)
{
	(void)bytes_printf(out, "name %s\nhands %s\n", person->name,
			   person->hands); /* errors are in failed */
}

static int save(const struct emergencies *e, const struct emergency *one)
{
	char name[NAME_BYTES];
	struct bytes out;
	int err;

	bytes_init(&out, FILE_BYTES_MAX);
	(void)bytes_printf(&out, "time %" PRId64 "\nwhat %s\nwhy %s\n", one->time_s, one->what,
			   one->why); /* errors are in failed */
	for (size_t i = 0; i < EMERGENCY_PERSONS_MAX; i++)
		print_person(&out, &one->who[i]);
	(void)bytes_printf(&out, "closed %" PRId64 "\n", one->closed_s); /* the same */
	print_person(&out, &one->closer);
	(void)bytes_printf(&out, "comment %s\n", one->comment); /* the same */
	(void)snprintf(name, sizeof(name), "%" PRIu32, one->number);
	err = out.failed ? -ERR_NO_MEMORY : file_replace(e->dir, name, KIND, bytes_span(&out));
	bytes_fini(&out);
	return err;
}

static int take_person(struct span *rest, struct emergency_person *out)
{
	int err = file_take_line(rest, "name", out->name, sizeof(out->name));

	return err == 0 ? file_take_line(rest, "hands", out->hands, sizeof(out->hands)) : err;
}

static int parse(struct emergency *one, struct span rest)
{
	int err = file_take_number(&rest, "time", &one->time_s);

	if (err == 0)
		err = file_take_line(&rest, "what", one->what, sizeof(one->what));
	if (err == 0)
		err = file_take_line(&rest, "why", one->why, sizeof(one->why));
	for (size_t i = 0; err == 0 && i < EMERGENCY_PERSONS_MAX; i++)
		err = take_person(&rest, &one->who[i]);
	if (err == 0)
		err = file_take_number(&rest, "closed", &one->closed_s);
	if (err == 0)
		err = take_person(&rest, &one->closer);
	return err == 0 ? file_take_line(&rest, "comment", one->comment, sizeof(one->comment))
			: err;
}

/* One that cannot be read is not forgotten: somebody has to look at it. */
static void load(const struct emergencies *e, const char *name, struct emergency *one)
{
	struct bytes file;
	struct span content;
	int err;

	bytes_init(&file, FILE_BYTES_MAX);
	err = file_read(e->dir, name, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), KIND, &content);
	if (err == 0)
		err = parse(one, content);
	bytes_fini(&file);
	if (err == 0)
		return;
	*one = (struct emergency){.number = one->number};
	(void)snprintf(one->what, sizeof(one->what), "a record that is damaged");
}

/* ---- the list */

static int by_number(const void *a, const void *b)
{
	uint32_t first = ((const struct emergency *)a)->number;
	uint32_t second = ((const struct emergency *)b)->number;

	return (first > second) - (first < second);
}

static uint32_t read_name(const char *name)
{
	char *end;
	unsigned long number;

	if (name[0] < '1' || name[0] > '9' || strlen(name) >= NAME_BYTES)
		return 0;
	number = strtoul(name, &end, 10);
	return *end == '\0' && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static int load_all(struct emergencies *e)
{
	int fd = openat(e->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd); /* nothing was read */
		return -ERR_SYSTEM;
	}
	while ((entry = readdir(dir)) != NULL && e->count < EMERGENCIES_MAX) {
		struct emergency one = {.number = read_name(entry->d_name)};

		if (one.number == 0)
			continue;
		load(e, entry->d_name, &one);
		e->list[e->count++] = one;
	}
	(void)closedir(dir); /* read only */
	qsort(e->list, e->count, sizeof(e->list[0]), by_number);
	return 0;
}

int emergencies_load(struct emergencies *e, int state_fd)
{
	e->count = 0;
	e->dir = -1;
	if (mkdirat(state_fd, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -ERR_SYSTEM;
	e->dir = openat(state_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (e->dir < 0)
		return -ERR_SYSTEM;
	if (load_all(e) == 0)
		return 0;
	(void)close(e->dir); /* what is in it is not known: a new number could replace a file */
	e->dir = -1;
	return -ERR_SYSTEM;
}

/* A file that stays is read again at the next start. */
static void drop(struct emergencies *e, size_t at)
{
	char name[NAME_BYTES];

	(void)snprintf(name, sizeof(name), "%" PRIu32, e->list[at].number);
	(void)unlinkat(e->dir, name, 0); /* see above */
	e->count--;
	memmove(&e->list[at], &e->list[at + 1], (e->count - at) * sizeof(e->list[0]));
}

/* The oldest that was acknowledged gives way; the newest one stays, since its number counts on. */
static bool make_room(struct emergencies *e)
{
	size_t at = 0;

	if (e->count < EMERGENCIES_MAX)
		return true;
	while (at + 1 < e->count && e->list[at].closed_s == 0)
		at++;
	if (at + 1 == e->count)
		return false;
	drop(e, at);
	return true;
}

int emergencies_open(struct emergencies *e, struct emergency *new)
{
	new->number = 0;
	if (!make_room(e))
		return -ERR_NO_SPACE;
	new->number = e->count > 0 ? e->list[e->count - 1].number + 1 : 1;
	e->list[e->count++] = *new;
	return save(e, new);
}

void emergencies_withdraw(struct emergencies *e)
{
	drop(e, e->count - 1);
}

int emergencies_amend(struct emergencies *e, uint32_t number, const char *what,
		      const struct emergency_person *who)
{
	const struct emergency *found = emergencies_find(e, number);
	struct emergency amended;
	int err;

	if (found == NULL || found->closed_s != 0)
		return -ERR_NOT_FOUND;
	amended = *found;
	(void)snprintf(amended.what, sizeof(amended.what), "%s", what);
	amended.who[0] = *who;
	err = save(e, &amended);
	if (err == 0)
		e->list[found - e->list] = amended;
	return err;
}

bool emergencies_has_open(const struct emergencies *e, const struct emergency_person *person,
			  const char *what)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct emergency *one = &e->list[i];

		if (one->closed_s == 0 && strcmp(one->who[0].name, person->name) == 0 &&
		    strcmp(one->who[0].hands, person->hands) == 0 && strcmp(one->what, what) == 0)
			return true;
	}
	return false;
}

const struct emergency *emergencies_find(const struct emergencies *e, uint32_t number)
{
	for (size_t i = 0; i < e->count; i++) {
		if (e->list[i].number == number)
			return &e->list[i];
	}
	return NULL;
}

/* Nobody in particular acknowledges nothing; one whose doer is not known is open to every account.
 */
static bool may_close(const struct emergency *one, const struct emergency_person *closer)
{
	if (closer->name[0] == '\0')
		return false;
	for (size_t i = 0; i < EMERGENCY_PERSONS_MAX; i++) {
		const struct emergency_person *doer = &one->who[i];

		if (doer->name[0] != '\0' &&
		    persons_may_be_one(doer->name, doer->hands, closer->name, closer->hands))
			return false;
	}
	return true;
}

int emergencies_close(struct emergencies *e, uint32_t number, const struct emergency_person *closer,
		      const char *comment, int64_t now_s)
{
	const struct emergency *one = emergencies_find(e, number);
	struct emergency closed;
	int err;

	if (one == NULL || one->closed_s != 0)
		return -ERR_NOT_FOUND;
	if (!may_close(one, closer))
		return -ERR_DENIED;
	closed = *one;
	closed.closed_s = now_s != 0 ? now_s : 1;
	closed.closer = *closer;
	(void)snprintf(closed.comment, sizeof(closed.comment), "%s", comment);
	err = save(e, &closed);
	if (err == 0)
		e->list[one - e->list] = closed;
	return err;
}

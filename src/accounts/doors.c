/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doors: whether a login is asked for, and who may hand over (ADR 0317). What is on the disk is
 * always written before the configuration that it decides about, so that no power cut, full disk or
 * dead process comes in between: the numbers of configurations tell what is the later one.
 */
#include <stdio.h>
#include <string.h>

#include "accounts/desk_private.h"

/* The running configuration names nobody because persons chose so: it lies behind all of which it
 * is known that they were on the disk when somebody was named. */
static bool is_opened(const struct desk *d)
{
	return d->person_count == 0 && d->numbers.chosen > d->doors.saved;
}

bool desk_is_closed(const struct desk *d)
{
	return d->doors.closed && !is_opened(d);
}

bool desk_is_open(const struct desk *d)
{
	return d->has_policy && !desk_is_closed(d) && desk_nobody_can(d);
}

/* ---- the administrators that have chosen a password */

static bool has_chosen(const struct desk *d, const struct snapshot_person *person)
{
	struct account account;
	bool has;

	if (person->role != SNAPSHOT_ROLE_ADMINISTRATOR ||
	    desk_role_of(d, person) != ACCOUNT_ADMINISTRATOR)
		return false;
	account_init(&account, person->name);
	has = keep_load(d->directory, &account) == 0 && account.hash[0] != '\0' &&
	      !account.temporary;
	account_fini(&account);
	return has;
}

/* There is room for all. */
static void list_administrators(const struct desk *d, char out[KEEP_NAMES_BYTES])
{
	size_t size = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < d->person_count; i++) {
		if (has_chosen(d, &d->persons[i]))
			size += (size_t)snprintf(out + size, KEEP_NAMES_BYTES - size, "%s ",
						 d->persons[i].name);
	}
}

static bool is_listed(const struct keep_doors *doors, const char *name)
{
	size_t size = strlen(name);
	const char *at = doors->administrators;

	if (size == 0)
		return false;
	while (at != NULL && (strncmp(at, name, size) != 0 || at[size] != ' ')) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	return at != NULL;
}

bool desk_hands_over(const struct desk *d, const char *name)
{
	if (!d->doors.closed || d->person_count == 0 || strcmp(d->numbers.by, name) != 0 ||
	    desk_find_person(d, name) != NULL || !is_listed(&d->doors, name))
		return false;
	for (uint32_t i = 0; i < d->person_count; i++) {
		if (d->persons[i].role == SNAPSHOT_ROLE_ADMINISTRATOR &&
		    is_listed(&d->doors, d->persons[i].name))
			return false; /* a password that is lost is none that was never there */
	}
	return true;
}

bool desk_is_handing_over(const struct desk *d)
{
	return desk_hands_over(d, d->numbers.by);
}

/* ---- what is on the disk of it */

static void keep(struct desk *d, const struct keep_doors *doors)
{
	d->doors = *doors;
	d->doors_unsaved = true;
	desk_keep_doors(d);
}

void desk_keep_doors(struct desk *d)
{
	if (d->doors_unsaved)
		d->doors_unsaved = keep_save_doors(d->directory, &d->doors) < 0;
}

static bool is_awaited(const struct desk *d, const char *names)
{
	size_t size = strlen(d->doors.awaited);

	return size > 0 && strncmp(names, d->doors.awaited, size) == 0 &&
	       strcmp(names + size, " ") == 0;
}

void desk_begin_doors(struct desk *d)
{
	const struct keep_doors open = {0};

	if (d->doors_missing && d->numbers.untouched != 0 && keep_has_nobody(d->directory))
		keep(d, &open);
}

/*
 * The newest configuration on the disk may be one without persons, chosen, while the one that runs
 * never gets there: the policy alone notes it only where it is there, too.
 */
void desk_follow_policy(struct desk *d)
{
	const struct control_policy *n = &d->numbers;
	bool is_known = n->chosen <= n->saved || d->doors.saved == n->saved;

	desk_follow_doors(d, is_known ? n->saved : n->saved - (n->saved > 0));
}

void desk_follow_doors(struct desk *d, uint32_t saved)
{
	struct keep_doors now = {.closed = true, .saved = saved};

	if (d->person_count == 0)
		return;
	list_administrators(d, now.administrators);
	if (now.administrators[0] == '\0')
		return; /* who was there before hands over */
	if (!d->doors.closed && is_awaited(d, now.administrators))
		return; /* that one's password does not count yet */
	if (!d->doors.closed || now.saved != d->doors.saved ||
	    strcmp(now.administrators, d->doors.administrators) != 0)
		keep(d, &now);
}

bool desk_has_opened(const struct desk *d, const struct control_policy *next)
{
	return d->has_policy && d->doors.closed && is_opened(d) && next->saved >= d->numbers.chosen;
}

void desk_stay_open(struct desk *d)
{
	const struct keep_doors open = {.saved = d->doors.saved};

	keep(d, &open);
}

/* Return: 0, or the error of keep_save_doors: then nothing is changed. */
static int change(struct desk *d, const struct keep_doors *doors)
{
	int err = keep_save_doors(d->directory, doors);

	if (err < 0)
		return err;
	d->doors = *doors;
	d->doors_unsaved = false;
	return 0;
}

int desk_close_doors(struct desk *d)
{
	struct keep_doors doors = {.closed = true, .saved = d->numbers.saved};

	if (d->doors.closed)
		return 0;
	list_administrators(d, doors.administrators);
	return change(d, &doors);
}

int desk_open_doors(struct desk *d)
{
	const struct keep_doors open = {.saved = d->doors.saved};

	return change(d, &open);
}

int desk_await_first(struct desk *d, const char *name)
{
	struct keep_doors doors = {.saved = d->doors.saved};

	if (strcmp(d->doors.awaited, name) == 0)
		return 0;
	(void)snprintf(doors.awaited, sizeof(doors.awaited), "%s", name);
	return change(d, &doors);
}

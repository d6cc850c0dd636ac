/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The persons of the running policy: what each may be now. */
#include <string.h>

#include "accounts/desk_private.h"
#include "accounts/keep.h"
#include "base/err.h"

int64_t desk_now_s(const struct desk *d)
{
	return clock_wall_ns(d->clock) / 1000000000;
}

const struct snapshot_person *desk_find_person(const struct desk *d, const char *name)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		if (strcmp(d->persons[i].name, name) == 0)
			return &d->persons[i];
	}
	return NULL;
}

static bool is_over(const struct desk *d, int64_t end_s, int64_t seen_over_s)
{
	return desk_now_s(d) >= end_s || seen_over_s >= end_s;
}

enum account_role desk_role_of(const struct desk *d, const struct snapshot_person *person)
{
	static const enum account_role roles[SNAPSHOT_ROLE_COUNT_] = {
		[SNAPSHOT_ROLE_ADMINISTRATOR] = ACCOUNT_ADMINISTRATOR,
		[SNAPSHOT_ROLE_OPERATOR] = ACCOUNT_OPERATOR,
		[SNAPSHOT_ROLE_AUDITOR] = ACCOUNT_AUDITOR,
	};
	const struct desk_latch *seen;

	if (person == NULL || person->suspended)
		return ACCOUNT_ROLE_NONE;
	seen = &d->latches[person - d->persons];
	if (is_over(d, person->expires_s, seen->expired_s))
		return ACCOUNT_ROLE_NONE;
	return is_over(d, person->administrator_until_s, seen->stood_in_s) ? roles[person->role]
									   : ACCOUNT_ADMINISTRATOR;
}

bool desk_nobody_can(const struct desk *d)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		struct account account;
		bool has_none;
		int err;

		if (d->persons[i].role != SNAPSHOT_ROLE_ADMINISTRATOR)
			continue;
		account_init(&account, d->persons[i].name);
		err = keep_load(d->directory, &account);
		has_none = err == -ERR_NOT_FOUND || (err == 0 && account.hash[0] == '\0');
		account_fini(&account);
		if (!has_none)
			return false;
	}
	return true;
}

bool desk_is_open(const struct desk *d)
{
	return d->has_policy && !d->closed && desk_nobody_can(d);
}

static bool could_log_in(const struct desk *d, const struct snapshot_person *person)
{
	struct account account;
	bool could;

	account_init(&account, person->name);
	could = keep_load(d->directory, &account) == 0 && account.hash[0] != '\0' &&
		account.locked_until_s <= desk_now_s(d);
	account_fini(&account);
	return could;
}

bool desk_is_alone(const struct desk *d, const struct snapshot_person *person)
{
	if (desk_role_of(d, person) != ACCOUNT_ADMINISTRATOR)
		return false;
	for (uint32_t i = 0; i < d->person_count; i++) {
		const struct snapshot_person *other = &d->persons[i];

		if (other != person && desk_role_of(d, other) == ACCOUNT_ADMINISTRATOR &&
		    could_log_in(d, other))
			return false;
	}
	return true;
}

int desk_save(struct desk *d, const struct account *account)
{
	int err = keep_save(d->directory, account);

	if (err < 0)
		(void)desk_tell(d, EVENT_ACCOUNT_UNSAVED, EV_TEXT(USER, account->name));
	return err;
}

void desk_load_latches(struct desk *d)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		struct account account;

		account_init(&account, d->persons[i].name);
		(void)keep_load(d->directory, &account); /* of a damaged one nothing is known */
		d->latches[i] = (struct desk_latch){account.expired_s, account.stood_in_s};
		account_fini(&account);
	}
}

/* Return: whether there was something new to remember. */
static bool latch(int64_t *seen_s, int64_t end_s, int64_t now_s)
{
	if (now_s < end_s || *seen_s >= end_s)
		return false;
	*seen_s = end_s;
	return true;
}

static void save_latch(struct desk *d, uint32_t i)
{
	struct account account;
	int err;

	account_init(&account, d->persons[i].name);
	err = keep_load(d->directory, &account);
	if (err == 0 || err == -ERR_NOT_FOUND) { /* a damaged one admits nobody as it is */
		account.expired_s = d->latches[i].expired_s;
		account.stood_in_s = d->latches[i].stood_in_s;
		(void)desk_save(d, &account); /* in memory it holds all the same */
	}
	account_fini(&account);
}

void desk_latch_ends(struct desk *d)
{
	int64_t now_s = desk_now_s(d);

	for (uint32_t i = 0; i < d->person_count; i++) {
		const struct snapshot_person *person = &d->persons[i];
		bool expired = latch(&d->latches[i].expired_s, person->expires_s, now_s);
		bool stood_in =
			latch(&d->latches[i].stood_in_s, person->administrator_until_s, now_s);

		if (expired || stood_in)
			save_latch(d, i);
	}
}

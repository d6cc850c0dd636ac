/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The persons of the running policy: what each may be now. */
#include <string.h>
#include <sys/random.h>

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

enum account_role desk_role_of_name(const struct desk *d, const char *name)
{
	enum account_role role = desk_role_of(d, desk_find_person(d, name));

	return desk_hands_over(d, name) ? ACCOUNT_ADMINISTRATOR : role;
}

bool desk_is_known(const struct desk *d, const char *name)
{
	return desk_find_person(d, name) != NULL || desk_hands_over(d, name);
}

bool desk_nobody_can(const struct desk *d)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		struct account account;
		bool has_none;
		int err;

		if (d->persons[i].role != SNAPSHOT_ROLE_ADMINISTRATOR ||
		    strcmp(d->persons[i].name, d->doors.awaited) == 0)
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

static bool could_log_in(const struct desk *d, const struct snapshot_person *person)
{
	struct account account;
	bool could;

	account_init(&account, person->name);
	could = desk_load(d, &account) == 0 && account.hash[0] != '\0' &&
		account.locked_until_s <= desk_now_s(d) &&
		!account_is_over(&account, desk_now_s(d));
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

bool desk_latch_ends(struct desk *d)
{
	int64_t now_s = desk_now_s(d);
	bool has_ended = false;

	for (uint32_t i = 0; i < d->person_count; i++) {
		const struct snapshot_person *person = &d->persons[i];
		bool expired = latch(&d->latches[i].expired_s, person->expires_s, now_s);
		bool stood_in =
			latch(&d->latches[i].stood_in_s, person->administrator_until_s, now_s);

		if (expired || stood_in)
			save_latch(d, i);
		has_ended |= expired || stood_in;
	}
	return has_ended;
}

/* Return: 0 or -ERR_SYSTEM, then nothing is changed. */
static int begin_era(struct desk *d, int64_t seen_s)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -ERR_SYSTEM;
	d->era.number = (int64_t)(random >> 1 | 1);
	if (seen_s > d->era.seen_s)
		d->era.seen_s = seen_s;
	d->era_unsaved = true;
	return 0;
}

int desk_load_era(struct desk *d)
{
	int err = keep_load_era(d->directory, &d->era);

	return err == 0 || err == -ERR_NOT_FOUND ? 0 : begin_era(d, INT64_MAX);
}

void desk_watch_clock(struct desk *d)
{
	int64_t now_s = desk_now_s(d);

	if (now_s > d->latest_s)
		d->latest_s = now_s;
	if (now_s < d->latest_s - ACCOUNT_CLOCK_SLOP_S && begin_era(d, d->latest_s) == 0)
		d->latest_s = now_s;
	if (d->era_unsaved)
		d->era_unsaved = keep_save_era(d->directory, &d->era) < 0;
}

int desk_load(const struct desk *d, struct account *account)
{
	int err = keep_load(d->directory, account);

	if (account->era != d->era.number)
		account_see(account, d->era.seen_s);
	account->era = d->era.number;
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts, locks, ages. */
#include "accounts/account.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LOCK_DOUBLINGS 10U

static const char *const verdict_texts[ACCOUNT_VERDICT_COUNT_] = {
	[ACCOUNT_ADMIT] = "admitted",
	[ACCOUNT_STALE_TEMPORARY] = "temporary password",
	[ACCOUNT_STALE_AGE] = "password too old",
	[ACCOUNT_STALE_LOGINS] = "password used too often",
	[ACCOUNT_DENY_PASSWORD] = "wrong password",
	[ACCOUNT_DENY_CODE] = "wrong code",
	[ACCOUNT_DENY_LOCKED] = "account locked",
	[ACCOUNT_DENY_OVER] = "temporary password not used in time",
};

const char *account_verdict_text(enum account_verdict verdict)
{
	return verdict_texts[verdict];
}

void account_init(struct account *a, const char *name)
{
	*a = (struct account){0};
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	bytes_init(&a->used, ACCOUNT_USED_BYTES);
}

void account_fini(struct account *a)
{
	bytes_fini(&a->used);
	explicit_bzero(a->hash, sizeof(a->hash));
	explicit_bzero(a->totp, sizeof(a->totp));
}

/* A clock that was stepped back must neither keep a lock for years nor keep a password young. */
static bool is_locked(struct account *a, bool alone, int64_t now_s)
{
	int64_t most_s = alone ? ACCOUNT_ALONE_MOST_S : ACCOUNT_LOCK_MOST_S;

	if (a->locked_until_s > now_s + most_s)
		a->locked_until_s = now_s + most_s;
	return now_s < a->locked_until_s;
}

static bool is_older(const struct account *a, int64_t limit_s, int64_t now_s)
{
	int64_t seen_s = a->seen_s > a->set_s ? a->seen_s : a->set_s;

	return limit_s > 0 &&
	       (now_s - a->set_s >= limit_s || now_s < seen_s - ACCOUNT_CLOCK_SLOP_S);
}

bool account_is_over(const struct account *a, int64_t now_s)
{
	return a->temporary && is_older(a, ACCOUNT_TEMPORARY_S, now_s);
}

void account_see(struct account *a, int64_t now_s)
{
	if (now_s > a->seen_s)
		a->seen_s = now_s;
}

static void count_failure(struct account *a, int64_t now_s)
{
	a->last_failure_s = now_s;
	if (a->failures_since < UINT32_MAX)
		a->failures_since++;
}

/* Whoever stands at the line can keep a person out by guessing; the only administrator must come
 * in all the same, so that for him guessing is slowed down and no more. */
static void lock(struct account *a, const struct account_rules *rules, bool alone, int64_t now_s)
{
	unsigned doublings = a->locks < LOCK_DOUBLINGS ? a->locks : LOCK_DOUBLINGS;
	int64_t first_s = alone ? ACCOUNT_ALONE_LOCK_S : rules->lock_s;
	int64_t most_s = alone ? ACCOUNT_ALONE_MOST_S : ACCOUNT_LOCK_MOST_S;
	int64_t lock_s = first_s << doublings;

	a->locked_until_s = now_s + (lock_s < most_s ? lock_s : most_s);
	a->locks = doublings + 1;
	a->failures = 0;
}

static void fail(struct account *a, const struct account_rules *rules, bool alone, int64_t now_s)
{
	count_failure(a, now_s);
	if (++a->failures >= rules->attempts)
		lock(a, rules, alone, now_s);
}

/* Both are looked at whatever the other is. A step that was once accepted was the true time: an
 * authenticator app has agreed with it. So @totp_used never runs ahead of the clock for good. */
static enum account_verdict try_both(struct account *a, bool matches, const char *code,
				     int64_t now_s)
{
	bool has_factor = code != NULL && a->totp[0] != '\0';
	int64_t step = has_factor ? totp_match(a->totp, code, now_s, a->totp_used) : 0;

	if (!matches || a->hash[0] == '\0')
		return ACCOUNT_DENY_PASSWORD;
	if (has_factor && step == 0)
		return ACCOUNT_DENY_CODE;
	if (has_factor)
		a->totp_used = step;
	return ACCOUNT_ADMIT;
}

enum account_verdict account_attempt(struct account *a, const struct account_rules *rules,
				     enum account_role role, bool matches, const char *code,
				     bool alone, int64_t now_s)
{
	enum account_verdict verdict;
	int64_t age_s = role == ACCOUNT_ADMINISTRATOR ? rules->administrator_age_s : rules->age_s;

	if (is_locked(a, alone, now_s)) {
		count_failure(a, now_s);
		return ACCOUNT_DENY_LOCKED;
	}
	verdict = try_both(a, matches, code, now_s);
	if (verdict != ACCOUNT_ADMIT) {
		fail(a, rules, alone, now_s);
		return verdict;
	}
	if (account_is_over(a, now_s) && !alone) { /* nobody could issue him another one */
		count_failure(a, now_s);
		return ACCOUNT_DENY_OVER;
	}
	a->failures = a->locks = 0;
	account_see(a, now_s);
	if (a->temporary)
		return ACCOUNT_STALE_TEMPORARY;
	if (is_older(a, age_s, now_s))
		return ACCOUNT_STALE_AGE;
	if (rules->logins_max > 0 && a->logins >= rules->logins_max)
		return ACCOUNT_STALE_LOGINS;
	return ACCOUNT_ADMIT;
}

void account_begin(struct account *a, int64_t now_s)
{
	a->last_login_s = now_s;
	a->failures_since = 0;
	if (a->logins < UINT32_MAX)
		a->logins++;
}

void account_end(struct account *a, int64_t now_s)
{
	a->last_logout_s = now_s;
	account_see(a, now_s);
}

static bool was_used(const struct account *a, const char *hash)
{
	size_t length = strlen(hash), at = 0;

	while (at < a->used.size) {
		const uint8_t *line = a->used.data + at;
		const uint8_t *end = memchr(line, '\n', a->used.size - at);
		size_t size = end != NULL ? (size_t)(end - line) : a->used.size - at;

		if (size == length && memcmp(line, hash, length) == 0)
			return true;
		at += size + 1;
	}
	return false;
}

/* All earlier passwords of an account are hashed with one setting: one hash finds any of them. */
int account_set(struct account *a, const char *password, bool temporary, int64_t now_s)
{
	char setting[PASSWORD_SETTING_BYTES], hash[PASSWORD_HASH_BYTES] = "";
	char used[PASSWORD_HASH_BYTES] = "";
	size_t size = a->used.size;
	int err = 0;

	if (a->setting[0] == '\0')
		err = password_setting(a->setting);
	if (err == 0)
		err = password_hash(password, a->setting, used);
	if (err == 0 && was_used(a, used))
		err = -ERR_EXISTS;
	if (err == 0)
		err = password_setting(setting);
	if (err == 0)
		err = password_hash(password, setting, hash);
	if (err == 0)
		err = bytes_append(&a->used, used, strlen(used));
	if (err == 0)
		err = bytes_append_u8(&a->used, '\n');
	if (err < 0) {
		a->used.size = size;
		return err;
	}
	memcpy(a->hash, hash, sizeof(hash));
	a->temporary = temporary;
	a->set_s = a->seen_s = now_s;
	a->logins = a->failures = a->locks = 0;
	a->locked_until_s = 0;
	return 0;
}

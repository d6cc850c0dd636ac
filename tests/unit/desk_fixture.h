/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A desk of accounts in simulated time, in a directory of its own; the test is console and audit.
 */
#ifndef SEKISHO_TESTS_DESK_FIXTURE_H
#define SEKISHO_TESTS_DESK_FIXTURE_H

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/desk.h"
#include "place.h"
#include "policy_fixture.h"

#define GOOD   "Karasu-no-7-tsu"
#define BETTER "Umi/ni-36-fune"

/* Only a test of the hash pays for it in full: hundreds at the product's cost, 16 MiB each, take a
 * minute on a busy machine. */
static bool hashes_in_full;

char *__real_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *random,
			      int random_bytes, char *setting, int setting_bytes);
char *__wrap_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *random,
			      int random_bytes, char *setting, int setting_bytes);
char *__wrap_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *random,
			      int random_bytes, char *setting, int setting_bytes)
{
	return __real_crypt_gensalt_rn(prefix, hashes_in_full ? count : 1, random, random_bytes,
				       setting, setting_bytes);
}

struct fixture {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct desk desk;
	struct account_answer answer;
	unsigned told[EVENT_COUNT_];
	char reason[64]; /* of the last refusal */
	enum account_role role[DESK_SEATS];
	bool ended[DESK_SEATS];
	char notice[ACCOUNT_TEXT_BYTES];
	bool deaf;                        /* audit takes no event */
	struct control_first first;       /* handed over last */
	struct control_recovery recovery; /* told last */
	unsigned confirmed[DESK_SEATS];   /* passwords that were typed once more */
	uint32_t newest;                  /* configuration on the disk */
	const char *by;                   /* who commits */
};

static inline bool on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct fixture *f = ctx;

	if (f->deaf)
		return false;

	f->told[id]++;
	for (size_t i = 0; i < count; i++) {
		if (args[i].key == FIELD_REASON)
			(void)snprintf(f->reason, sizeof(f->reason), "%.*s", (int)args[i].size,
				       (const char *)args[i].data);
	}
	return true;
}

static inline void on_person(void *ctx, uint32_t console, enum account_role role, const char *name,
			     const char *hands)
{
	((struct fixture *)ctx)->role[console] = role;
}

static inline void on_notice(void *ctx, uint32_t console, bool end, const char *text)
{
	struct fixture *f = ctx;

	f->ended[console] |= end;
	(void)snprintf(f->notice, sizeof(f->notice), "%s", text);
}

static inline bool on_first(void *ctx, const struct control_first *first)
{
	struct fixture *f = ctx;

	f->first = *first;
	return !f->deaf;
}

static inline bool on_recovery(void *ctx, const struct control_recovery *said)
{
	struct fixture *f = ctx;

	f->recovery = *said;
	return !f->deaf;
}

static inline bool on_confirmed(void *ctx, uint32_t console)
{
	struct fixture *f = ctx;

	f->confirmed[console]++;
	return !f->deaf;
}

static inline void tell_policy(struct fixture *f, const char *configuration, uint32_t chosen)
{
	struct control_policy numbers = {
		.chosen = chosen, .saved = f->newest, .untouched = f->newest == 0};
	struct policy_fixture policy;

	(void)snprintf(numbers.by, sizeof(numbers.by), "%s", f->by);
	policy_fixture_init(&policy, configuration);
	desk_policy(&f->desk, &policy.snapshot, &numbers);
	policy_fixture_fini(&policy);
}

/* A commit, which is on the disk only when the desk knows of it. */
static inline void apply(struct fixture *f, const char *configuration)
{
	tell_policy(f, configuration, f->newest + 1);
	f->newest++;
}

/* The power comes back: the newest on the disk is @configuration. */
static inline void start_with(struct fixture *f, const char *configuration, uint32_t newest)
{
	const struct desk_owner owner = f->desk.owner;

	desk_fini(&f->desk);
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, owner), 0);
	f->newest = newest;
	tell_policy(f, configuration, newest);
}

static const char users[] =
	"login { user yamada { role administrator; } user sato { role operator; }"
	" user suzuki { role auditor; } user tanaka { role administrator; } }";

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	f->by = "yamada";
	f->time.mono_ns = 1000000000;
	f->time.wall_ns = 1800000000LL * 1000000000;
	f->clock = clock_simulate(&f->time);
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir,
				   (struct desk_owner){on_event, on_person, on_notice, on_first,
						       on_recovery, on_confirmed, f}),
			 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	desk_fini(&f->desk);
	place_close(&f->place);
	free(f);
	return 0;
}

static inline void pass(struct fixture *f, int64_t seconds)
{
	f->time.mono_ns += (uint64_t)seconds * 1000000000U;
	f->time.wall_ns += seconds * 1000000000;
	desk_tick(&f->desk);
}

static inline enum account_status ask(struct fixture *f, uint32_t console, enum account_kind kind,
				      const char *name, const char *secret, const char *fresh)
{
	struct account_request request = {.kind = kind};

	(void)snprintf(request.name, sizeof(request.name), "%s", name);
	(void)snprintf(request.secret, sizeof(request.secret), "%s", secret);
	(void)snprintf(request.fresh, sizeof(request.fresh), "%s", fresh);
	(void)desk_request(&f->desk, console, &request, &f->answer);
	return f->answer.status;
}

static inline enum account_status login(struct fixture *f, uint32_t console, const char *name,
					const char *secret)
{
	return ask(f, console, ACCOUNT_LOGIN, name, secret, "");
}

static inline void sit(struct fixture *f, uint32_t console)
{
	f->role[console] = ACCOUNT_ROLE_NONE;
	f->ended[console] = false;
	desk_sit(&f->desk, console, false);
}

/* The temporary password that the last answer shows. */
static inline const char *shown_password(const struct fixture *f)
{
	static char password[PASSWORD_TEMPORARY_BYTES];
	const char *at = strstr(f->answer.text, ": ");

	assert_non_null(at);
	memcpy(password, at + 2, sizeof(password) - 1);
	return password;
}

/* From the factory to a desk where @name has the password GOOD, and console 0 is closed again. */
static inline void establish_by(struct fixture *f, const char *administrator, const char *name)
{
	sit(f, 7);
	if (f->role[7] == ACCOUNT_ROLE_NONE)
		assert_int_equal(login(f, 7, administrator, GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 7, ACCOUNT_RESET, name, "", ""), ACCOUNT_OK);
	desk_leave(&f->desk, 7);
	sit(f, 0);
	assert_int_equal(login(f, 0, name, shown_password(f)), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_OK);
	desk_leave(&f->desk, 0);
	sit(f, 0);
}

static inline void establish(struct fixture *f, const char *name)
{
	establish_by(f, "yamada", name);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first administrator at a terminal (A5, A7), and what a power cut leaves of the dialogue. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/desk_private.h"
#include "accounts/keep.h"
#include "desk_fixture.h"

static bool is_closed(const struct fixture *f)
{
	struct keep_doors doors;

	keep_load_doors(f->place.dir, &doors);
	return doors.closed;
}

static void sit_at_terminal(struct fixture *f, uint32_t console)
{
	f->role[console] = ACCOUNT_ROLE_NONE;
	f->ended[console] = false;
	desk_sit(&f->desk, console, true);
}

/* Return: whether it was handed over, so that its commit is awaited. */
static bool type_first(struct fixture *f, const char *name, const char *password)
{
	struct account_first first = {.language = LANGUAGE_EN, .host = "gate"};

	(void)snprintf(first.name, sizeof(first.name), "%s", name);
	(void)snprintf(first.secret, sizeof(first.secret), "%s", password);
	return desk_first(&f->desk, 0, &first, &f->answer);
}

static uint32_t commit_first(struct fixture *f, bool ok)
{
	const struct control_first_done done = {.number = f->first.number, .ok = ok};

	return desk_first_done(&f->desk, &done, &f->answer);
}

/* A5: no request is served there but the one that sets up the first administrator. */
static void test_first_administrator_terminal_without_accounts_serves_its_dialogue_only(
	void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	sit_at_terminal(f, 0);
	for (uint32_t kind = ACCOUNT_LOGIN; kind < ACCOUNT_KIND_COUNT_; kind++) {
		if (kind == ACCOUNT_LOGOUT || kind == ACCOUNT_ACTIVE)
			continue;
		assert_int_equal(ask(f, 0, kind, "yamada", GOOD, BETTER), ACCOUNT_REFUSED);
		assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	}
	assert_int_equal(ask(f, 0, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
	assert_int_equal(f->answer.setup, 1);
	assert_int_equal(f->answer.open, 0);
}

/* A1, A5: nobody is admitted before the commit is done; then by a login only. */
static void test_first_administrator_counts_from_the_commit_on(void **state)
{
	struct fixture *f = *state;

	apply(f, "");
	sit_at_terminal(f, 0);
	assert_false(type_first(f, "hayashi", "easy"));
	assert_int_equal(f->answer.status, ACCOUNT_STALE);
	assert_false(type_first(f, "../etc", GOOD));
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_false(type_first(f, "Hayashi", GOOD)); /* it would be the name of a file */
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_int_equal(f->told[EVENT_PASSWORD_CHANGED], 0);
	assert_true(type_first(f, "hayashi", GOOD));
	assert_string_equal(f->first.name, "hayashi");
	assert_int_equal(f->told[EVENT_FIRST_ADMINISTRATOR], 1);
	assert_false(type_first(f, "tanaka", GOOD)); /* one at a time */
	assert_false(is_closed(f));
	apply(f, "login { user hayashi { role administrator; } }");
	assert_false(f->ended[0]); /* it waits for the end of its commit */
	assert_false(is_closed(f));
	assert_int_equal(commit_first(f, true), 0);
	assert_true(is_closed(f));
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(login(f, 0, "hayashi", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
}

/* A commit that is refused, or that a power cut keeps from coming: the same may be typed again. */
static void test_first_administrator_without_a_commit_admits_nobody(void **state)
{
	struct fixture *f = *state;

	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "hayashi", GOOD));
	assert_int_equal(commit_first(f, false), 0);
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_false(is_closed(f));
	assert_int_equal(faccessat(f->place.dir, "user.hayashi", F_OK, 0), -1);
	assert_true(type_first(f, "hayashi", GOOD)); /* not "used before" */
	desk_leave(&f->desk, 0);
	sit_at_terminal(f, 0);
	assert_int_equal(commit_first(f, false), DESK_SEATS); /* who asked has gone */
	f->deaf = true;
	assert_false(type_first(f, "hayashi", GOOD));
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_int_equal(faccessat(f->place.dir, "user.hayashi", F_OK, 0), -1);
	assert_int_equal(f->told[EVENT_PASSWORD_CHANGED], 0);
}

static void start_again(struct fixture *f)
{
	struct desk_owner owner = f->desk.owner;

	desk_fini(&f->desk);
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, owner), 0);
}

static void set_up_first(struct fixture *f, const char *name)
{
	char configuration[128];

	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, name, GOOD));
	(void)snprintf(configuration, sizeof(configuration),
		       "login { user %s { role administrator; } }", name);
	apply(f, configuration);
	assert_int_equal(commit_first(f, true), 0);
	assert_int_equal(f->answer.status, ACCOUNT_OK);
}

/* A2, A9: a refused dialogue plants no password for an account that is made later, and changes
 * none. */
static void test_first_administrator_refused_leaves_accounts_as_they_are(void **state)
{
	struct fixture *f = *state;

	set_up_first(f, "sato");
	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "sato", BETTER));
	assert_int_equal(commit_first(f, false), 0);
	assert_true(type_first(f, "suzuki", BETTER));
	assert_int_equal(commit_first(f, false), 0);
	set_up_first(f, "yamada");
	apply(f, users);
	desk_leave(&f->desk, 0);
	sit(f, 0);
	assert_int_equal(login(f, 0, "suzuki", BETTER), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "no password yet");
	assert_int_equal(login(f, 0, "sato", BETTER), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_OK);
}

/* An answer to an accounts that ran before, or to who has gone, saves nobody's password. */
static void test_first_administrator_takes_no_answer_but_its_own(void **state)
{
	struct fixture *f = *state;
	struct control_first_done old;

	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "hayashi", GOOD));
	old = (struct control_first_done){.number = f->first.number, .ok = 1};
	f->time.mono_ns += 1000;
	start_again(f);
	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "suzuki", GOOD));
	assert_int_equal(desk_first_done(&f->desk, &old, &f->answer), DESK_SEATS);
	desk_leave(&f->desk, 0);
	assert_int_equal(commit_first(f, true), DESK_SEATS);
	assert_int_equal(faccessat(f->place.dir, "user.suzuki", F_OK, 0), -1);
	assert_false(is_closed(f));
}

/* C2: the power failed between the commit and the password: the dialogue is there again, and takes
 * the same name. So it does where the password cannot be saved. */
static void test_first_administrator_without_a_password_is_asked_for_again(void **state)
{
	static const char hayashi[] = "login { user hayashi { role administrator; } }";
	struct fixture *f = *state;

	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "hayashi", GOOD));
	apply(f, hayashi);
	start_again(f);
	sit_at_terminal(f, 0);
	apply(f, hayashi);
	assert_int_equal(ask(f, 0, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
	assert_int_equal(f->answer.setup, 1);
	assert_true(type_first(f, "hayashi", GOOD));
	assert_int_equal(mkdirat(f->place.dir, "staged", 0700), 0); /* where accounts are written */
	assert_int_equal(commit_first(f, true), 0);
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_false(is_closed(f));
	assert_int_equal(unlinkat(f->place.dir, "staged", AT_REMOVEDIR), 0);
	assert_true(type_first(f, "hayashi", GOOD));
	assert_int_equal(commit_first(f, true), 0);
	assert_int_equal(login(f, 0, "hayashi", GOOD), ACCOUNT_OK);
}

/* Somebody was given a password at a local socket meanwhile: there is one administrator, not two.
 */
static void test_first_administrator_is_the_only_one(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "hayashi", GOOD));
	sit(f, 1);
	assert_int_equal(ask(f, 1, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_OK);
	assert_int_equal(commit_first(f, true), 0);
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_int_equal(faccessat(f->place.dir, "user.hayashi", F_OK, 0), -1);
	assert_false(type_first(f, "hayashi", GOOD));
}

/* A9: what an earlier life of the name left (a code that nobody has, locks, a temporary password
 * that is over) keeps nobody out. */
static void test_first_administrator_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct account account;

	set_up_first(f, "hayashi");
	account_init(&account, "hayashi");
	assert_int_equal(keep_load(f->place.dir, &account), 0);
	(void)snprintf(account.totp, sizeof(account.totp), "%s",
		       "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
	(void)snprintf(account.hands, sizeof(account.hands), "sato");
	account.totp_used = 1LL << 40;
	account.locks = 3;
	account.locked_until_s = 1800000000LL + 86400;
	assert_int_equal(keep_save(f->place.dir, &account), 0);
	set_up_first(f, "hayashi");
	assert_int_equal(f->told[EVENT_TOTP_REMOVED], 1);
	assert_int_equal(login(f, 0, "hayashi", GOOD), ACCOUNT_OK);
	assert_int_equal(keep_load(f->place.dir, &account), 0);
	assert_string_equal(account.totp, "");
	assert_string_equal(account.hands, "");
	account.temporary = true;
	assert_int_equal(keep_save(f->place.dir, &account), 0);
	account_fini(&account);
	apply(f, "");
	sit_at_terminal(f, 0);
	assert_false(type_first(f, "hayashi", GOOD));
	assert_int_equal(f->answer.status, ACCOUNT_STALE);
}

/* C2: the power failed between the password and the note that consoles are closed: the dialogue is
 * there again, and takes the same. Nobody logs in before it has ended. */
static void test_first_administrator_counts_when_the_doors_are_closed(void **state)
{
	static const char hayashi[] = "login { user hayashi { role administrator; } }";
	struct fixture *f = *state;

	set_up_first(f, "hayashi");
	assert_int_equal(desk_await_first(&f->desk, "hayashi"), 0);
	start_again(f);
	sit_at_terminal(f, 0);
	apply(f, hayashi);
	assert_int_equal(ask(f, 0, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
	assert_int_equal(f->answer.setup, 1);
	assert_int_equal(login(f, 0, "hayashi", GOOD), ACCOUNT_REFUSED);
	assert_true(type_first(f, "hayashi", GOOD));
	assert_int_equal(commit_first(f, true), 0);
	assert_true(is_closed(f));
	assert_int_equal(login(f, 0, "hayashi", GOOD), ACCOUNT_OK);
}

/* C2, A9: the same where the name had an account before, with a code that nobody has: the power
 * failed behind the commit, and what it had does not close the doors. */
static void test_first_administrator_is_not_kept_out_by_an_earlier_account(void **state)
{
	static const char hayashi[] = "login { user hayashi { role administrator; } }";
	struct fixture *f = *state;

	set_up_first(f, "hayashi");
	apply(f, "");
	sit_at_terminal(f, 0);
	assert_true(type_first(f, "hayashi", BETTER));
	start_again(f);
	sit_at_terminal(f, 0);
	apply(f, hayashi);
	assert_int_equal(ask(f, 0, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
	assert_int_equal(f->answer.setup, 1);
	assert_true(type_first(f, "hayashi", BETTER));
	assert_int_equal(commit_first(f, true), 0);
	assert_int_equal(login(f, 0, "hayashi", BETTER), ACCOUNT_OK);
}

/* Doors that are open on the disk beside an administrator with a password close at once; whether
 * the power brings the configuration before back is left to its number. */
static void test_first_administrator_start_closes_the_doors(void **state)
{
	const struct keep_doors open = {0};
	struct fixture *f = *state;

	set_up_first(f, "yamada");
	assert_int_equal(keep_save_doors(f->place.dir, &open), 0);
	start_again(f);
	apply(f, users);
	sit_at_terminal(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_true(is_closed(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_first_administrator_terminal_without_accounts_serves_its_dialogue_only),
		TEST(test_first_administrator_counts_from_the_commit_on),
		TEST(test_first_administrator_without_a_commit_admits_nobody),
		TEST(test_first_administrator_refused_leaves_accounts_as_they_are),
		TEST(test_first_administrator_takes_no_answer_but_its_own),
		TEST(test_first_administrator_without_a_password_is_asked_for_again),
		TEST(test_first_administrator_is_the_only_one),
		TEST(test_first_administrator_begins_anew),
		TEST(test_first_administrator_counts_when_the_doors_are_closed),
		TEST(test_first_administrator_is_not_kept_out_by_an_earlier_account),
		TEST(test_first_administrator_start_closes_the_doors),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

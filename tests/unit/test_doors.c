/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doors: what a power cut, a full disk, a dead process and a damaged file leave of them (A5, C2).
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk_fixture.h"

static const char next[] = "login { user tanaka { role administrator; } }";

/* Whether a terminal asks for the first administrator. */
static bool asks_for_the_first(struct fixture *f)
{
	desk_sit(&f->desk, 1, true);
	assert_int_equal(ask(f, 1, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
	return f->answer.setup != 0;
}

/* Configuration 1 is out of the box, 2 has @users, of whom yamada has a password. */
static void begin(struct fixture *f)
{
	apply(f, "");
	apply(f, users);
	establish(f, "yamada");
	assert_false(asks_for_the_first(f));
}

static void fill_disk(struct fixture *f)
{
	assert_int_equal(mkdirat(f->place.dir, FILE_STAGED, 0700), 0); /* where files are written */
}

static void free_disk(struct fixture *f)
{
	assert_int_equal(unlinkat(f->place.dir, FILE_STAGED, AT_REMOVEDIR), 0);
}

/* The configuration without persons is on the disk; accounts, which was dead, or slow when the
 * power failed, has not heard of it. */
static void test_doors_open_at_a_start_with_the_newest_configuration_without_persons(void **state)
{
	struct fixture *f = *state;

	begin(f);
	start_with(f, "", f->newest + 1);
	assert_true(asks_for_the_first(f));
	tell_policy(f, "", f->newest); /* an edge of a calendar */
	assert_true(asks_for_the_first(f));
	start_with(f, "", f->newest);
	assert_true(asks_for_the_first(f));
}

/* It ran, and was not on the disk when the power failed: whoever was there before logs in. */
static void test_doors_are_closed_where_the_commit_was_undone(void **state)
{
	struct fixture *f = *state;

	begin(f);
	tell_policy(f, "", f->newest + 1);
	assert_true(asks_for_the_first(f));
	start_with(f, users, f->newest);
	assert_false(asks_for_the_first(f));
	assert_int_equal(login(f, 1, "yamada", GOOD), ACCOUNT_OK);
	apply(f, ""); /* under the number of the one that was undone */
	assert_true(asks_for_the_first(f));
}

/* Nothing needs to be written for it. */
static void test_doors_open_with_a_full_disk(void **state)
{
	struct fixture *f = *state;

	begin(f);
	fill_disk(f);
	apply(f, "");
	assert_true(asks_for_the_first(f));
	start_with(f, "", f->newest);
	assert_true(asks_for_the_first(f));
	free_disk(f);
}

/* A configuration that nobody chose, or one of before: files that are gone give nothing. */
static void test_doors_stay_closed_where_configurations_are_lost(void **state)
{
	struct fixture *f = *state;

	begin(f);
	start_with(f, "", 0);
	assert_false(asks_for_the_first(f));
	start_with(f, "", 1);
	assert_false(asks_for_the_first(f));
	start_with(f, users, 2);
	sit(f, 1);
	assert_int_equal(login(f, 1, "yamada", GOOD), ACCOUNT_OK);
}

/* `commit confirmed` of a configuration without persons, and its return, whose file is lost. */
static void test_doors_stay_closed_behind_a_return(void **state)
{
	struct fixture *f = *state;

	begin(f);
	apply(f, "");
	assert_true(asks_for_the_first(f));
	apply(f, users);
	assert_false(asks_for_the_first(f));
	tell_policy(f, users, f->newest); /* its start, or an edge: it is known to be on the disk */
	start_with(f, "", f->newest - 1);
	assert_false(asks_for_the_first(f));
}

/* From a configuration without persons back to one with the person of before, which is not known to
 * be on the disk. */
static void return_unpublished(struct fixture *f)
{
	begin(f);
	apply(f, "");
	tell_policy(f, users, f->newest + 1);
	assert_false(asks_for_the_first(f));
}

/* Where that return never got to the disk, though its person has the password of before: the
 * newest is without persons. */
static void test_doors_open_again_where_the_return_was_undone(void **state)
{
	struct fixture *f = *state;

	return_unpublished(f);
	start_with(f, "", f->newest);
	assert_true(asks_for_the_first(f));
}

/* The same by the supervisor, which brings the policy before back. */
static void test_doors_open_again_behind_a_rollback(void **state)
{
	struct fixture *f = *state;

	return_unpublished(f);
	tell_policy(f, "", f->newest);
	assert_true(asks_for_the_first(f));
}

/* Somebody was in: from then on a file that is missing opens nothing. */
static void test_doors_stay_closed_behind_a_login(void **state)
{
	struct fixture *f = *state;

	return_unpublished(f);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	start_with(f, "", f->newest);
	assert_false(asks_for_the_first(f));
}

/* ---- what was lost of the doors and the accounts */

static void lose(struct fixture *f, const char *name)
{
	assert_int_equal(unlinkat(f->place.dir, name, 0), 0);
}

static bool is_on_disk(struct fixture *f, const char *name)
{
	return faccessat(f->place.dir, name, F_OK, 0) == 0;
}

static void test_doors_that_are_missing_come_back_with_an_administrator(void **state)
{
	struct fixture *f = *state;

	begin(f);
	lose(f, "closed");
	start_with(f, users, f->newest);
	assert_true(is_on_disk(f, "closed"));
	start_with(f, "", 0);
	assert_false(asks_for_the_first(f));
}

/* Closed without configurations and beside accounts; closed without accounts and beside
 * configurations; closed beside those that persons chose and are without persons. */
static void test_doors_that_are_missing_are_not_open(void **state)
{
	struct fixture *f = *state;

	begin(f);
	lose(f, "closed");
	start_with(f, "", 0);
	assert_false(asks_for_the_first(f));
	start_with(f, "", f->newest + 3);
	assert_false(asks_for_the_first(f));
	lose(f, "user.yamada");
	start_with(f, users, 2);
	assert_false(asks_for_the_first(f));
	start_with(f, "", 2);
	assert_false(asks_for_the_first(f));
	assert_false(is_on_disk(f, "closed"));
}

/* A gateway that nobody has used notes it, however often its first start is broken off; from then
 * on persons without a password may be named over an open socket. */
static void test_doors_of_a_gateway_out_of_the_box_are_open(void **state)
{
	struct fixture *f = *state;

	fill_disk(f);
	start_with(f, "", 0);
	assert_true(asks_for_the_first(f));
	start_with(f, "", 0);
	assert_true(asks_for_the_first(f));
	free_disk(f);
	desk_tick(&f->desk);
	assert_true(is_on_disk(f, "closed"));
	apply(f, users);
	start_with(f, users, f->newest);
	assert_true(asks_for_the_first(f));
}

/* Without persons nothing is written, however often the same policy is told. */
static void test_doors_are_not_written_while_nobody_is_named(void **state)
{
	struct fixture *f = *state;

	begin(f);
	apply(f, "");
	lose(f, "closed");
	tell_policy(f, "", f->newest);
	assert_false(is_on_disk(f, "closed"));
}

/* As soon as one has a password of the own choice, whatever the file said. */
static void test_doors_that_were_open_close_behind_an_administrator(void **state)
{
	const struct keep_doors open = {0};
	struct keep_doors doors;
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(keep_save_doors(f->place.dir, &open), 0);
	start_with(f, users, f->newest);
	assert_int_equal(keep_load_doors(f->place.dir, &doors), 0);
	assert_true(doors.closed);
	assert_int_equal(doors.saved, f->newest);
	assert_string_equal(doors.administrators, "yamada ");
}

static void test_doors_that_are_damaged_stay_closed_until_persons_are_there(void **state)
{
	struct fixture *f = *state;
	int fd;

	begin(f);
	fd = openat(f->place.dir, "closed", O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	(void)close(fd);
	start_with(f, "", f->newest + 1);
	assert_false(asks_for_the_first(f));
	start_with(f, users, f->newest + 1);
	apply(f, "");
	assert_true(asks_for_the_first(f));
}

/* ---- an administrator hands over to one without a password */

static void test_doors_hand_over_goes_on_behind_a_power_cut(void **state)
{
	struct fixture *f = *state;
	char temporary[PASSWORD_TEMPORARY_BYTES];

	begin(f);
	establish_by(f, "yamada", "sato");
	apply(f, next);
	start_with(f, next, f->newest);
	assert_false(asks_for_the_first(f));
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_PROMPTS, "", "", ""), ACCOUNT_OK);
	assert_int_equal(f->answer.codes, 1); /* of a person whom the configuration does not name */
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_REFUSED); /* was no administrator */
	assert_int_equal(login(f, 0, "yamada", BETTER), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
	desk_tick(&f->desk);
	assert_false(f->ended[0]);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
	memcpy(temporary, shown_password(f), sizeof(temporary));
	desk_tick(&f->desk);
	assert_true(f->ended[0]);
	sit(f, 0);
	assert_int_equal(login(f, 0, "tanaka", temporary), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "no such account, or not now");
}

/* The power failed between the temporary password and its being read: it can be given again. */
static void test_doors_hand_over_ends_with_a_password_of_the_own_choice(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	apply(f, next);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
	start_with(f, next, f->newest);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	desk_tick(&f->desk);
	assert_false(f->ended[0]);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
}

/* Nor is it written behind the commit: a full disk is no matter. */
static void test_doors_hand_over_needs_no_disk(void **state)
{
	struct fixture *f = *state;

	begin(f);
	fill_disk(f);
	apply(f, next);
	free_disk(f);
	start_with(f, next, f->newest);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
}

/* Only whoever took the own account away. */
static void test_doors_hand_over_is_for_who_committed_it(void **state)
{
	struct fixture *f = *state;

	begin(f);
	establish_by(f, "yamada", "tanaka");
	apply(f, "login { user kato { role administrator; } }");
	sit(f, 0);
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	f->by = ""; /* nobody in particular */
	start_with(f, "login { user kato { role administrator; } }", f->newest);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
}

/* Suspended, of another role or past the last day: what the policy says of a person holds. */
static void test_doors_hand_over_is_not_for_whom_the_policy_knows(void **state)
{
	static const char *const others[] = {
		"role administrator; suspended;",
		"role auditor;",
		"role operator; suspended;",
		"role administrator; expires 2020-01-01;",
	};
	struct fixture *f = *state;
	char text[160];

	begin(f);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "login { user kato { role administrator; } user yamada { %s } }",
			       others[i]);
		apply(f, text);
		start_with(f, text, f->newest);
		sit(f, 0);
		(void)login(f, 0, "yamada", GOOD);
		assert_int_not_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
	}
}

/* Nor for who was no administrator in full right when the role was taken away. */
static void test_doors_hand_over_is_not_for_who_was_suspended_or_over(void **state)
{
	static const char *const before[] = {
		"role administrator; suspended;",
		"role administrator; expires 2027-01-16;", /* tomorrow */
	};
	struct fixture *f = *state;
	char text[160];

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		f->newest = 0;
		begin(f);
		establish_by(f, "yamada", "tanaka");
		(void)snprintf(text, sizeof(text),
			       "login { user yamada { role administrator; } user tanaka { %s } }",
			       before[i]);
		apply(f, text);
		pass(f, 3 * 86400);
		f->by = "tanaka";
		apply(f, "login { user kato { role administrator; } }");
		sit(f, 0);
		assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_REFUSED);
		teardown(state);
		setup(state);
		f = *state;
	}
}

/* Who was replaced does not come back when the account of the successor is lost. */
static void test_doors_hand_over_is_not_made_by_what_was_lost(void **state)
{
	struct fixture *f = *state;

	begin(f);
	establish_by(f, "yamada", "tanaka");
	fill_disk(f);
	apply(f, next);
	free_disk(f);
	assert_int_equal(unlinkat(f->place.dir, "user.tanaka", 0), 0);
	start_with(f, next, f->newest);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_false(asks_for_the_first(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_doors_open_at_a_start_with_the_newest_configuration_without_persons),
		TEST(test_doors_are_closed_where_the_commit_was_undone),
		TEST(test_doors_open_with_a_full_disk),
		TEST(test_doors_stay_closed_where_configurations_are_lost),
		TEST(test_doors_stay_closed_behind_a_return),
		TEST(test_doors_open_again_where_the_return_was_undone),
		TEST(test_doors_open_again_behind_a_rollback),
		TEST(test_doors_stay_closed_behind_a_login),
		TEST(test_doors_that_are_missing_come_back_with_an_administrator),
		TEST(test_doors_that_are_missing_are_not_open),
		TEST(test_doors_of_a_gateway_out_of_the_box_are_open),
		TEST(test_doors_are_not_written_while_nobody_is_named),
		TEST(test_doors_that_were_open_close_behind_an_administrator),
		TEST(test_doors_that_are_damaged_stay_closed_until_persons_are_there),
		TEST(test_doors_hand_over_goes_on_behind_a_power_cut),
		TEST(test_doors_hand_over_ends_with_a_password_of_the_own_choice),
		TEST(test_doors_hand_over_needs_no_disk),
		TEST(test_doors_hand_over_is_for_who_committed_it),
		TEST(test_doors_hand_over_is_not_for_whom_the_policy_knows),
		TEST(test_doors_hand_over_is_not_for_who_was_suspended_or_over),
		TEST(test_doors_hand_over_is_not_made_by_what_was_lost),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seat of a recovery (ADR 318): one password, for one administrator, and nothing else. */
#include "unit.h"

#include "accounts/desk_private.h"
#include "accounts/keep.h"
#include "base/file.h"
#include "desk_fixture.h"

#define TERMINAL 0

static const char two_persons[] =
	"login { two-person; user yamada { role administrator; } user sato { role operator; }"
	" user suzuki { role auditor; } user tanaka { role administrator; } }";
static const char suspended[] =
	"login { user yamada { role administrator; } user sato { role operator; }"
	" user suzuki { role auditor; } user tanaka { role administrator; suspended; } }";
static const char forbidden[] =
	"system { recovery off; }"
	"login { user yamada { role administrator; } user sato { role operator; } }";

static void sit_at_terminal(struct fixture *f)
{
	f->role[TERMINAL] = ACCOUNT_ROLE_NONE;
	f->ended[TERMINAL] = false;
	desk_sit(&f->desk, TERMINAL, true);
}

/* yamada has the password GOOD, and a terminal asks for a login. */
static void begin_with(struct fixture *f, const char *configuration)
{
	apply(f, users);
	establish(f, "yamada");
	desk_leave(&f->desk, 0);
	apply(f, configuration);
	sit_at_terminal(f);
}

static void begin(struct fixture *f, const char *configuration)
{
	begin_with(f, configuration);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_READY);
}

/* The supervisor's word. Return: whether the person who waits reads f->answer. */
static bool hear(struct fixture *f, enum recovery_step step)
{
	const struct control_recovery said = {.step = step, .console = TERMINAL};

	return desk_recovery_go_on(&f->desk, &said, &f->answer);
}

/* A name is typed, and the supervisor allows it where it is asked. */
static enum account_status recover(struct fixture *f, const char *name)
{
	enum account_status status = ask(f, TERMINAL, ACCOUNT_RECOVER, name, "", "");

	if (!desk_recovery_asks(&f->desk, TERMINAL))
		return status;
	assert_int_equal(f->recovery.step, RECOVERY_GIVING);
	assert_string_equal(f->recovery.name, name);
	assert_true(hear(f, RECOVERY_GIVE));
	return f->answer.status;
}

static struct account load(const struct fixture *f, const char *name)
{
	struct account account;

	account_init(&account, name);
	assert_int_equal(keep_load(f->place.dir, &account), 0);
	return account;
}

/* Whether a file of yamada's account has a line of a factor that was lost. */
static bool has_mark(const struct fixture *f)
{
	struct bytes file;
	bool found;

	bytes_init(&file, 1U << 16);
	assert_int_equal(file_read(f->place.dir, "user.yamada", &file), 0);
	found = memmem(file.data, file.size, "\nenrol ", strlen("\nenrol ")) != NULL;
	bytes_fini(&file);
	return found;
}

/* A2: the new password is temporary, the old one is void, and the lock is gone. */
static void test_recovery_gives_a_temporary_password_and_voids_the_old_one(void **state)
{
	struct fixture *f = *state;
	char fresh[PASSWORD_TEMPORARY_BYTES];

	begin(f, users);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_OK);
	(void)snprintf(fresh, sizeof(fresh), "%s", shown_password(f));
	assert_int_equal(f->recovery.step, RECOVERY_GIVEN);
	assert_int_equal(f->told[EVENT_PASSWORD_RESET], 2); /* establish has the first */
	assert_false(has_mark(f));                          /* a firmware of before reads it */
	assert_false(hear(f, RECOVERY_OVER));
	assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(login(f, TERMINAL, "yamada", fresh), ACCOUNT_STALE);
	assert_int_equal(ask(f, TERMINAL, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	assert_int_equal(f->role[TERMINAL], ACCOUNT_ADMINISTRATOR);
}

/* One, once: neither for the same name nor for another. */
static void test_recovery_gives_one_password_once(void **state)
{
	struct fixture *f = *state;

	begin(f, users);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_OK);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
	assert_int_equal(recover(f, "tanaka"), ACCOUNT_REFUSED);
	assert_false(hear(f, RECOVERY_GIVE)); /* nobody has asked */
	assert_int_equal(f->told[EVENT_PASSWORD_RESET], 2);
	(void)hear(f, RECOVERY_OVER);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
}

/* A7: others than administrators in full right get none, and the third wrong name is the last. */
static void test_recovery_refuses_whoever_could_not_log_in_as_administrator(void **state)
{
	struct fixture *f = *state;

	begin(f, suspended);
	assert_int_equal(recover(f, "sato"), ACCOUNT_REFUSED);
	assert_int_equal(recover(f, "tanaka"), ACCOUNT_REFUSED);
	assert_int_equal(f->recovery.step, 0);
	assert_int_equal(recover(f, "nobody-here"), ACCOUNT_REFUSED);
	assert_int_equal(f->recovery.step, RECOVERY_WRONG);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
	assert_false(hear(f, RECOVERY_OVER));
	assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_OK);
}

/* Each other kind of request is refused, and nobody is let in meanwhile. */
static void test_recovery_serves_nothing_else(void **state)
{
	struct fixture *f = *state;

	begin(f, users);
	for (unsigned kind = ACCOUNT_LOGIN; kind < ACCOUNT_KIND_COUNT_; kind++) {
		if (kind == ACCOUNT_LOGOUT || kind == ACCOUNT_ACTIVE || kind == ACCOUNT_RECOVER)
			continue;
		assert_int_equal(ask(f, TERMINAL, (enum account_kind)kind, "yamada", GOOD, BETTER),
				 ACCOUNT_REFUSED);
		assert_int_equal(f->desk.seats[TERMINAL].state, SEAT_RECOVERY);
	}
	assert_int_equal(f->role[TERMINAL], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, TERMINAL, ACCOUNT_LOGOUT, "", "", ""), ACCOUNT_OK);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
}

static void test_recovery_begins_at_a_terminal_that_asks_for_a_login_only(void **state)
{
	struct fixture *f = *state;

	begin_with(f, users);
	sit(f, 1); /* a local socket */
	assert_int_equal(desk_recovery_begin(&f->desk, 1), RECOVERY_REFUSED);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
	assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_REFUSED);
	desk_leave(&f->desk, TERMINAL);
	apply(f, forbidden);
	sit_at_terminal(f);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_REFUSED);
}

/* A9: whoever had a second factor shows a new one before anything else, required or not. */
static void test_recovery_takes_the_second_factor_and_asks_for_a_new_one(void **state)
{
	char fresh[PASSWORD_TEMPORARY_BYTES];
	struct fixture *f = *state;
	struct account account;

	begin_with(f, users);
	account = load(f, "yamada");
	assert_int_equal(totp_secret(account.totp), 0);
	assert_int_equal(keep_save(f->place.dir, &account), 0);
	account_fini(&account);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_READY);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_OK);
	(void)snprintf(fresh, sizeof(fresh), "%s", shown_password(f));
	assert_int_equal(f->told[EVENT_TOTP_REMOVED], 1);
	assert_false(hear(f, RECOVERY_OVER));
	assert_int_equal(login(f, TERMINAL, "yamada", fresh), ACCOUNT_STALE);
	assert_int_equal(ask(f, TERMINAL, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_ENROL);
	assert_int_equal(f->role[TERMINAL], ACCOUNT_ROLE_NONE);
	account = load(f, "yamada");
	assert_true(account.totp[0] == '\0' && account.enrol && has_mark(f));
	account_fini(&account);
}

/* C1: nobody knows whose hands the password went through, so that one person is not two. */
static void test_recovery_makes_nobody_a_second_person(void **state)
{
	struct fixture *f = *state;
	struct account account;

	begin(f, two_persons);
	assert_int_equal(recover(f, "yamada"), ACCOUNT_OK);
	account = load(f, "yamada");
	assert_string_equal(account.hands, "*");
	account_fini(&account);
}

/* Nothing is changed where it cannot be recorded (L1), or the supervisor ends it first. */
static void test_recovery_changes_nothing_before_the_supervisor_says_so(void **state)
{
	static const enum recovery_step instead[] = {RECOVERY_REFUSED, RECOVERY_OVER};
	struct fixture *f = *state;

	begin_with(f, users);
	f->told[EVENT_PASSWORD_RESET] = 0;
	for (size_t i = 0; i < 2; i++) {
		sit_at_terminal(f);
		assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_READY);
		assert_int_equal(ask(f, TERMINAL, ACCOUNT_RECOVER, "yamada", "", ""), ACCOUNT_OK);
		assert_string_equal(f->answer.text, "");
		assert_true(desk_recovery_asks(&f->desk, TERMINAL));
		assert_true(hear(f, instead[i]));
		assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
		assert_false(hear(f, RECOVERY_GIVE)); /* too late */
		assert_int_equal(f->recovery.step, RECOVERY_REFUSED);
		assert_false(hear(f, RECOVERY_OVER));
		assert_int_equal(f->told[EVENT_PASSWORD_RESET], 0);
		assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_OK);
		desk_leave(&f->desk, TERMINAL);
	}
}

/* One of a console that has ended is nobody's. */
static void test_recovery_gives_nothing_to_the_next_console(void **state)
{
	struct fixture *f = *state;

	begin(f, users);
	assert_int_equal(ask(f, TERMINAL, ACCOUNT_RECOVER, "yamada", "", ""), ACCOUNT_OK);
	desk_leave(&f->desk, TERMINAL);
	sit_at_terminal(f);
	assert_false(hear(f, RECOVERY_GIVE));
	assert_int_equal(f->recovery.step, RECOVERY_REFUSED);
	assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_OK);
}

/* The disk is full, or gone: the person reads it, the supervisor hears it. */
static void test_recovery_says_where_a_password_cannot_be_saved(void **state)
{
	struct fixture *f = *state;
	int directory;

	begin(f, users);
	directory = f->desk.directory;
	assert_int_equal(ask(f, TERMINAL, ACCOUNT_RECOVER, "yamada", "", ""), ACCOUNT_OK);
	f->desk.directory = -1;
	assert_true(hear(f, RECOVERY_GIVE));
	f->desk.directory = directory;
	assert_int_equal(f->answer.status, ACCOUNT_REFUSED);
	assert_int_equal(f->recovery.step, RECOVERY_REFUSED);
	assert_int_equal(f->told[EVENT_PASSWORD_RESET], 1); /* establish has it */
	assert_int_equal(recover(f, "yamada"), ACCOUNT_OK);
}

static void test_recovery_that_cannot_be_asked_for_changes_nothing(void **state)
{
	struct fixture *f = *state;

	begin(f, users);
	f->deaf = true;
	assert_int_equal(recover(f, "yamada"), ACCOUNT_REFUSED);
	f->deaf = false;
	assert_false(hear(f, RECOVERY_OVER));
	assert_int_equal(login(f, TERMINAL, "yamada", GOOD), ACCOUNT_OK);
}

/* Configurations are lost, doors are closed: a login that nobody passes becomes the dialogue. */
static void test_recovery_without_administrators_leads_to_the_first_one(void **state)
{
	struct fixture *f = *state;

	begin_with(f, users);
	desk_leave(&f->desk, TERMINAL);
	start_with(f, "", 0);
	sit_at_terminal(f);
	assert_int_equal(f->desk.seats[TERMINAL].state, SEAT_CLOSED);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_GIVING);
	assert_false(hear(f, RECOVERY_OVER));
	assert_false(hear(f, RECOVERY_GIVE)); /* it was over */
	assert_int_equal(f->recovery.step, RECOVERY_REFUSED);
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_GIVING);
	desk_leave(&f->desk, TERMINAL);
	start_with(f, "", 0);
	sit_at_terminal(f);
	assert_int_equal(f->desk.seats[TERMINAL].state, SEAT_CLOSED); /* not yet */
	assert_int_equal(desk_recovery_begin(&f->desk, TERMINAL), RECOVERY_GIVING);
	assert_false(hear(f, RECOVERY_GIVE));
	assert_int_equal(f->recovery.step, RECOVERY_GIVEN);
	desk_leave(&f->desk, TERMINAL);
	start_with(f, "", 0);
	sit_at_terminal(f);
	assert_int_equal(f->desk.seats[TERMINAL].state, SEAT_SETUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_recovery_gives_a_temporary_password_and_voids_the_old_one),
		TEST(test_recovery_gives_one_password_once),
		TEST(test_recovery_refuses_whoever_could_not_log_in_as_administrator),
		TEST(test_recovery_serves_nothing_else),
		TEST(test_recovery_begins_at_a_terminal_that_asks_for_a_login_only),
		TEST(test_recovery_takes_the_second_factor_and_asks_for_a_new_one),
		TEST(test_recovery_makes_nobody_a_second_person),
		TEST(test_recovery_changes_nothing_before_the_supervisor_says_so),
		TEST(test_recovery_gives_nothing_to_the_next_console),
		TEST(test_recovery_says_where_a_password_cannot_be_saved),
		TEST(test_recovery_that_cannot_be_asked_for_changes_nothing),
		TEST(test_recovery_without_administrators_leads_to_the_first_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

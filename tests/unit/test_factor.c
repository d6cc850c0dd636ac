/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second factor (A9): enrolled by a code, needed at each login, no code twice, removed by
 * another. */
#include "unit.h"

#include "desk_fixture.h"

/* The secret that the last answer shows. */
static const char *shown_secret(const struct fixture *f)
{
	static char secret[TOTP_SECRET_BYTES];
	const char *at = strstr(f->answer.text, "secret: ");

	assert_non_null(at);
	memcpy(secret, at + strlen("secret: "), sizeof(secret) - 1);
	return secret;
}

/* The code of now, or of some steps later. */
static const char *code_of(const struct fixture *f, const char *secret, int steps)
{
	static char code[TOTP_DIGITS + 1];
	uint8_t key[TOTP_KEY_BYTES];
	int64_t step = f->time.wall_ns / 1000000000 / TOTP_STEP_S + steps;

	assert_true(totp_key(secret, key));
	(void)snprintf(code, sizeof(code), "%06u", totp_code(key, (uint64_t)step));
	return code;
}

static enum account_status login_with(struct fixture *f, uint32_t console, const char *name,
				      const char *secret, const char *code)
{
	return ask(f, console, ACCOUNT_LOGIN, name, secret, code);
}

/* yamada and tanaka have passwords; yamada has a second factor, and console 0 is closed. */
static void establish_factor(struct fixture *f, char secret[TOTP_SECRET_BYTES])
{
	establish(f, "yamada");
	establish(f, "tanaka");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), TOTP_SECRET_BYTES);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	sit(f, 0);
}

static bool asks_for_codes(struct fixture *f, uint32_t console)
{
	assert_int_equal(ask(f, console, ACCOUNT_PROMPTS, "", "", ""), ACCOUNT_OK);
	return f->answer.codes != 0;
}

static void test_factor_second_factor_is_in_force_from_its_first_code_on(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "nobody-here", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "sato", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", "", ""), ACCOUNT_ENROL);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 2), ""),
			 ACCOUNT_ENROL);
	assert_false(asks_for_codes(f, 0));
	sit(f, 0); /* nothing is kept of one that was not completed */
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 0);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 1);
	assert_true(asks_for_codes(f, 0));
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "wrong code");
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 1)), ACCOUNT_OK);
}

static void test_factor_accepts_no_code_twice_nor_after_the_clock_went_back(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES], code[TOTP_DIGITS + 1];

	apply(f, users);
	establish_factor(f, secret);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
	pass(f, 300);
	memcpy(code, code_of(f, secret, 0), sizeof(code));
	assert_int_equal(login_with(f, 0, "yamada", "wrong", code), ACCOUNT_REFUSED);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code), ACCOUNT_REFUSED);
	f->time.wall_ns -= 60 * 1000000000LL;
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
}

/* A3: the same words for a wrong password, a wrong code and both; each counts as a failure. */
static void test_factor_wrong_codes_lock_the_account_and_tell_nothing(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES], text[ACCOUNT_TEXT_BYTES];

	apply(f, users);
	establish_factor(f, secret);
	pass(f, 60);
	assert_int_equal(login_with(f, 0, "yamada", "wrong", code_of(f, secret, 0)),
			 ACCOUNT_REFUSED);
	memcpy(text, f->answer.text, sizeof(text));
	assert_int_equal(login_with(f, 0, "yamada", GOOD, "000000x"), ACCOUNT_REFUSED);
	assert_memory_equal(f->answer.text, text, sizeof(text));
	assert_int_equal(login_with(f, 0, "nobody-here", GOOD, "1"), ACCOUNT_REFUSED);
	assert_memory_equal(f->answer.text, text, sizeof(text));
	assert_int_equal(login_with(f, 0, "yamada", "wrong", ""), ACCOUNT_REFUSED);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "account locked");
	assert_memory_equal(f->answer.text, text, sizeof(text));
	pass(f, 601);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_OK);
}

static void test_factor_second_factor_is_removed_by_another_administrator(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish_factor(f, secret);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 1)), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_non_null(strstr(f->answer.text, "another administrator"));
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "tanaka", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_OK);
	assert_int_equal(f->told[EVENT_TOTP_REMOVED], 1);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
}

/* Where it is required nobody comes in without, and nobody is locked out: the login enrols it. */
static void test_factor_required_second_factor_is_enrolled_at_the_login(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	apply(f, "login { totp required; user yamada { role administrator; } }");
	assert_true(asks_for_codes(f, 0));
	assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 0, ACCOUNT_SHOW, "", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", "1", ""), ACCOUNT_ENROL);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	pass(f, DESK_LOGIN_S + 1);
	assert_true(f->ended[0]);
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
}

/* Of two who were shown a secret, the first code decides; who only knows the password is out. */
static void test_factor_second_factor_is_not_replaced_by_an_older_offer(void **state)
{
	struct fixture *f = *state;
	char owners[TOTP_SECRET_BYTES], strangers[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	apply(f, "login { totp required; user yamada { role administrator; } }");
	sit(f, 1);
	assert_int_equal(login(f, 1, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(strangers, shown_secret(f), sizeof(strangers));
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(owners, shown_secret(f), sizeof(owners));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, owners, 0), ""), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(ask(f, 1, ACCOUNT_FIRST_CODE, "", code_of(f, strangers, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 1);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, owners, 1)), ACCOUNT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_factor_second_factor_is_in_force_from_its_first_code_on),
		TEST(test_factor_accepts_no_code_twice_nor_after_the_clock_went_back),
		TEST(test_factor_wrong_codes_lock_the_account_and_tell_nothing),
		TEST(test_factor_second_factor_is_removed_by_another_administrator),
		TEST(test_factor_required_second_factor_is_enrolled_at_the_login),
		TEST(test_factor_second_factor_is_not_replaced_by_an_older_offer),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

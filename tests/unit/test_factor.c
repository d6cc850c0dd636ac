/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second factor (A9): enrolled by a code, needed at each login, no code twice, removed by
 * another. */
#include "unit.h"

#include "accounts/staff.h"
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

#define SCREENS                                                                                    \
	"zone inside { tier business; port eth1; address 10.20.0.1/24; }"                          \
	"zone outside { tier outside; port eth2; address 203.0.113.1/28; }"                        \
	"screen web { from inside; to outside; listen 5900; desktop 203.0.113.5:5900;"             \
	" security x509-plain; tls { certificate screen; } group staff; }"                         \
	"screen-user suzuki { group staff; }"
#define STAFF "login { user yamada { role administrator; } }" SCREENS

static bool see_screen(struct fixture *f, const char *name, const char *secret, const char *code)
{
	struct control_screen_ask ask = {.session = 7, .peer_family = 4};

	(void)snprintf(ask.entry, sizeof(ask.entry), "web");
	(void)snprintf(ask.name, sizeof(ask.name), "%s", name);
	(void)snprintf(ask.secret, sizeof(ask.secret), "%s%s", secret, code);
	return staff_judge(&f->desk, &ask);
}

/* A policy that screens are judged by until the test ends. */
static void apply_for_screens(struct fixture *f, struct policy_fixture *policy, const char *text)
{
	const struct control_policy none = {.untouched = 1};

	policy_fixture_init(policy, text);
	desk_policy(&f->desk, &policy->snapshot, &none);
	f->desk.policy = &policy->snapshot;
}

/* A viewer has no way to enrol: who has no second factor where it is required sees no screen. */
static void test_factor_required_of_screen_users_too(void **state)
{
	struct fixture *f = *state;
	struct policy_fixture optional, required;
	char secret[TOTP_SECRET_BYTES], password[PASSWORD_TEMPORARY_BYTES];

	apply_for_screens(f, &optional, STAFF);
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_SCREEN_RESET, "suzuki", "", ""), ACCOUNT_OK);
	memcpy(password, shown_password(f), sizeof(password));
	assert_true(see_screen(f, "suzuki", password, ""));
	apply_for_screens(f, &required,
			  "login { totp required; user yamada { role administrator; } }" SCREENS);
	assert_false(see_screen(f, "suzuki", password, ""));
	assert_string_equal(f->reason, "no second factor yet");
	assert_int_equal(ask(f, 0, ACCOUNT_SCREEN_TOTP, "suzuki", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	assert_false(see_screen(f, "suzuki", password, code_of(f, secret, 0)));
	assert_string_equal(f->reason, "wrong code"); /* that one is used */
	assert_true(see_screen(f, "suzuki", password, code_of(f, secret, 1)));
	policy_fixture_fini(&required);
	policy_fixture_fini(&optional);
}

/* A1: a screen's password is as old as the desk has seen it, too. */
static void test_factor_screen_password_is_not_made_young_by_a_clock_set_back(void **state)
{
	struct fixture *f = *state;
	struct policy_fixture policy;
	char password[PASSWORD_TEMPORARY_BYTES];

	apply_for_screens(f, &policy, STAFF);
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_SCREEN_RESET, "suzuki", "", ""), ACCOUNT_OK);
	memcpy(password, shown_password(f), sizeof(password));
	pass(f, 31 * 86400);
	f->time.wall_ns -= 31LL * 86400 * 1000000000;
	assert_false(see_screen(f, "suzuki", password, ""));
	assert_string_equal(f->reason, "password too old");
	policy_fixture_fini(&policy);
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
		TEST(test_factor_required_of_screen_users_too),
		TEST(test_factor_screen_password_is_not_made_young_by_a_clock_set_back),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

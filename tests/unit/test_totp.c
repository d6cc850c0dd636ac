/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Codes of authenticator apps (A9) against the vectors of their RFCs. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "accounts/totp.h"

/* "12345678901234567890", the key of both RFCs' examples, in base32. */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void test_totp_key_is_base32(void **state)
{
	uint8_t key[TOTP_KEY_BYTES];

	assert_true(totp_key(SECRET, key));
	assert_memory_equal(key, "12345678901234567890", sizeof(key));
	assert_false(totp_key("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ", key));
	assert_false(totp_key("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQG", key));
	assert_false(totp_key("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", key));
	assert_false(totp_key("", key));
}

/* RFC 4226 appendix D. */
static void test_totp_code_is_that_of_rfc_4226(void **state)
{
	static const uint32_t codes[] = {755224, 287082, 359152, 969429, 338314,
					 254676, 287922, 162583, 399871, 520489};
	uint8_t key[TOTP_KEY_BYTES];

	assert_true(totp_key(SECRET, key));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(totp_code(key, i), codes[i]);
}

/* RFC 6238 appendix B, the last six of its eight digits. */
static void test_totp_match_is_that_of_rfc_6238(void **state)
{
	static const struct {
		int64_t now_s;
		const char *code;
	} cases[] = {
		{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
		{1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(totp_match(SECRET, cases[i].code, cases[i].now_s, 0),
				 cases[i].now_s / TOTP_STEP_S);
}

static void test_totp_takes_one_step_more_or_less_and_none_twice(void **state)
{
	static const char code[] = "050471"; /* of the step of 1111111111 */
	const int64_t step = 1111111111 / TOTP_STEP_S, begin_s = step * TOTP_STEP_S;

	assert_int_equal(totp_match(SECRET, code, begin_s - 31, 0), 0);
	assert_int_equal(totp_match(SECRET, code, begin_s - 30, 0), step);
	assert_int_equal(totp_match(SECRET, code, begin_s + 59, 0), step);
	assert_int_equal(totp_match(SECRET, code, begin_s + 60, 0), 0);
	assert_int_equal(totp_match(SECRET, code, begin_s, step - 1), step);
	assert_int_equal(totp_match(SECRET, code, begin_s, step), 0);
	assert_int_equal(totp_match(SECRET, code, begin_s, step + 5), 0);
}

static void test_totp_refuses_what_is_no_code(void **state)
{
	static const char *const typed[] = {"", "50471", "0050471", "05047l", "+50471", " 50471"};

	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		assert_int_equal(totp_match(SECRET, typed[i], 1111111111, 0), 0);
	assert_int_equal(totp_match("", "050471", 1111111111, 0), 0);
}

static void test_totp_secrets_are_new_each_time(void **state)
{
	char one[TOTP_SECRET_BYTES], two[TOTP_SECRET_BYTES];
	uint8_t key[TOTP_KEY_BYTES];

	assert_int_equal(totp_secret(one), 0);
	assert_int_equal(totp_secret(two), 0);
	assert_true(totp_key(one, key));
	assert_string_not_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totp_key_is_base32),
		cmocka_unit_test(test_totp_code_is_that_of_rfc_4226),
		cmocka_unit_test(test_totp_match_is_that_of_rfc_6238),
		cmocka_unit_test(test_totp_takes_one_step_more_or_less_and_none_twice),
		cmocka_unit_test(test_totp_refuses_what_is_no_code),
		cmocka_unit_test(test_totp_secrets_are_new_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

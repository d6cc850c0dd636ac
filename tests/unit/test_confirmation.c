/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password that is typed once more, for what cannot be undone (L5, ADR 609). */
#include "unit.h"

#include "desk_fixture.h"

/* L5: what cannot be undone takes the password once more, at a terminal; guesses count and lock. */
static void test_desk_confirms_a_password_at_a_terminal_only(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_CONFIRM, "", GOOD, ""), ACCOUNT_REFUSED); /* nobody */
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	f->desk.seats[0].terminal = false;
	assert_int_equal(ask(f, 0, ACCOUNT_CONFIRM, "", GOOD, ""), ACCOUNT_REFUSED);
	f->desk.seats[0].terminal = true;
	assert_int_equal(ask(f, 0, ACCOUNT_CONFIRM, "", BETTER, ""), ACCOUNT_REFUSED);
	assert_int_equal(f->confirmed[0], 0);
	assert_int_equal(ask(f, 0, ACCOUNT_CONFIRM, "", GOOD, ""), ACCOUNT_OK);
	assert_int_equal(f->confirmed[0], 1);
	for (unsigned i = 0; i < 3; i++)
		(void)ask(f, 0, ACCOUNT_CONFIRM, "", BETTER, "");
	assert_true(f->ended[0]);
	assert_int_equal(ask(f, 0, ACCOUNT_CONFIRM, "", GOOD, ""), ACCOUNT_REFUSED);
	assert_int_equal(f->confirmed[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_desk_confirms_a_password_at_a_terminal_only,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("confirmation", tests, NULL, NULL);
}

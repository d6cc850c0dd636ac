/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of packet queues. */
#include "netfilter/queue_losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"

static void test_queue_losses_are_of_all_queues(void **state)
{
	struct queue_losses got = {0};

	assert_int_equal(queue_losses_parse(&got,
					    "    1  41230     7 2   256    12     3     99  1\n"
					    "   64  41231     0 2 16896     5     0      4  1\n"),
			 0);
	assert_int_equal(got.full, 17);
	assert_int_equal(got.unread, 3);
	assert_int_equal(queue_losses_parse(&got, ""), 0);
	assert_int_equal(got.full + got.unread, 0);
}

static void test_queue_losses_keep_what_was_known_where_the_table_is_cut(void **state)
{
	static const char *const broken[] = {"    1  41230     7 2   256    12     3     99  1",
					     "    1  41230     7 2\n", "queue\n", "\n"};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct queue_losses got = {.full = 4, .unread = 2};

		assert_int_equal(queue_losses_parse(&got, broken[i]), -ERR_SYNTAX);
		assert_int_equal(got.full, 4);
		assert_int_equal(got.unread, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_losses_are_of_all_queues),
		cmocka_unit_test(test_queue_losses_keep_what_was_known_where_the_table_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

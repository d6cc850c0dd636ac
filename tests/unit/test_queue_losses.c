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
}

static void test_queue_losses_are_added_up_over_looks_and_readers(void **state)
{
	struct queue_losses got = {0};

	assert_int_equal(
		queue_losses_parse(&got, "1 500 0 2 256 12 3 99 1\n2 501 0 2 256 1 0 9 1\n"), 0);
	assert_int_equal(
		queue_losses_parse(&got, "1 500 0 2 256 13 3 99 1\n2 501 0 2 256 1 0 9 1\n"), 0);
	assert_int_equal(got.full, 14);
	assert_int_equal(got.unread, 3);
	/* A reader that died took its counts with it; the next one's begin at zero. */
	assert_int_equal(queue_losses_parse(&got, "1 500 0 2 256 13 3 99 1\n"), 0);
	assert_int_equal(got.full, 14);
	assert_int_equal(
		queue_losses_parse(&got, "1 500 0 2 256 13 3 99 1\n2 600 0 2 256 4 2 9 1\n"), 0);
	assert_int_equal(got.full, 18);
	assert_int_equal(got.unread, 5);
}

static void test_queue_losses_go_round_with_the_kernels_counts(void **state)
{
	struct queue_losses got = {0};

	assert_int_equal(queue_losses_parse(&got, "1 500 0 2 256 2147484000 3 99 1\n"), 0);
	assert_int_equal(queue_losses_parse(&got, "1 500 0 2 256 4294967290 3 99 1\n"), 0);
	assert_int_equal(got.full, 4294967290ULL);
	assert_int_equal(queue_losses_parse(&got, "1 500 0 2 256 4 3 99 1\n"), 0);
	assert_int_equal(got.full, 4294967300ULL);
	assert_int_equal(got.unread, 3);
}

static void test_queue_losses_begin_anew_where_a_reader_has_the_number_of_one_before(void **state)
{
	struct queue_losses got = {0};

	assert_int_equal(queue_losses_parse(&got, "2 500 0 2 256 12 3 99 1\n"), 0);
	assert_int_equal(queue_losses_parse(&got, "2 500 0 2 256 0 0 0 1\n"), 0);
	assert_int_equal(got.full, 12);
	assert_int_equal(got.unread, 3);
	assert_int_equal(queue_losses_parse(&got, "2 500 0 2 256 1 0 7 1\n"), 0);
	assert_int_equal(got.full, 13);
	/* It lost more already than the one before: its packets' numbers are lower. */
	assert_int_equal(queue_losses_parse(&got, "2 500 0 2 256 5 4 3 1\n"), 0);
	assert_int_equal(got.full, 18);
	assert_int_equal(got.unread, 7);
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
		cmocka_unit_test(test_queue_losses_are_added_up_over_looks_and_readers),
		cmocka_unit_test(test_queue_losses_go_round_with_the_kernels_counts),
		cmocka_unit_test(
			test_queue_losses_begin_anew_where_a_reader_has_the_number_of_one_before),
		cmocka_unit_test(test_queue_losses_keep_what_was_known_where_the_table_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

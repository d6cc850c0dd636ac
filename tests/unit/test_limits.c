/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a permit's limits, in simulated time and over a change of policy (Z14). */
#include "unit.h"

#include <string.h>

#include "netfilter/limits.h"

enum { PERMITS = 4, NOW_MS = 5000000 };

static struct snapshot_zone zones[2] = {{.name = "a"}, {.name = "b"}};
static struct snapshot_permit permits[PERMITS];
static const struct snapshot policy = {
	.zones = zones, .zone_count = 2, .permits = permits, .permit_count = PERMITS};
static struct limits limits;

static int setup(void **state)
{
	memset(permits, 0, sizeof(permits));
	for (uint32_t i = 0; i < PERMITS; i++)
		permits[i] = (struct snapshot_permit){.number = 10 * (i + 1), .to = 1};
	permits[1].rate = 5;
	permits[1].rate_period_s = 60;
	permits[3].connections = 3;
	assert_int_equal(limits_init(&limits, &policy, true, NOW_MS), 0);
	return 0;
}

static int teardown(void **state)
{
	limits_fini(&limits);
	return 0;
}

/* How many flows may begin now. */
static unsigned take_all(struct limit *limit, uint64_t now_ms)
{
	unsigned count = 0;

	while (count < 1000 && limit_has_credit(limit, now_ms)) {
		limit_take(limit);
		count++;
	}
	return count;
}

static void test_limits_belong_to_permits_that_have_them(void **state)
{
	assert_null(limits_of(&limits, 0));
	assert_null(limits_of(&limits, 2));
	assert_null(limits_of(&limits, PERMITS));
	assert_null(limits_of(&limits, UINT32_MAX));
	assert_int_equal(limits_of(&limits, 1)->rate, 5);
	assert_int_equal(limits_of(&limits, 3)->connections, 3);
	assert_ptr_equal(limits_find(&limits, "a", "b", 40), limits_of(&limits, 3));
	assert_null(limits_find(&limits, "b", "a", 40));
	assert_null(limits_find(&limits, "a", "b", 10));
	assert_false(limits_of(&limits, 3)->counted);
}

static void test_limits_rate_gives_a_period_and_then_its_pace(void **state)
{
	struct limit *limit = limits_of(&limits, 1);

	assert_int_equal(take_all(limit, NOW_MS), 5);
	assert_int_equal(take_all(limit, NOW_MS + 11999), 0);
	assert_int_equal(take_all(limit, NOW_MS + 12000), 1);
	assert_int_equal(take_all(limit, NOW_MS + 35999), 1);
	assert_int_equal(take_all(limit, NOW_MS + 36000), 1);    /* parts of a flow are not lost */
	assert_int_equal(take_all(limit, NOW_MS + 10000000), 5); /* nor saved up */
}

static void test_limits_rate_begins_at_none_in_another_life(void **state)
{
	limits_fini(&limits);
	assert_int_equal(limits_init(&limits, &policy, false, NOW_MS), 0);
	assert_int_equal(take_all(limits_of(&limits, 1), NOW_MS), 0);
	assert_int_equal(take_all(limits_of(&limits, 1), NOW_MS + 24000), 2);
}

static void test_limits_rate_is_carried_over_a_change_of_policy(void **state)
{
	struct limits next;

	assert_int_equal(take_all(limits_of(&limits, 1), NOW_MS), 5);
	permits[0].rate = 2; /* new */
	permits[0].rate_period_s = 1;
	permits[1].rate = 10;
	assert_int_equal(limits_init(&next, &policy, true, NOW_MS + 6000), 0);
	limits_carry(&next, &limits);
	assert_int_equal(take_all(limits_of(&next, 0), NOW_MS + 6000), 2);
	assert_int_equal(take_all(limits_of(&next, 1), NOW_MS + 6000), 1); /* 6 s at 10 a minute */
	limits_fini(&limits);
	limits = next;
	permits[1].rate = 1;
	permits[1].rate_period_s = 1;
	assert_int_equal(limits_init(&next, &policy, true, NOW_MS + 6000), 0);
	limits_carry(&next, &limits);
	assert_int_equal(take_all(limits_of(&next, 1), NOW_MS + 6000), 0);
	assert_int_equal(take_all(limits_of(&next, 1), NOW_MS + 7000), 1);
	limits_fini(&next);
}

static void test_limits_connections_have_no_rate(void **state)
{
	struct limit *limit = limits_of(&limits, 3);

	assert_int_equal(take_all(limit, NOW_MS), 1000);
	assert_int_equal(limit->used, 1000);
	assert_int_equal(limit->unsent, 1000);
	limit_join(limit);
	assert_int_equal(limit->used, 1001);
	limit->used = UINT32_MAX;
	limit_join(limit);
	assert_int_equal(limit->used, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_limits_belong_to_permits_that_have_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_limits_rate_gives_a_period_and_then_its_pace,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_rate_begins_at_none_in_another_life,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_rate_is_carried_over_a_change_of_policy,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_connections_have_no_rate, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

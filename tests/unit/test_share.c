/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A share of the packets: by what it judges is said by the first process alone. */
#include "netfilter/shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netfilter/netfilter.h"

enum { RUNNING = 5, PREPARED = 7, GENERATION = 41 };

static struct netfilter nf;
static struct channel first;

/* What main.c has in the process. */
uint64_t netfilter_now_ms(void)
{
	return 1000;
}

int64_t netfilter_wall_s(void)
{
	return 0;
}

int64_t netfilter_wall_us(void)
{
	return 0;
}

/* A share that judges by RUNNING. */
static int begin(void **state)
{
	int fds[2];

	nf = (struct netfilter){.share = 1, .link = {.fd = -1}, .first = {.link = {.fd = -1}}};
	nf.running.epoch = RUNNING;
	loop_init(&nf.loop, &clock_system, nf.polls, nf.fds, NETFILTER_FDS);
	if (channel_pair(fds) != 0)
		return -1;
	channel_init(&first, fds[0], NULL, 0, NULL);
	share_take_link(&nf, fds[1]);
	nf.generation = GENERATION;
	return 0;
}

static int end(void **state)
{
	channel_fini(&first);
	channel_fini(&nf.first.link);
	return 0;
}

static void turn(uint64_t epoch, uint32_t generation)
{
	const struct share_turn told = {.epoch = epoch, .generation = generation};

	assert_int_equal(channel_send(&first, SHARE_TURN, &told, sizeof(told), NULL, 0), 0);
	nf.first.link_fd.ready(&nf.loop, &nf.first.link_fd, POLLIN);
}

static void test_share_turns_to_a_generation_of_its_policy(void **state)
{
	turn(RUNNING, GENERATION + 1);
	assert_int_equal(nf.generation, GENERATION + 1);
	assert_true(share_may_judge(&nf));
	assert_false(nf.loop.stopping);
}

static void test_share_judges_by_none_where_it_has_not_got_the_policy(void **state)
{
	nf.next.epoch = PREPARED;
	turn(PREPARED - 1, GENERATION + 1);
	assert_int_equal(nf.generation, 0);
	assert_false(share_may_judge(&nf));
	assert_false(nf.loop.stopping); /* what it has prepared may still come into force */
	nf.next.epoch = 0;
	turn(RUNNING - 1, GENERATION + 1);
	assert_int_equal(nf.generation, 0);
	assert_false(nf.loop.stopping); /* begun with what the first process takes just now */
}

/* A commit was prepared over the one that came into force, and given up. */
static void test_share_begins_anew_where_it_has_lost_the_policy(void **state)
{
	turn(RUNNING + 1, GENERATION + 1);
	assert_false(share_may_judge(&nf));
	assert_true(nf.loop.stopping);
}

/* Where it was kept from running, the first process has spoken and nobody has listened. */
static void test_share_hears_the_first_process_before_its_beat_judges(void **state)
{
	nf.first.heard_ms = 0;
	assert_false(share_may_judge(&nf));
	assert_int_equal(channel_send(&first, SHARE_BEAT, NULL, 0, NULL, 0), 0);
	relay_hear(&nf);
	assert_true(share_may_judge(&nf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_share_turns_to_a_generation_of_its_policy,
						begin, end),
		cmocka_unit_test_setup_teardown(
			test_share_judges_by_none_where_it_has_not_got_the_policy, begin, end),
		cmocka_unit_test_setup_teardown(test_share_begins_anew_where_it_has_lost_the_policy,
						begin, end),
		cmocka_unit_test_setup_teardown(
			test_share_hears_the_first_process_before_its_beat_judges, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buckets by source: bursts, refilling, who shares one, and who is forgotten. */
#include "unit.h"

#include "supervisor/sessions/rates.h"

static struct rates rates;
static const uint8_t first[16] = {192, 0, 2, 1}, second[16] = {192, 0, 2, 2};

static int setup(void **state)
{
	rates = (struct rates){0};
	return 0;
}

static unsigned taken(const struct rate_key *key, enum rate_kind kind, uint32_t limit,
		      uint64_t now_ms, unsigned tries)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++)
		count += rates_take(&rates, key, kind, limit, now_ms);
	return count;
}

static void test_rates_let_a_burst_pass_and_refill_evenly(void **state)
{
	struct rate_key key = rate_key_of("inbound", 4, first);

	assert_int_equal(taken(&key, RATE_MAILS, 60, 1000, 100), 60);
	assert_int_equal(taken(&key, RATE_MAILS, 60, 1999, 10), 0);
	assert_int_equal(taken(&key, RATE_MAILS, 60, 2000, 10), 1);
	assert_int_equal(taken(&key, RATE_MAILS, 60, 12000, 100), 10);
	assert_int_equal(taken(&key, RATE_MAILS, 60, 900000, 100), 60);
}

static unsigned taken_of_all(const char *entry, enum rate_kind kind, uint32_t limit,
			     uint64_t now_ms, unsigned tries)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++)
		count += rates_take_total(&rates, entry, kind, limit, now_ms);
	return count;
}

/* One bucket for an entry, whatever the sources took, and however many of them there are. */
static void test_rates_of_all_sources_are_an_entrys(void **state)
{
	struct rate_key key = rate_key_of("inbound", 4, first);
	uint8_t addr[16] = {10};

	assert_int_equal(taken(&key, RATE_MAILS, 2, 1000, 9), 2);
	assert_int_equal(taken_of_all("inbound", RATE_MAILS, 3, 1000, 9), 3);
	assert_int_equal(taken_of_all("inbound", RATE_CONNECTS, 4, 1000, 9), 4);
	assert_int_equal(taken_of_all("outbound", RATE_MAILS, 3, 1000, 9), 3);
	for (unsigned i = 0; i < 2 * RATES_SOURCES_MAX; i++) {
		addr[1] = (uint8_t)(i >> 8);
		addr[2] = (uint8_t)i;
		key = rate_key_of("inbound", 4, addr);
		assert_true(rates_take(&rates, &key, RATE_MAILS, 1, 1001));
	}
	assert_int_equal(taken_of_all("inbound", RATE_MAILS, 3, 1001, 9), 0);
	assert_int_equal(taken_of_all("inbound", RATE_MAILS, 3, 21001, 9), 1);
	assert_int_equal(taken_of_all("inbound", RATE_MAILS, 0, 21001, 9), 9);
}

static void test_rates_of_sources_entries_and_kinds_are_apart(void **state)
{
	struct rate_key one = rate_key_of("inbound", 4, first);
	struct rate_key two = rate_key_of("inbound", 4, second);
	struct rate_key other = rate_key_of("outbound", 4, first);

	assert_int_equal(taken(&one, RATE_MAILS, 2, 1000, 9), 2);
	assert_int_equal(taken(&one, RATE_CONNECTS, 3, 1000, 9), 3);
	assert_int_equal(taken(&two, RATE_MAILS, 2, 1000, 9), 2);
	assert_int_equal(taken(&other, RATE_MAILS, 2, 1000, 9), 2);
}

static void test_rates_count_an_ipv6_64_as_one_source(void **state)
{
	static const uint8_t a[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t b[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9};
	static const uint8_t c[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
	struct rate_key one = rate_key_of("inbound", 6, a);
	struct rate_key same = rate_key_of("inbound", 6, b);
	struct rate_key other = rate_key_of("inbound", 6, c);

	assert_int_equal(taken(&one, RATE_MAILS, 5, 1000, 5), 5);
	assert_int_equal(taken(&same, RATE_MAILS, 5, 1000, 5), 0);
	assert_int_equal(taken(&other, RATE_MAILS, 5, 1000, 5), 5);
}

static void test_rates_without_a_limit_let_all_pass(void **state)
{
	struct rate_key key = rate_key_of("inbound", 4, first);

	assert_int_equal(taken(&key, RATE_MAILS, 0, 1000, 100000), 100000);
}

static void test_rates_follow_a_limit_that_changes(void **state)
{
	struct rate_key key = rate_key_of("inbound", 4, first);

	assert_int_equal(taken(&key, RATE_MAILS, 100, 1000, 1), 1);
	assert_int_equal(taken(&key, RATE_MAILS, 3, 1000, 100), 3);
}

/* More sources than rows: the one that spoke last is still known, the first is not. */
static void test_rates_forget_who_was_not_heard_for_longest(void **state)
{
	struct rate_key key = rate_key_of("inbound", 4, first);
	struct rate_key busy = rate_key_of("inbound", 4, second);

	assert_int_equal(taken(&key, RATE_MAILS, 1, 1000, 2), 1);
	assert_int_equal(taken(&busy, RATE_MAILS, 1, 1001, 2), 1);
	for (uint32_t i = 0; i < RATES_SOURCES_MAX - 1; i++) {
		uint8_t addr[16] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		struct rate_key next = rate_key_of("inbound", 4, addr);

		assert_int_equal(taken(&busy, RATE_MAILS, 1, 1002 + i, 1), 0);
		assert_int_equal(taken(&next, RATE_MAILS, 1, 1002 + i, 1), 1);
	}
	assert_int_equal(taken(&busy, RATE_MAILS, 1, 3000, 1), 0);
	assert_int_equal(taken(&key, RATE_MAILS, 1, 3000, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rates_let_a_burst_pass_and_refill_evenly, setup),
		cmocka_unit_test_setup(test_rates_of_sources_entries_and_kinds_are_apart, setup),
		cmocka_unit_test_setup(test_rates_of_all_sources_are_an_entrys, setup),
		cmocka_unit_test_setup(test_rates_count_an_ipv6_64_as_one_source, setup),
		cmocka_unit_test_setup(test_rates_without_a_limit_let_all_pass, setup),
		cmocka_unit_test_setup(test_rates_follow_a_limit_that_changes, setup),
		cmocka_unit_test_setup(test_rates_forget_who_was_not_heard_for_longest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caps of a screen: bytes in any time, updates a second. */
#include "unit.h"

#include "screen-session/session.h"
#include "screen-viewer/pace.h"

static void test_pace_lets_everything_through_without_a_cap(void **state)
{
	struct pace p;

	pace_init(&p, 0);
	pace_spend(&p, SIZE_MAX, 5);
	assert_int_equal(pace_wait_ms(&p, 5), 0);
	assert_true(pace_bytes(&p, 1) == UINT64_MAX);
}

static void test_pace_waits_until_what_was_sent_is_paid(void **state)
{
	struct pace p;

	pace_init(&p, 8); /* one byte a millisecond */
	assert_int_equal(pace_bytes(&p, 1000), 1000);
	assert_int_equal(pace_wait_ms(&p, 0), 0);
	pace_spend(&p, 1000, 0);
	assert_int_equal(pace_wait_ms(&p, 0), 1000);
	assert_int_equal(pace_wait_ms(&p, 400), 600);
	pace_spend(&p, 100, 400); /* small things that do not wait are paid as well */
	assert_int_equal(pace_wait_ms(&p, 1099), 1);
	assert_int_equal(pace_wait_ms(&p, 1100), 0);
}

static void test_pace_waits_for_the_last_bit(void **state)
{
	struct pace p;

	pace_init(&p, 3);
	pace_spend(&p, 1, 0); /* 8 bits at 3 a millisecond */
	assert_int_equal(pace_wait_ms(&p, 2), 1);
	assert_int_equal(pace_wait_ms(&p, 3), 0);
}

static void test_pace_saves_nothing_ahead_however_long_it_was_silent(void **state)
{
	struct pace p;

	pace_init(&p, PACE_KBIT_S_MAX);
	assert_int_equal(pace_wait_ms(&p, UINT64_MAX), 0);
	pace_init(&p, 8);
	pace_spend(&p, 1, 0);
	pace_spend(&p, 1000, UINT64_C(1) << 62);
	assert_int_equal(pace_wait_ms(&p, UINT64_C(1) << 62), 1000);
}

/* Whatever is asked for, and when: sent in a time are the cap's bytes of it and one piece. */
static void test_pace_holds_in_any_time(void **state)
{
	enum { PIECE_MAX = 16384, KBIT_S = 2000 };
	uint64_t now_ms = 0, sent = 0;
	uint32_t noise = 1;
	struct pace p;

	pace_init(&p, KBIT_S);
	for (unsigned i = 0; i < 100000; i++) {
		size_t piece = (noise = noise * 1664525 + 1013904223) % PIECE_MAX;

		if (pace_wait_ms(&p, now_ms) == 0) {
			pace_spend(&p, piece, now_ms);
			sent += piece;
		}
		now_ms += noise >> 28;
		assert_true(sent * 8 <= KBIT_S * now_ms + UINT64_C(8) * PIECE_MAX);
	}
	assert_true(sent * 8 > KBIT_S * now_ms / 2); /* it is a cap, not a stop */
}

static void test_session_ticks_are_never_more_than_the_rate(void **state)
{
	for (uint32_t rate = 1; rate <= SESSION_FRAME_RATE_MAX; rate++)
		assert_true(session_frame_period_ms(rate) * rate >= 1000);
	assert_int_equal(session_frame_period_ms(1), 1000);
	assert_int_equal(session_frame_period_ms(60), 17);
	assert_int_equal(session_frame_period_ms(0),
			 session_frame_period_ms(SESSION_FRAME_RATE_DEFAULT));
	assert_int_equal(session_frame_period_ms(UINT32_MAX), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pace_lets_everything_through_without_a_cap),
		cmocka_unit_test(test_pace_waits_until_what_was_sent_is_paid),
		cmocka_unit_test(test_pace_waits_for_the_last_bit),
		cmocka_unit_test(test_pace_saves_nothing_ahead_however_long_it_was_silent),
		cmocka_unit_test(test_pace_holds_in_any_time),
		cmocka_unit_test(test_session_ticks_are_never_more_than_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

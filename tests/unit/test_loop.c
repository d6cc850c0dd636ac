/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop, timers in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"

#define CAPACITY 4

struct fixture {
	struct clock_simulated time;
	struct clock clock;
	struct pollfd polls[CAPACITY];
	struct loop_fd *fds[CAPACITY];
	struct loop loop;
	char trace[64]; /* one letter for each callback */
	struct loop_fd watch[3];
	int pipes[3][2];
	int signals;
};

static struct fixture fx;

static int setup(void **state)
{
	memset(&fx, 0, sizeof(fx));
	fx.time.mono_ns = 5000000000ULL;
	fx.clock = clock_simulate(&fx.time);
	loop_init(&fx.loop, &fx.clock, fx.polls, fx.fds, CAPACITY);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pipe(fx.pipes[i]), 0);
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < 3; i++) {
		close(fx.pipes[i][0]);
		close(fx.pipes[i][1]);
	}
	return 0;
}

static void note(const char *text)
{
	strncat(fx.trace, text, sizeof(fx.trace) - strlen(fx.trace) - 1);
}

static void advance_ms(uint64_t ms)
{
	fx.time.mono_ns += ms * 1000000U;
}

static void fire_note(struct loop *loop, struct loop_timer *self)
{
	note(self->ctx);
}

static void fire_again_at_once(struct loop *loop, struct loop_timer *self)
{
	note(self->ctx);
	loop_arm(loop, self, 0);
}

static struct loop_timer *victim;

static void fire_disarm_victim(struct loop *loop, struct loop_timer *self)
{
	note(self->ctx);
	loop_disarm(loop, victim);
}

static void ready_read(struct loop *loop, struct loop_fd *self, short revents)
{
	char c[2] = {0};

	if (revents & POLLIN)
		assert_int_equal(read(self->fd, c, 1), 1);
	note(self->ctx);
}

static void ready_remove_all(struct loop *loop, struct loop_fd *self, short revents)
{
	note(self->ctx);
	for (int i = 0; i < 3; i++)
		loop_remove(loop, &fx.watch[i]);
}

static void watch_pipes(void (*ready)(struct loop *, struct loop_fd *, short))
{
	static char names[3][2] = {"a", "b", "c"};

	for (int i = 0; i < 3; i++) {
		fx.watch[i] = (struct loop_fd){
			.fd = fx.pipes[i][0], .events = POLLIN, .ready = ready, .ctx = names[i]};
		assert_int_equal(loop_add(&fx.loop, &fx.watch[i]), 0);
	}
}

static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

static void test_loop_fires_timers_in_order_of_due_time(void **state)
{
	struct loop_timer a = {.fire = fire_note, .ctx = name_a},
			  b = {.fire = fire_note, .ctx = name_b},
			  c = {.fire = fire_note, .ctx = name_c};

	loop_arm(&fx.loop, &a, 300);
	loop_arm(&fx.loop, &b, 100);
	loop_arm(&fx.loop, &c, 200);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "");
	advance_ms(100);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "b");
	advance_ms(3600 * 1000);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "bca");
	assert_false(loop_armed(&a));
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "bca");
}

static void test_loop_rearming_moves_a_timer(void **state)
{
	struct loop_timer a = {.fire = fire_note, .ctx = name_a};

	loop_arm(&fx.loop, &a, 100);
	loop_arm(&fx.loop, &a, 500);
	advance_ms(400);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "");
	advance_ms(100);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "a");
}

static void test_loop_timer_disarmed_by_another_never_fires(void **state)
{
	struct loop_timer a = {.fire = fire_disarm_victim, .ctx = name_a},
			  b = {.fire = fire_note, .ctx = name_b};

	victim = &b;
	loop_arm(&fx.loop, &a, 10);
	loop_arm(&fx.loop, &b, 10);
	advance_ms(10);
	loop_step(&fx.loop, 0);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "a");
}

static void test_loop_timer_armed_with_zero_waits_for_the_next_round(void **state)
{
	struct loop_timer a = {.fire = fire_again_at_once, .ctx = name_a};

	loop_arm(&fx.loop, &a, 0);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "a");
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "aa");
	loop_disarm(&fx.loop, &a);
}

static void test_loop_timer_far_in_the_future_does_not_wrap(void **state)
{
	struct loop_timer a = {.fire = fire_note, .ctx = name_a};

	loop_arm(&fx.loop, &a, UINT64_MAX);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "");
	assert_true(loop_armed(&a));
	loop_disarm(&fx.loop, &a);
}

static void test_loop_serves_each_ready_descriptor_once(void **state)
{
	watch_pipes(ready_read);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(fx.pipes[i][1], "xx", 2), 2);
	loop_step(&fx.loop, 0);
	assert_int_equal(strlen(fx.trace), 3);
	assert_non_null(strchr(fx.trace, 'a'));
	assert_non_null(strchr(fx.trace, 'b'));
	assert_non_null(strchr(fx.trace, 'c'));
}

static void test_loop_callback_may_remove_all_descriptors(void **state)
{
	watch_pipes(ready_remove_all);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(fx.pipes[i][1], "x", 1), 1);
	loop_step(&fx.loop, 0);
	assert_int_equal(strlen(fx.trace), 1);
	assert_int_equal(fx.loop.used, 0);
	loop_step(&fx.loop, 0);
	assert_int_equal(strlen(fx.trace), 1);
}

static void test_loop_tells_hang_up_with_no_events_asked(void **state)
{
	fx.watch[0] = (struct loop_fd){
		.fd = fx.pipes[0][0], .events = 0, .ready = ready_read, .ctx = name_a};
	assert_int_equal(loop_add(&fx.loop, &fx.watch[0]), 0);
	assert_int_equal(write(fx.pipes[0][1], "x", 1), 1);
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "");
	close(fx.pipes[0][1]);
	fx.pipes[0][1] = -1;
	loop_step(&fx.loop, 0);
	assert_string_equal(fx.trace, "a");
}

static void test_loop_add_refuses_past_its_capacity(void **state)
{
	struct loop_fd more[CAPACITY + 1];

	for (int i = 0; i <= CAPACITY; i++) {
		more[i] = (struct loop_fd){.fd = fx.pipes[0][0], .ready = ready_read};
		assert_int_equal(loop_add(&fx.loop, &more[i]), i < CAPACITY ? 0 : -ERR_NO_SPACE);
	}
	loop_remove(&fx.loop, &more[CAPACITY]); /* never watched: nothing happens */
	assert_int_equal(fx.loop.used, CAPACITY);
	assert_int_equal(loop_add(&fx.loop, &more[0]), 0); /* already there */
}

static void on_signal(struct loop *loop, int signo, void *ctx)
{
	assert_int_equal(signo, SIGUSR1);
	fx.signals++;
	loop_stop(loop, 42);
}

static void test_loop_delivers_signals_and_stops_with_the_status(void **state)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_signals(&fx.loop, &set, on_signal, NULL), 0);
	raise(SIGUSR1);
	assert_int_equal(loop_run(&fx.loop), 42);
	assert_int_equal(fx.signals, 1);
	close(fx.loop.signal_fd.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loop_fires_timers_in_order_of_due_time),
		TEST(test_loop_rearming_moves_a_timer),
		TEST(test_loop_timer_disarmed_by_another_never_fires),
		TEST(test_loop_timer_armed_with_zero_waits_for_the_next_round),
		TEST(test_loop_timer_far_in_the_future_does_not_wrap),
		TEST(test_loop_serves_each_ready_descriptor_once),
		TEST(test_loop_callback_may_remove_all_descriptors),
		TEST(test_loop_tells_hang_up_with_no_events_asked),
		TEST(test_loop_add_refuses_past_its_capacity),
		TEST(test_loop_delivers_signals_and_stops_with_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

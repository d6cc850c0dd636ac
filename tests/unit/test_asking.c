/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of a console that somebody has taken over: they end nobody, and delay nobody. */
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/account.h"
#include "supervisor/query/query.h"

static struct supervisor sup;
static struct clock_simulated simulated = {.mono_ns = 5000000000};
static struct clock simulated_clock;
static int console_far, audit_far; /* the processes' own ends */
static unsigned rows, refusals;
static uint32_t serial; /* of the last question that audit got */

static struct child *add(size_t slot, enum role role, int *far)
{
	struct child *child = &sup.children[slot];
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	*child = (struct child){.sup = &sup, .state = CHILD_READY, .role = role};
	child->control.fd = fds[0];
	*far = fds[1];
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		pause();
		_exit(0);
	}
	return child;
}

static int setup(void **state)
{
	memset(&sup, 0, sizeof(sup));
	simulated_clock = clock_simulate(&simulated);
	loop_init(&sup.loop, &simulated_clock, sup.polls, sup.loop_fds, LOOP_MAX);
	sup.events.fd = -1;
	add(0, ROLE_CONSOLE, &console_far)->person_role = ACCOUNT_AUDITOR;
	add(1, ROLE_AUDIT, &audit_far);
	asking_init(&sup.children[0].asking);
	rows = refusals = 0;
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		(void)kill(sup.children[i].pid, SIGKILL); /* its status is looked at before */
		assert_int_equal(waitpid(sup.children[i].pid, NULL, 0), sup.children[i].pid);
		close(sup.children[i].control.fd);
	}
	close(console_far);
	close(audit_far);
	return 0;
}

static int on_row(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_row *row = message->body;

	rows++;
	refusals += (row->flags & CONTROL_ROW_ERROR) != 0;
	return 0;
}

static int on_query(struct channel *ch, void *ctx, const struct channel_message *message)
{
	serial = ((const struct control_query *)message->body)->number;
	return 0;
}

static int serve(int fd)
{
	static const struct channel_rule rules[] = {
		{CONTROL_ROW, 0, 0, sizeof(struct control_row), sizeof(struct control_row),
		 CHANNEL_ANY_STATE, on_row, "row"},
		{CONTROL_QUERY, 0, 0, sizeof(struct control_query), sizeof(struct control_query),
		 CHANNEL_ANY_STATE, on_query, "query"},
	};
	struct channel channel;
	const char *why = NULL;

	channel_init(&channel, fd, rules, 2, NULL);
	return channel_serve(&channel, 10000, &why);
}

/* Ask @count times; the console reads what it is told. Return: how many questions reached audit. */
static int ask(unsigned count)
{
	struct control_query query = {.kind = QUERY_LOG};
	const struct channel_message message = {
		.type = CONTROL_QUERY, .body_bytes = sizeof(query), .body = &query};
	int reached = 0;

	for (unsigned i = 0; i < count; i++) {
		query.number = i + 1;
		assert_int_equal(query_handle(&sup.children[0].control, &sup.children[0], &message),
				 0);
		(void)serve(console_far);
		if (i % 8 == 7)
			reached += serve(audit_far);
	}
	return reached + serve(audit_far);
}

static bool lives(size_t slot)
{
	return waitpid(sup.children[slot].pid, NULL, WNOHANG) == 0;
}

static void test_asking_has_a_burst_and_a_rate(void **state)
{
	assert_int_equal(ask(1000), ASKING_BURST);
	assert_int_equal(refusals, 1000 - ASKING_BURST);
	simulated.mono_ns += 1000000000;
	assert_int_equal(ask(1000), ASKING_A_SECOND);
	simulated.mono_ns += 3600U * UINT64_C(1000000000);
	assert_int_equal(ask(1000), ASKING_BURST);
	assert_true(lives(0));
}

/* The owner of the answer is stopped and its queue is full: it is not ended for that. */
static void test_asking_ends_nobody_whose_queue_is_full(void **state)
{
	struct control_query query = {.kind = QUERY_LOG, .number = 1};
	const struct channel_message message = {
		.type = CONTROL_QUERY, .body_bytes = sizeof(query), .body = &query};

	while (channel_send(&sup.children[1].control, CONTROL_QUERY, &query, sizeof(query), NULL,
			    0) == 0)
		;
	assert_int_equal(query_handle(&sup.children[0].control, &sup.children[0], &message), 0);
	(void)serve(console_far);
	assert_int_equal(refusals, 1);
	usleep(50000); /* a kill would have been felt by now */
	assert_true(lives(1));
}

static void test_asking_hears_only_the_answer_to_its_last_question(void **state)
{
	struct control_row row = {.flags = CONTROL_ROW_LAST};
	const struct channel_message message = {
		.type = CONTROL_ROW, .body_bytes = sizeof(row), .body = &row};

	assert_int_equal(ask(2), 2);
	row.number = serial - 1;
	assert_int_equal(query_handle_row(&sup.children[1].control, &sup.children[1], &message), 0);
	(void)serve(console_far);
	assert_int_equal(rows, 0);
	row.number = serial;
	assert_int_equal(query_handle_row(&sup.children[1].control, &sup.children[1], &message), 0);
	(void)serve(console_far);
	assert_int_equal(rows, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_asking_has_a_burst_and_a_rate),
		TEST(test_asking_ends_nobody_whose_queue_is_full),
		TEST(test_asking_hears_only_the_answer_to_its_last_question),
#undef TEST
	};

	return cmocka_run_group_tests_name("asking", tests, NULL, NULL);
}

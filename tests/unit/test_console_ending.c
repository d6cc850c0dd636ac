/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a console ends: the line that says why, what of the output comes before it, and the time that
 * a terminal has for it. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/person.h"
#include "console/command.h"
#include "console/console.h"

#define MS_NS UINT64_C(1000000)

struct fixture {
	struct console console;
	struct clock_simulated time;
	struct clock clock;
	int terminal; /* the person's end */
};

/* The rest of the console is not the matter here: states are those of ending.c. */
void console_enter_state(struct console *c, enum console_state state, uint64_t ms)
{
	c->state = state;
	loop_arm(&c->loop, &c->timer, ms);
}

void console_prompt(struct console *c)
{
}

void console_forget_load(struct console *c)
{
}

void console_begin(struct console *c)
{
}

bool console_is_power_on(const struct console *c)
{
	return false;
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct console *c = &f->console;
	int fds[2], bytes = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	f->terminal = fds[1];
	f->time.mono_ns = 1000 * MS_NS;
	f->clock = clock_simulate(&f->time);
	loop_init(&c->loop, &f->clock, c->polls, c->fds, CONSOLE_DESCRIPTORS);
	c->timer = (struct loop_timer){.fire = on_timer, .ctx = c};
	c->tty = fds[0];
	c->account.fd = -1;
	c->state = STATE_PROMPT;
	bytes_init(&c->output, CONSOLE_OUTPUT_BYTES);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bytes_fini(&f->console.output);
	close(f->console.tty);
	close(f->terminal);
	free(f);
	return 0;
}

/* What the terminal has got. */
static struct span read_some(struct fixture *f)
{
	static uint8_t got[65536];
	ssize_t n = recv(f->terminal, got, sizeof(got), MSG_DONTWAIT);

	return (struct span){got, n > 0 ? (size_t)n : 0};
}

/* One turn of the loop, @ms later. Return: whether the console has ended. */
static bool turn(struct fixture *f, uint64_t ms)
{
	f->time.mono_ns += ms * MS_NS;
	assert_int_equal(screen_flush(&f->console), 0);
	console_go_on_ending(&f->console);
	return f->console.loop.stopping;
}

/* More than the terminal takes at once: so much of it waits. */
static void fill(struct fixture *f)
{
	for (int i = 0; i < 100000; i++)
		screen_print(&f->console, span_of("x"));
	assert_int_equal(screen_flush(&f->console), 0);
	assert_false(screen_is_drained(&f->console));
}

static bool ends_with(struct span text, const char *end)
{
	return text.size >= strlen(end) &&
	       memcmp(text.data + text.size - strlen(end), end, strlen(end)) == 0;
}

static void test_console_ending_says_each_reason_in_either_language(void **state)
{
	static const struct {
		uint32_t why;
		enum language language;
		const char *line;
	} cases[] = {
		{SESSION_END_GATEWAY, LANGUAGE_EN, "\r\nthe gateway stops: this session ends\r\n"},
		{SESSION_END_GATEWAY, LANGUAGE_JA,
		 "\r\n本装置が停止するため、このセッションを終了します\r\n"},
		{SESSION_END_PERSON, LANGUAGE_EN, "\r\nthis session is over\r\n"},
		{SESSION_END_PERSON, LANGUAGE_JA, "\r\nこのセッションは終了しました\r\n"},
		{SESSION_END_ACCOUNTS, LANGUAGE_EN,
		 "\r\naccounts has failed: this console begins anew\r\n"},
		{SESSION_END_ACCOUNTS, LANGUAGE_JA,
		 "\r\nアカウント管理プロセスの異常のため、このコンソールを開始し直します\r\n"},
		{SESSION_END_UNRECORDED, LANGUAGE_EN,
		 "\r\nthe login cannot be recorded: nobody is let in\r\n"},
		{SESSION_END_UNRECORDED, LANGUAGE_JA,
		 "\r\nログインを記録できないため受け付けません\r\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f;
		struct span got;

		teardown(state);
		setup(state);
		f = *state;
		f->console.language = cases[i].language;
		console_end_as_told(&f->console, cases[i].why);
		assert_true(turn(f, 0));
		got = read_some(f);
		assert_int_equal(got.size, strlen(cases[i].line));
		assert_memory_equal(got.data, cases[i].line, got.size);
	}
}

/* The supervisor kills whom it has told a second later. */
static void test_console_ending_told_drops_what_waits_and_ends_in_time(void **state)
{
	struct fixture *f = *state;
	bool ended = false;

	fill(f);
	console_end_as_told(&f->console, SESSION_END_GATEWAY);
	assert_true(f->console.output.size - f->console.output_at < 100);
	assert_false(turn(f, 750));
	for (int i = 0; i < 2 && !ended; i++)
		ended = turn(f, 50); /* it takes nothing */
	assert_true(ended);
}

static void test_console_ending_told_writes_its_line_once_there_is_room(void **state)
{
	struct fixture *f = *state;

	fill(f);
	console_end_as_told(&f->console, SESSION_END_PERSON);
	console_end_as_told(&f->console, SESSION_END_GATEWAY); /* takes nothing from it */
	assert_false(turn(f, 100));
	(void)read_some(f);
	assert_true(turn(f, 100));
	assert_true(ends_with(read_some(f), "\r\nthis session is over\r\n"));
}

static void test_console_ending_by_exit_waits_as_long_as_the_terminal_takes_some(void **state)
{
	struct fixture *f = *state;
	size_t before;

	fill(f);
	console_leave(&f->console);
	for (int i = 0; i < 3; i++) {
		before = f->console.output.size - f->console.output_at;
		assert_false(turn(f, 9900));
		assert_true(read_some(f).size > 0);
		assert_false(turn(f, 50)); /* takes some */
		assert_true(f->console.output.size - f->console.output_at < before);
	}
	assert_false(turn(f, 9900));
	assert_true(turn(f, 200)); /* it has taken nothing for 10 s */
}

/* Somebody else ends what is ending: the time is that of one who was told. */
static void test_console_ending_by_exit_is_cut_short_by_the_gateway(void **state)
{
	struct fixture *f = *state;

	fill(f);
	console_leave(&f->console);
	assert_false(turn(f, 50));
	console_end_as_told(&f->console, SESSION_END_GATEWAY);
	assert_true(turn(f, 800));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_console_ending_says_each_reason_in_either_language),
		TEST(test_console_ending_told_drops_what_waits_and_ends_in_time),
		TEST(test_console_ending_told_writes_its_line_once_there_is_room),
		TEST(test_console_ending_by_exit_waits_as_long_as_the_terminal_takes_some),
		TEST(test_console_ending_by_exit_is_cut_short_by_the_gateway),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

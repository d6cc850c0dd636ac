/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line editor, seen through what it makes of keys; its drawing is checked on a small model of a
 * terminal. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "console/line.h"

#define ROWS    20
#define COLUMNS 20

/* As much of a terminal as the editor uses; a cell holds one character, its second half if it is
 * wide is 0xffffffff. */
struct terminal {
	uint32_t cells[ROWS][COLUMNS];
	unsigned row, column;
	bool pending; /* at the right margin: the next character goes to the next row */
	unsigned bells;
};

static void clear_below(struct terminal *t)
{
	for (unsigned c = t->column; c < COLUMNS; c++)
		t->cells[t->row][c] = 0;
	for (unsigned r = t->row + 1; r < ROWS; r++)
		memset(t->cells[r], 0, sizeof(t->cells[r]));
}

static void put(struct terminal *t, uint32_t c)
{
	unsigned width = utf8_width(c, false);

	if (t->pending || t->column + width > COLUMNS) {
		t->row++;
		t->column = 0;
		t->pending = false;
	}
	assert_true(t->row < ROWS);
	t->cells[t->row][t->column] = c == ' ' ? 0 : c; /* a blank looks like nothing */
	if (width == 2)
		t->cells[t->row][t->column + 1] = 0xffffffff;
	t->column += width;
	if (t->column == COLUMNS) {
		t->column = COLUMNS - 1;
		t->pending = true;
	}
}

/* ESC [ n letter; returns the bytes taken. */
static size_t control(struct terminal *t, struct span s)
{
	unsigned n = 0;
	size_t i = 2;

	for (; i < s.size && s.data[i] >= '0' && s.data[i] <= '9'; i++)
		n = n * 10 + (unsigned)(s.data[i] - '0');
	assert_true(s.data[1] == '[' && i < s.size);
	t->pending = false;
	switch (s.data[i]) {
	case 'A':
		assert_true(t->row >= n);
		t->row -= n;
		break;
	case 'C':
		t->column += n;
		assert_true(t->column < COLUMNS);
		break;
	case 'J':
		clear_below(t);
		break;
	default:
		fail_msg("unknown control %c", s.data[i]);
	}
	return i + 1;
}

static void show(struct terminal *t, struct bytes *out)
{
	struct span s = bytes_span(out);

	while (s.size > 0) {
		uint32_t c;
		size_t n = utf8_decode(s, &c);

		if (c == 0x1b) {
			n = control(t, s);
		} else if (c == '\r') {
			t->column = 0;
			t->pending = false;
		} else if (c == '\n') {
			t->row++;
			t->pending = false;
		} else if (c == '\a') {
			t->bells++;
		} else {
			put(t, c);
		}
		s.data += n;
		s.size -= n;
	}
	bytes_clear(out);
}

struct fixture {
	struct line line;
	struct bytes out;
	struct terminal terminal;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	bytes_init(&f->out, 1 << 20);
	line_init(&f->line, &f->out);
	f->line.columns = COLUMNS;
	line_begin(&f->line, "h> ");
	show(&f->terminal, &f->out);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	line_fini(&f->line);
	bytes_fini(&f->out);
	free(f);
	return 0;
}

static enum line_event type(struct fixture *f, const char *keys)
{
	enum line_event event = LINE_NONE;

	for (; *keys != '\0'; keys++)
		event = line_feed(&f->line, (uint8_t)*keys);
	show(&f->terminal, &f->out);
	return event;
}

/* The terminal shows prompt and text, wrapped, and its cursor stands where the line's does. */
static void expect_screen(struct fixture *f)
{
	struct terminal wanted = {0};
	struct bytes drawn;
	unsigned row, column;

	bytes_init(&drawn, 1 << 16);
	assert_int_equal(bytes_printf(&drawn, "%s%.*s", f->line.prompt, (int)f->line.cursor,
				      f->line.text),
			 0);
	show(&wanted, &drawn);
	row = wanted.row + (wanted.pending ? 1 : 0);
	column = wanted.pending ? 0 : wanted.column;
	assert_int_equal(bytes_printf(&drawn, "%s", f->line.text + f->line.cursor), 0);
	show(&wanted, &drawn);
	assert_memory_equal(f->terminal.cells, wanted.cells, sizeof(wanted.cells));
	assert_int_equal(f->terminal.row, row);
	assert_int_equal(f->terminal.column, column);
	bytes_fini(&drawn);
}

static void expect_text(struct fixture *f, const char *text)
{
	assert_string_equal(f->line.text, text);
	expect_screen(f);
}

static void test_line_typed_at_the_end_costs_its_echo_only(void **state)
{
	struct fixture *f = *state;

	for (const char *p = "show zones"; *p != '\0'; p++) {
		(void)line_feed(&f->line, (uint8_t)*p);
		assert_int_equal(f->out.size, 1);
		show(&f->terminal, &f->out);
	}
	expect_text(f, "show zones");
	assert_int_equal(type(f, "\r"), LINE_SUBMIT);
}

static void test_line_edits_in_the_middle(void **state)
{
	struct fixture *f = *state;

	(void)type(f, "set zne lgwan");
	(void)type(f, "\001\033[C\033[C\033[C\033[C\033[C");
	(void)type(f, "o");
	expect_text(f, "set zone lgwan");
	(void)type(f, "\005\177\177\177\177\177mynumber");
	expect_text(f, "set zone mynumber");
	(void)type(f, "\027");
	expect_text(f, "set zone ");
	(void)type(f, "\001\033[3~\033[3~\033[3~\033[3~");
	expect_text(f, "zone ");
	(void)type(f, "\005a\002\013");
	expect_text(f, "zone ");
	(void)type(f, "\025");
	expect_text(f, "");
}

static void test_line_knows_characters_and_their_width(void **state)
{
	struct fixture *f = *state;

	(void)type(f, "周南市役所の装置を設定する長い行です");
	expect_screen(f);
	(void)type(f, "\033[D\033[D\177");
	expect_text(f, "周南市役所の装置を設定する長いです"); /* two to the left, then one gone */
}

static void test_line_wraps_at_every_width(void **state)
{
	for (unsigned start = 0; start < 4; start++) {
		struct fixture *f;

		assert_int_equal(setup((void **)&f), 0);
		for (unsigned i = 0; i < start; i++)
			(void)type(f, "x");
		for (unsigned i = 0; i < 60; i++) {
			(void)type(f, i % 3 == 0 ? "あ" : "b");
			expect_screen(f);
		}
		for (unsigned i = 0; i < 30; i++) {
			(void)type(f, "\033[D");
			expect_screen(f);
			(void)type(f, i % 2 == 0 ? "漢" : "\177");
			expect_screen(f);
		}
		assert_int_equal(teardown((void **)&f), 0);
	}
}

static void test_line_interrupt_works_inside_sequences_and_characters(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type(f, "\033\003"), LINE_INTERRUPT);
	assert_int_equal(type(f, "\033[1\003"), LINE_INTERRUPT);
	assert_int_equal(type(f, "\xe5\x91\003"), LINE_INTERRUPT);
	(void)type(f, "\xe5\x91z");
	expect_text(f, "z");
}

static void test_line_ignores_what_is_no_text(void **state)
{
	struct fixture *f = *state;

	(void)type(f, "a\xff\x80\xc0\xaf\033[99;99;99Xb\033OQ\001\005");
	expect_text(f, "ab");
	(void)type(f, "\033[123456789012345678901234567890Zc");
	assert_non_null(strchr(f->line.text, 'c'));
}

static void test_line_takes_a_question_mark_as_help_outside_quotes_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type(f, "show ?"), LINE_HELP);
	assert_int_equal(type(f, "\"why?"), LINE_NONE);
	assert_int_equal(type(f, "\" ?"), LINE_HELP);
	assert_int_equal(type(f, "\026?"), LINE_NONE);
	expect_text(f, "show \"why?\" ?");
}

static void test_line_one_return_and_line_feed_submit_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type(f, "a\r"), LINE_SUBMIT);
	assert_int_equal(type(f, "\n"), LINE_NONE);
	assert_int_equal(type(f, "\n"), LINE_SUBMIT);
}

static void enter(struct fixture *f, const char *text)
{
	(void)type(f, text);
	line_leave(&f->line);
	line_remember(&f->line);
	line_begin(&f->line, "h> ");
	bytes_clear(&f->out);
	memset(&f->terminal, 0, sizeof(f->terminal));
	line_redraw(&f->line);
	show(&f->terminal, &f->out);
}

static void test_line_history_goes_back_and_forth(void **state)
{
	struct fixture *f = *state;
	char line[16];

	enter(f, "one");
	enter(f, "two");
	enter(f, "two");
	(void)type(f, "new\033[A");
	expect_text(f, "two");
	(void)type(f, "\033[A");
	expect_text(f, "one");
	(void)type(f, "\033[A");
	assert_int_equal(f->terminal.bells, 1);
	(void)type(f, "\033[B\033[B");
	expect_text(f, "new");
	for (int i = 0; i < 2 * LINE_HISTORY_MAX; i++) {
		(void)type(f, "\025");
		snprintf(line, sizeof(line), "n%d", i);
		enter(f, line);
	}
	assert_int_equal(f->line.history_count, LINE_HISTORY_MAX);
}

static void test_line_too_long_rings_and_keeps_what_is_there(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < LINE_BYTES_MAX + 10; i++)
		(void)line_feed(&f->line, 'a');
	assert_int_equal(f->line.size, LINE_BYTES_MAX);
	(void)line_feed(&f->line, 0xe3);
	(void)line_feed(&f->line, 0x81);
	(void)line_feed(&f->line, 0x82);
	assert_int_equal(f->line.size, LINE_BYTES_MAX);
}

static void test_line_reads_the_terminals_report(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type(f, "ab\033[43;132R"), LINE_REPORT);
	assert_int_equal(f->line.report_row, 43);
	assert_int_equal(f->line.report_column, 132);
	expect_text(f, "ab");
}

static void test_line_end_only_on_an_empty_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type(f, "a\004"), LINE_NONE);
	assert_int_equal(type(f, "\177\004"), LINE_END);
}

#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINE_TEST(test_line_typed_at_the_end_costs_its_echo_only),
		LINE_TEST(test_line_edits_in_the_middle),
		LINE_TEST(test_line_knows_characters_and_their_width),
		cmocka_unit_test(test_line_wraps_at_every_width),
		LINE_TEST(test_line_interrupt_works_inside_sequences_and_characters),
		LINE_TEST(test_line_ignores_what_is_no_text),
		LINE_TEST(test_line_takes_a_question_mark_as_help_outside_quotes_only),
		LINE_TEST(test_line_one_return_and_line_feed_submit_once),
		LINE_TEST(test_line_history_goes_back_and_forth),
		LINE_TEST(test_line_too_long_rings_and_keeps_what_is_there),
		LINE_TEST(test_line_reads_the_terminals_report),
		LINE_TEST(test_line_end_only_on_an_empty_line),
	};

	return cmocka_run_group_tests_name("console_line", tests, NULL, NULL);
}

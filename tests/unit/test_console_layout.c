/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables whose columns stand straight in Japanese too, and the filters behind '|'. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "console/layout.h"

static void expect(const struct bytes *out, const char *text)
{
	assert_int_equal(out->size, strlen(text));
	assert_memory_equal(out->data, text, out->size);
}

static void test_layout_columns_follow_the_width_of_characters(void **state)
{
	static const char heading[] = "zone\0説明\0n",
			  one[] = "mynumber\0個人番号\0"
				  "1",
			  two[] = "a\0b\0"
				  "22";
	struct layout_table table;
	struct bytes out;

	bytes_init(&out, 4096);
	layout_table_init(&table, 4096, false);
	layout_table_add(&table, heading, 3, true);
	layout_table_add(&table, one, 3, false);
	layout_table_add(&table, two, 3, false);
	assert_int_equal(layout_table_print(&out, &table), 0);
	expect(&out, "zone      説明      n\n"
		     "--------  --------  --\n"
		     "mynumber  個人番号  1\n"
		     "a         b         22\n");
	layout_table_fini(&table);
	bytes_fini(&out);
}

static int split(struct layout_pipe *pipe, const char *text, const char *left)
{
	char line[256];
	int err;

	snprintf(line, sizeof(line), "%s", text);
	err = layout_pipe_split(pipe, line);
	if (err == 0)
		assert_string_equal(line, left);
	return err;
}

static void run(const char *filters, const char *text, const char *wanted)
{
	struct layout_pipe pipe;
	struct bytes out;

	bytes_init(&out, 4096);
	assert_int_equal(split(&pipe, filters, ""), 0);
	assert_int_equal(layout_pipe_run(&out, &pipe, span_of(text)), 0);
	expect(&out, wanted);
	bytes_fini(&out);
}

static void test_layout_filters_lines(void **state)
{
	static const char text[] = "zone a\nport eth0\nZONE b\n説明 周南市\n";

	run("| match zone", text, "zone a\nZONE b\n");
	run("| except zone", text, "port eth0\n説明 周南市\n");
	run("| match 周南", text, "説明 周南市\n");
	run("| match zone | except b", text, "zone a\n");
	run("|count", text, "4\n");
	run("| ma zone | c", text, "2\n");
	run("| match nothing | count", text, "0\n");
	run("", "last line without end", "last line without end\n");
	run("| match \"port eth\"", text, "port eth0\n");
}

static void test_layout_pipe_is_cut_off_outside_quotes_only(void **state)
{
	struct layout_pipe pipe;

	assert_int_equal(split(&pipe, "show log | no-more", "show log "), 0);
	assert_true(pipe.no_more);
	assert_int_equal(split(&pipe, "commit comment \"a | b\"", "commit comment \"a | b\""), 0);
	assert_int_equal(pipe.count, 0);
	assert_int_equal(split(&pipe, "show | grep x", ""), -ERR_SYNTAX);
	assert_int_equal(split(&pipe, "show | match", ""), -ERR_SYNTAX);
	assert_int_equal(split(&pipe, "show | count x", ""), -ERR_SYNTAX);
	assert_int_equal(split(&pipe, "show |", ""), -ERR_SYNTAX);
	assert_int_equal(split(&pipe, "x|match 1|match 2|match 3|match 4|match 5", ""),
			 -ERR_SYNTAX);
}

static void test_layout_pipe_goes_onto_a_memory_stick_once(void **state)
{
	struct layout_pipe pipe;
	char name[LAYOUT_NAME_BYTES + 16] = "show | usb ";

	assert_int_equal(split(&pipe, "show | match \"| usb x\" | usb a.conf", "show "), 0);
	assert_string_equal(pipe.usb, "a.conf");
	assert_int_equal(pipe.count, 1);
	assert_int_equal(split(&pipe, "show | no-more", "show "), 0);
	assert_string_equal(pipe.usb, "");
	assert_int_equal(split(&pipe, "show | usb", ""), -ERR_SYNTAX);
	assert_int_equal(split(&pipe, "show | usb a | usb b", ""), -ERR_SYNTAX);
	memset(name + strlen(name), 'x', LAYOUT_NAME_BYTES - 1);
	assert_int_equal(split(&pipe, name, "show "), 0);
	name[strlen(name)] = 'x'; /* the rest is zeros */
	assert_int_equal(split(&pipe, name, ""), -ERR_SYNTAX);
}

static void test_layout_table_stops_at_its_limit(void **state)
{
	static const char row[] = "0123456789";
	struct layout_table table;
	struct bytes out;

	layout_table_init(&table, 300, false);
	for (int i = 0; i < 100; i++)
		layout_table_add(&table, row, 1, false);
	assert_true(table.rows.failed);
	assert_true(table.rows.size <= 300);
	bytes_init(&out, 4096);
	assert_int_equal(layout_table_print(&out, &table), -ERR_NO_MEMORY);
	assert_int_equal(out.size % sizeof(row), 0);
	bytes_fini(&out);
	layout_table_fini(&table);
}

static void test_layout_pipe_tells_of_a_text_that_is_cut(void **state)
{
	struct layout_pipe pipe;
	struct bytes out;

	bytes_init(&out, 64);
	assert_int_equal(split(&pipe, "show | match a | usb x", "show "), 0);
	pipe.cut = true;
	assert_int_equal(layout_pipe_run(&out, &pipe, span_of("a\nb\n")), -ERR_NO_MEMORY);
	expect(&out, "a\n");
	bytes_fini(&out);
}

static void test_layout_row_goes_on_with_its_last_cell(void **state)
{
	static const char row[] = "a\0one ", next[] = "b\0c";
	struct layout_table table;
	struct bytes out;

	bytes_init(&out, 4096);
	layout_table_init(&table, 24, false);
	layout_table_add(&table, row, 2, false);
	layout_table_continue(&table, "line ");
	layout_table_continue(&table, "more");
	layout_table_add(&table, next, 2, false);
	assert_int_equal(layout_table_print(&out, &table), 0);
	expect(&out, "a  one line more\nb  c\n");
	layout_table_continue(&table, "cut here");
	assert_true(table.rows.failed);
	layout_table_continue(&table, "x");
	bytes_clear(&out);
	assert_int_equal(layout_table_print(&out, &table), -ERR_NO_MEMORY);
	expect(&out, "a  one line more\nb  c\n");
	layout_table_fini(&table);
	bytes_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_columns_follow_the_width_of_characters),
		cmocka_unit_test(test_layout_filters_lines),
		cmocka_unit_test(test_layout_pipe_is_cut_off_outside_quotes_only),
		cmocka_unit_test(test_layout_pipe_goes_onto_a_memory_stick_once),
		cmocka_unit_test(test_layout_table_stops_at_its_limit),
		cmocka_unit_test(test_layout_pipe_tells_of_a_text_that_is_cut),
		cmocka_unit_test(test_layout_row_goes_on_with_its_last_cell),
	};

	return cmocka_run_group_tests_name("console_layout", tests, NULL, NULL);
}

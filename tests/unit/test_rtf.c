/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text out of RTF (RTF 1.9.1): what is text and what is not, and what is said of the rest. */
#include "unit.h"

#include <string.h>

#include "wire/text/rtf.h"

#define TEN(x) x x x x x x x x x x

static struct rtf_found found;

static void check_octets(struct span rtf, const char *text)
{
	struct charset_report report = {0};
	struct bytes out;

	bytes_init(&out, 65536);
	assert_int_equal(rtf_to_text(rtf, 932, &out, &found, &report), 0);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	assert_string_equal((const char *)out.data, text);
	bytes_fini(&out);
}

static void check(const char *rtf, const char *text)
{
	check_octets(span_of(rtf), text);
}

static void test_rtf_reads_text_in_its_code_page(void **state)
{
	check("{\\rtf1\\ansi a\\'82\\'a0\\par b}", "aあ\nb");
	check("{\\rtf1\\ansi\\u12354?\\u-10179?\\u-8704?}", "あ😀");
	check("{\\rtf1{\\*\\unknown x}{\\info y}z}", "z");
	assert_false(found.html);
	assert_int_equal(found.deep_groups, 0);
}

/* Octets behind \bin are those of a picture or an object, whatever they look like. */
static void test_rtf_binary_data_is_no_text(void **state)
{
	check("{\\rtf1 a\\bin5 x}\\b{c}", "ac");
	check("{\\rtf1 a\\bin0 b}", "ab");
	check("{\\rtf1 a\\bin b}", "ab");
	check("{\\rtf1 a\\bin-3 b}", "ab");
	check("{\\rtf1 a\\bin999999999999 b}c", "a");
	check("{\\rtf1 a{\\pict\\bin4 {{{{}b}", "ab");
	check_octets((struct span){(const uint8_t *)"{\\rtf1 a\\bin3 \0\\{b}", 19}, "ab");
}

/* Groups beyond the limit are left out, and counted so that it can be told. */
static void test_rtf_deep_groups_are_counted(void **state)
{
	check("{\\rtf1 a" TEN(TEN("{")) "x{y}z" TEN(TEN("}")) "b}", "ab");
	assert_int_equal(found.deep_groups, 3);
	check("{\\rtf1 a" TEN(TEN("{")) TEN(TEN("}")) "b}", "ab");
	assert_int_equal(found.deep_groups, 2);
	check("{\\rtf1 a" TEN("{") "x" TEN("}") "b}", "axb");
	assert_int_equal(found.deep_groups, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtf_reads_text_in_its_code_page),
		cmocka_unit_test(test_rtf_binary_data_is_no_text),
		cmocka_unit_test(test_rtf_deep_groups_are_counted),
	};

	return cmocka_run_group_tests_name("rtf", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8: each character there is decodes from its own form only, and takes the columns it should.
 */
#include "unit.h"

#include "base/utf8.h"

static size_t encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80)
		return out[0] = (uint8_t)c, 1;
	if (c < 0x800)
		return out[0] = (uint8_t)(0xc0 | c >> 6), out[1] = (uint8_t)(0x80 | (c & 63)), 2;
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
		out[2] = (uint8_t)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	out[3] = (uint8_t)(0x80 | (c & 63));
	return 4;
}

static void test_utf8_decodes_every_character_and_no_surrogate(void **state)
{
	uint8_t wire[4];
	uint32_t c;

	for (uint32_t want = 0; want <= 0x110010; want++) {
		size_t size = encode(want, wire);
		bool legal = want <= 0x10ffff && (want < 0xd800 || want > 0xdfff);

		assert_int_equal(utf8_decode((struct span){wire, size}, &c), legal ? size : 0);
		if (legal)
			assert_int_equal(c, want);
		assert_int_equal(utf8_decode((struct span){wire, size - 1}, &c), 0);
	}
}

static void test_utf8_refuses_overlong_and_broken_forms(void **state)
{
	static const char *const broken[] = {"\xc0\xaf",         "\xc1\xbf",     "\xe0\x80\xaf",
					     "\xf0\x80\x80\xaf", "\x80",         "\xff",
					     "\xe3\x81",         "\xe3\x28\x81", "\xf5\x80\x80\x80",
					     "\xed\xa0\x80"};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_false(utf8_valid(span_of(broken[i])));
	assert_true(utf8_valid(span_of("関所 Sekisho 🏯")));
	assert_true(utf8_valid(span_of("")));
}

static void test_utf8_columns_follow_east_asian_width(void **state)
{
	assert_int_equal(utf8_columns(span_of("abc"), false), 3);
	assert_int_equal(utf8_columns(span_of("周南市"), false), 6);
	assert_int_equal(utf8_columns(span_of("ｱｲｳ"), false), 3);
	assert_int_equal(utf8_columns(span_of("が"), false), 2);
	assert_int_equal(utf8_columns(span_of("か\xe3\x82\x99"), false), 2); /* combining mark */
	assert_int_equal(utf8_columns(span_of("①→"), false), 2);
	assert_int_equal(utf8_columns(span_of("①→"), true), 4);
	assert_int_equal(utf8_columns(span_of("\xff\xfe"), false), 2);
}

static void test_utf8_rows_are_broken_as_a_terminal_does(void **state)
{
	static const struct {
		const char *text;
		size_t columns, rows;
		bool ambiguous_wide;
	} table[] = {
		{"", 4, 1, false},          {"abcd", 4, 1, false},
		{"abcde", 4, 2, false},     {"周南市", 4, 2, false},
		{"周南市", 3, 3, false},    {"a周南市", 4, 2, false},
		{"a周南市b", 4, 3, false},  {"①→", 3, 1, false},
		{"①→", 3, 2, true},         {"abか\xe3\x82\x99", 4, 1, false},
		{"\tabcdef", 14, 1, false}, {"\tabcdefg", 14, 2, false},
		{"a\tbc\td", 17, 1, false}, {"a\tbc\tde", 17, 2, false},
		{"\t\t\ta", 20, 1, false},  {"\t\t\tab", 20, 2, false},
		{"abcd\te", 4, 2, false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(utf8_rows(span_of(table[i].text), table[i].columns,
					   table[i].ambiguous_wide),
				 table[i].rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_decodes_every_character_and_no_surrogate),
		cmocka_unit_test(test_utf8_refuses_overlong_and_broken_forms),
		cmocka_unit_test(test_utf8_columns_follow_east_asian_width),
		cmocka_unit_test(test_utf8_rows_are_broken_as_a_terminal_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

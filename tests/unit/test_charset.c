/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charset decoders: each one's characters, its malformed bytes, and the choice between them. */
#include "unit.h"

#include <string.h>

#include "wire/charset/charset.h"

static struct bytes out;

/* Decode with a label that is believed. Valid until the next call. */
static const char *decode(const char *label, const char *in, size_t size)
{
	struct charset_report report = {0};

	bytes_fini(&out);
	bytes_init(&out, 1 << 20);
	assert_non_null(charset_find(span_of(label)));
	assert_int_equal(charset_decode(charset_find(span_of(label)),
					(struct span){(const uint8_t *)in, size}, &out, &report),
			 0);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	return (const char *)out.data;
}

#define DECODE(label, in) decode(label, in, sizeof(in) - 1)

static void test_charset_single_bytes_by_table(void **state)
{
	assert_string_equal(DECODE("iso-8859-1", "\x80\xFC"), "€ü");
	assert_string_equal(DECODE("iso-8859-15", "\xA4"), "€");
	assert_string_equal(DECODE("windows-1251", "\xCF\xF0"), "Пр");
	assert_string_equal(DECODE("koi8-r", "\xF0\xD2"), "Пр");
	assert_string_equal(DECODE("iso-8859-7", "\xE1\xFF"), "α[FF]");
}

static void test_charset_jis_recovers_at_line_ends(void **state)
{
	assert_string_equal(DECODE("iso-2022-jp", "\x1B$B4A;z\nabc"), "漢字\nabc");
	assert_string_equal(DECODE("iso-2022-jp", "\x1B$B4A;\nabc"), "漢[3B]\nabc");
	assert_string_equal(DECODE("iso-2022-jp", "\x1B(I6E\x1B(Ba"), "ｶﾅa");
	assert_string_equal(DECODE("iso-2022-jp", "\x1B[31m"), "[1B][31m");
	assert_string_equal(DECODE("iso-2022-jp", "\x1B&@\x1B$B4A\x1B(Bx"), "漢x");
	assert_string_equal(DECODE("iso-2022-jp-2", "\x1B$(C0!\x1B(B"), "가");
}

static void test_charset_sjis_shows_gaiji_and_bad_bytes(void **state)
{
	assert_string_equal(DECODE("shift_jis", "\x87\x40\x8A\xBF\xB6"), "①漢ｶ");
	assert_string_equal(DECODE("shift_jis", "\xF0\x40\x81\x20\x80\xFD"),
			    "〓(F040)[81] [80 FD]");
	assert_string_equal(DECODE("cp932", "\x81\x60\x5C"), "～\\");
}

static void test_charset_eucjp_knows_three_byte_codes(void **state)
{
	assert_string_equal(DECODE("euc-jp", "\xB4\xC1\x8E\xB6\x8F\xB0\xA1"), "漢ｶ丂");
	assert_string_equal(DECODE("euc-jp", "\xF5\xA1\xB4\n\x8F\xB0"), "〓(F5A1)[B4]\n[8F B0]");
}

static void test_charset_unicode_is_strict(void **state)
{
	assert_string_equal(DECODE("utf-8", "\xE6\xBC\xA2\xC0\xAF\xE3\x81x\xED\xA0\x80"),
			    "漢[C0 AF E3 81]x[ED A0 80]");
	assert_string_equal(DECODE("utf-16be", "\x6F\x22\xD8\x3D\xDE\x00\xDC\x00"), "漢😀[DC 00]");
	assert_string_equal(DECODE("utf-7", "+ZeVnLIqe- +- a"), "日本語 + a");
}

static void test_charset_other_east_asian(void **state)
{
	assert_string_equal(DECODE("gb18030", "\xBA\xBA\x81\x30\x81\x30\x94\x39\xDA\x33"),
			    "汉\xC2\x80\U0001F4A9");
	assert_string_equal(DECODE("big5", "\xBA\x7E\x88\x56"), "漢Ā");
	assert_string_equal(DECODE("euc-kr", "\xC7\xD1\x81\x41"), "한갂");
}

static void check_choice(const char *label, const char *in, const char *name, bool guessed)
{
	struct charset_choice choice = charset_choose(span_of(label), span_of(in));

	assert_string_equal(charset_name(choice.charset), name);
	assert_int_equal(choice.guessed, guessed);
}

static void test_charset_choice_believes_labels_until_bytes_speak_against_them(void **state)
{
	check_choice("", "plain", "UTF-8", false);
	check_choice("us-ascii", "plain", "UTF-8", false);
	check_choice("nonsense", "plain", "UTF-8", false);
	check_choice("us-ascii", "\x1B$B4A;z\x1B(B", "ISO-2022-JP", true);
	check_choice("utf-8", "\x1B$B4A;z\x1B(B", "ISO-2022-JP", true);
	check_choice("iso-8859-1", "日本語のメール", "UTF-8", true);
	check_choice("iso-8859-1",
		     "Gr\xFC\xDF"
		     "e",
		     "windows-1252", false);
	check_choice("utf-8", "\x93\xFA\x96\x7B\x8C\xEA\x82\xCC\x95\xB6", "Shift_JIS", true);
	check_choice("", "\xC6\xFC\xCB\xDC\xB8\xEC\xA4\xCE\xCA\xB8\xBE\xCF", "EUC-JP", true);
	check_choice("shift_jis", "\xC6\xFC\xCB\xDC\xB8\xEC\xA4\xCE\xCA\xB8\xBE\xCF", "EUC-JP",
		     true);
	check_choice("shift_jis", "\xB6\xC5\xB6\xC5", "Shift_JIS", false);
	check_choice("iso-2022-jp", "\x93\xFA\x96\x7B\x8C\xEA\x82\xCC\x95\xB6", "Shift_JIS", true);
}

static void test_charset_output_stops_at_its_limit(void **state)
{
	struct charset_report report = {0};
	struct bytes small;

	bytes_init(&small, 100);
	assert_true(charset_decode(charset_find(span_of("utf-8")),
				   span_of("a text that is long enough to pass the limit"), &small,
				   &report) < 0);
	bytes_fini(&small);
}

static int clean_up(void **state)
{
	bytes_fini(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charset_single_bytes_by_table),
		cmocka_unit_test(test_charset_jis_recovers_at_line_ends),
		cmocka_unit_test(test_charset_sjis_shows_gaiji_and_bad_bytes),
		cmocka_unit_test(test_charset_eucjp_knows_three_byte_codes),
		cmocka_unit_test(test_charset_unicode_is_strict),
		cmocka_unit_test(test_charset_other_east_asian),
		cmocka_unit_test(
			test_charset_choice_believes_labels_until_bytes_speak_against_them),
		cmocka_unit_test(test_charset_output_stops_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5424 messages: what is written is one safe line of valid UTF-8, and reads back as it was. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/log/syslog.h"

struct fixture {
	uint8_t bytes[4096];
	struct writer w;
};

static int setup(void **state)
{
	static struct fixture f;

	writer_init(&f.w, f.bytes, sizeof(f.bytes));
	*state = &f;
	return 0;
}

static struct span line_of(const struct fixture *f)
{
	return (struct span){f->bytes, f->w.size};
}

static void assert_line(struct fixture *f, const char *expected)
{
	writer_u8(&f->w, 0);
	assert_false(f->w.failed);
	assert_string_equal((const char *)f->bytes, expected);
}

static void test_syslog_header_is_rfc5424(void **state)
{
	struct fixture *f = *state;
	const struct syslog_header header = {.facility = 16,
					     .severity = 5,
					     .wall_ns = 1772323199123456789,
					     .utc_offset_s = 9 * 3600,
					     .host = "sekisho-1",
					     .app = "sekisho",
					     .process = "arbiter",
					     .message_id = "flow-denied"};

	syslog_put_header(&f->w, &header);
	assert_line(
		f,
		"<133>1 2026-03-01T08:59:59.123456+09:00 sekisho-1 sekisho arbiter flow-denied ");
}

static void test_syslog_time_is_read_back_to_the_second(void **state)
{
	static const struct {
		const char *text;
		int64_t wanted_s;
	} times[] = {{"1970-01-01T00:00:00Z", 0},
		     {"2026-04-01T09:00:00.123456+09:00", 1775001600},
		     {"2024-02-29T23:59:59.999999-01:30", 1709256599},
		     {"2038-01-19T03:14:08Z", 2147483648}};
	static const char *const wrong[] = {"-",
					    "",
					    "2026-04-01T09:00:00",
					    "2026-04-01 09:00:00Z",
					    "2026-13-01T09:00:00Z",
					    "2026-04-01T24:00:00Z",
					    "2026-04-01T09:00:00.1+9:00",
					    "2026-04-01T09:00:00+0900",
					    "2026-04-01T09:00:00Zx"};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(syslog_time_s(span_of(times[i].text), &seconds), 0);
		assert_int_equal(seconds, times[i].wanted_s);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(syslog_time_s(span_of(wrong[i]), &seconds), -ERR_SYNTAX);
}

static void test_syslog_time_holds_at_the_edges(void **state)
{
	static const struct {
		int64_t wall_ns;
		int32_t offset_s;
		const char *text;
	} cases[] = {
		{0, 0, "<0>1 1970-01-01T00:00:00.000000Z - - - - "},
		{-1, 0, "<0>1 1969-12-31T23:59:59.999999Z - - - - "},
		{951782400000000000, 0, "<0>1 2000-02-29T00:00:00.000000Z - - - - "},
		{4107542400000000000, 0, "<0>1 2100-03-01T00:00:00.000000Z - - - - "},
		{2147483648000000000, -16200, "<0>1 2038-01-18T22:44:08.000000-04:30 - - - - "},
		{INT64_MAX, 0, "<0>1 2262-04-11T23:47:16.854775Z - - - - "},
		{INT64_MIN, 0, "<0>1 1677-09-21T00:12:43.145224Z - - - - "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct syslog_header header = {.wall_ns = cases[i].wall_ns,
					       .utc_offset_s = cases[i].offset_s};

		setup(state);
		syslog_put_header(&((struct fixture *)*state)->w, &header);
		assert_line(*state, cases[i].text);
	}
}

static void test_syslog_header_fields_are_cut_and_cleaned(void **state)
{
	struct fixture *f = *state;
	char host[400];
	struct syslog_view view;

	memset(host, 'h', sizeof(host) - 1);
	host[399] = 0;
	syslog_put_header(&f->w, &(struct syslog_header){.host = host, .app = "a b\n\x80"});
	writer_text(&f->w, "-");
	assert_int_equal(syslog_parse(line_of(f), &view), 0);
	assert_int_equal(view.host.size, SYSLOG_HOST_MAX);
	assert_true(span_equal(view.app, span_of("a_b__")));
}

static void test_syslog_value_escapes_what_could_break_out(void **state)
{
	static const struct {
		const char *value;
		const char *text;
	} cases[] = {
		{"plain", " v=\"plain\""},
		{"a\"]b", " v=\"a\\\"\\]b\""},
		{"\\", " v=\"\\\\x5c\""},
		{"x\r\nFAKE", " v=\"x\\\\x0d\\\\x0aFAKE\""},
		{"\xff", " v=\"\\\\xff\""},
		{"\xe9\x96\xa2\xe6\x89\x80", " v=\"\xe9\x96\xa2\xe6\x89\x80\""},
		{"\xe2\x80\xae", " v=\"\\\\xe2\\\\x80\\\\xae\""},
		{"\xc2\x9b[31m", " v=\"\\\\xc2\\\\x9b[31m\""},
		{"", " v=\"\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(state);
		syslog_put_param(&((struct fixture *)*state)->w, "v", span_of(cases[i].value));
		assert_line(*state, cases[i].text);
	}
}

static void test_syslog_every_byte_pair_stays_one_parsable_line(void **state)
{
	for (unsigned pair = 0; pair < 65536; pair++) {
		struct fixture *f = *state;
		uint8_t value[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		struct syslog_view view;
		struct span found;

		setup(state);
		syslog_put_header(&f->w, &(struct syslog_header){.app = "x"});
		syslog_put_element(&f->w, "sekisho@32473");
		syslog_put_param(&f->w, "v", (struct span){value, 2});
		syslog_put_param_number(&f->w, "n", pair);
		syslog_end_element(&f->w);
		assert_true(utf8_valid(line_of(f)));
		assert_int_equal(syslog_parse(line_of(f), &view), 0);
		assert_int_equal(syslog_param(&view, "v", &found), 0);
		assert_true(found.size <= 2 * SYSLOG_VALUE_GROWTH);
		uint64_t number;
		assert_int_equal(syslog_param_number(&view, "n", &number), 0);
		assert_int_equal(number, pair);
	}
}

static void test_syslog_text_has_a_mark_only_where_it_is_not_ascii(void **state)
{
	struct fixture *f = *state;

	syslog_put_text(&f->w, "plain");
	syslog_put_text(&f->w, "");
	syslog_put_text(&f->w, "\xe9\x96\xa2");
	assert_line(f, " plain \xef\xbb\xbf\xe9\x96\xa2");
}

static void test_syslog_parse_takes_a_message_apart(void **state)
{
	struct syslog_view view;
	struct span value;
	uint64_t number;

	assert_int_equal(syslog_parse(span_of("<134>1 2026-01-01T00:00:00Z h a p id [x@1 "
					      "k=\"a\\]\\\"b\" n=\"7\"][y z=\"\"] "
					      "\xef\xbb\xbftext here"),
				      &view),
			 0);
	assert_int_equal(view.facility, 16);
	assert_int_equal(view.severity, 6);
	assert_true(span_equal(view.host, span_of("h")));
	assert_true(span_equal(view.text, span_of("text here")));
	assert_int_equal(syslog_param(&view, "k", &value), 0);
	assert_true(span_equal(value, span_of("a\\]\\\"b")));
	assert_int_equal(syslog_param(&view, "z", &value), 0);
	assert_int_equal(syslog_param(&view, "none", &value), -ERR_NOT_FOUND);
	assert_int_equal(syslog_param_number(&view, "n", &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(syslog_param_number(&view, "k", &number), -ERR_SYNTAX);
}

static void test_syslog_parse_refuses_what_is_not_a_message(void **state)
{
	static const char *const bad[] = {
		"",
		"<",
		"<134",
		"<192>1 - - - - - -",
		"<034>1 - - - - - -",
		"<1>2 - - - - - -",
		"<1>1 - - - - -",
		"<1>1 - - - - - ",
		"<1>1 - - - - - [",
		"<1>1 - - - - - []",
		"<1>1 - - - - - [x",
		"<1>1 - - - - - [x y]",
		"<1>1 - - - - - [x y=z]",
		"<1>1 - - - - - [x y=\"z]",
		"<1>1 - - - - - [x y=\"z\\",
		"<1>1 - - - - - -x",
		"<1>1 - - - - - [x y=\"]\"]",
		"<1>1  - - - - -",
		"<1>1 - - - - - - a\tb",
		"<1x>1 - - - - - -",
	};
	struct syslog_view view;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(syslog_parse(span_of(bad[i]), &view), -ERR_SYNTAX);
}

static void test_syslog_param_number_refuses_more_than_64_bits(void **state)
{
	struct syslog_view view;
	uint64_t number;

	assert_int_equal(syslog_parse(span_of("<1>1 - - - - - [x a=\"18446744073709551615\" "
					      "b=\"18446744073709551616\"]"),
				      &view),
			 0);
	assert_int_equal(syslog_param_number(&view, "a", &number), 0);
	assert_true(number == UINT64_MAX);
	assert_int_equal(syslog_param_number(&view, "b", &number), -ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_syslog_header_is_rfc5424, setup),
		cmocka_unit_test(test_syslog_time_is_read_back_to_the_second),
		cmocka_unit_test_setup(test_syslog_time_holds_at_the_edges, setup),
		cmocka_unit_test_setup(test_syslog_header_fields_are_cut_and_cleaned, setup),
		cmocka_unit_test_setup(test_syslog_value_escapes_what_could_break_out, setup),
		cmocka_unit_test_setup(test_syslog_every_byte_pair_stays_one_parsable_line, setup),
		cmocka_unit_test_setup(test_syslog_text_has_a_mark_only_where_it_is_not_ascii,
				       setup),
		cmocka_unit_test(test_syslog_parse_takes_a_message_apart),
		cmocka_unit_test(test_syslog_parse_refuses_what_is_not_a_message),
		cmocka_unit_test(test_syslog_param_number_refuses_more_than_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP command lines, paths and parameters. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/smtp/command.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_span(struct span got, const char *want)
{
	assert_int_equal(got.size, strlen(want));
	assert_memory_equal(got.data, want, got.size);
}

static void test_smtp_line_next_takes_only_crlf_as_line_end(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		int err;
		size_t taken;
	} cases[] = {
		{"NOOP\r\nQUIT\r\n", 12, 0, 6},    {"\r\n", 2, 0, 2},
		{"NOOP", 4, -ERR_TRUNCATED, 0},    {"NOOP\r", 5, -ERR_TRUNCATED, 0},
		{"", 0, -ERR_TRUNCATED, 0},        {"NOOP\n", 5, -ERR_SYNTAX, 0},
		{"NO\nOP\r\n", 7, -ERR_SYNTAX, 0}, {"NOOP\rX", 6, -ERR_SYNTAX, 0},
		{"NOOP\r\r\n", 7, -ERR_SYNTAX, 0}, {"NO\0P\r\n", 6, -ERR_SYNTAX, 0},
		{"0123456789\r\n", 12, 0, 12},     {"0123456789X\r\n", 13, -ERR_TOO_LONG, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span line = {0};
		size_t taken = 0;
		struct span in = {(const uint8_t *)cases[i].in, cases[i].size};

		assert_int_equal(smtp_line_next(in, 10, &line, &taken), cases[i].err);
		assert_int_equal(taken, cases[i].taken);
		if (cases[i].err == 0)
			assert_int_equal(line.size, taken - 2);
	}
}

static void test_smtp_line_parse_splits_verb_and_argument(void **state)
{
	struct smtp_line line = {0};

	assert_int_equal(smtp_line_parse(span_of("ehlo  mx.example.jp "), &line), 0);
	assert_int_equal(line.verb, SMTP_EHLO);
	assert_span(line.argument, "mx.example.jp");
	assert_int_equal(smtp_line_parse(span_of("DATA"), &line), 0);
	assert_int_equal(line.verb, SMTP_DATA);
	assert_int_equal(line.argument.size, 0);
	assert_int_equal(smtp_line_parse(span_of("DATAX"), &line), 0);
	assert_int_equal(line.verb, SMTP_UNKNOWN);
	assert_int_equal(smtp_line_parse(span_of("MAIL\tFROM:<>"), &line), -ERR_SYNTAX);
	assert_int_equal(smtp_line_parse(span_of(" NOOP"), &line), -ERR_SYNTAX);
	assert_int_equal(smtp_line_parse(span_of(""), &line), -ERR_SYNTAX);
}

static void test_smtp_line_parse_limits_lines_by_verb(void **state)
{
	char text[SMTP_LINE_MAX + SMTP_MAIL_EXTRA + 2];
	struct smtp_line line = {0};

	memset(text, 'x', sizeof(text));
	memcpy(text, "NOOP ", 5);
	assert_int_equal(smtp_line_parse((struct span){(uint8_t *)text, SMTP_LINE_MAX}, &line), 0);
	assert_int_equal(smtp_line_parse((struct span){(uint8_t *)text, SMTP_LINE_MAX + 1}, &line),
			 -ERR_TOO_LONG);
	memcpy(text, "MAIL ", 5);
	assert_int_equal(
		smtp_line_parse((struct span){(uint8_t *)text, SMTP_LINE_MAX + SMTP_MAIL_EXTRA},
				&line),
		0);
	assert_int_equal(
		smtp_line_parse((struct span){(uint8_t *)text, SMTP_LINE_MAX + SMTP_MAIL_EXTRA + 1},
				&line),
		-ERR_TOO_LONG);
}

static void test_smtp_path_parse_accepts_mailboxes(void **state)
{
	static const struct {
		const char *text, *local, *domain;
		bool quoted, literal;
	} cases[] = {
		{"", "", "", false, false},
		{"taro@example.jp", "taro", "example.jp", false, false},
		{"a.b+c/d=e@sub.example.jp", "a.b+c/d=e", "sub.example.jp", false, false},
		{"\"a b\\\"@>\"@example.jp", "\"a b\\\"@>\"", "example.jp", true, false},
		{"x@[192.0.2.1]", "x", "[192.0.2.1]", false, true},
		{"x@[IPv6:2001:db8::1]", "x", "[IPv6:2001:db8::1]", false, true},
		{"Postmaster", "Postmaster", "", false, false},
		{"x@pc_01.example.jp", "x", "pc_01.example.jp", false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_path path = {0};

		assert_int_equal(smtp_path_parse(span_of(cases[i].text), false, &path), 0);
		assert_span(path.local, cases[i].local);
		assert_span(path.domain, cases[i].domain);
		assert_int_equal(path.quoted, cases[i].quoted);
		assert_int_equal(path.literal, cases[i].literal);
	}
}

static void test_smtp_path_parse_refuses_what_is_no_mailbox(void **state)
{
	static const char *const cases[] = {
		"taro",
		"@example.jp",
		"taro@",
		"taro@@example.jp",
		"taro@example..jp",
		"taro@.jp",
		"taro@jp.",
		".taro@example.jp",
		"ta..ro@example.jp",
		"taro.@example.jp",
		"ta ro@example.jp",
		"taro@exam ple.jp",
		"<taro@example.jp",
		"@a,@b:taro@c.jp",
		"\"taro@example.jp",
		"\"ta\\",
		"\"ta\"ro@example.jp",
		"taro@-a.jp",
		"taro@a-.jp",
		"taro@[]",
		"taro@[evil.jp]",
		"taro@[192.0.2.1",
		"taro@a.jp>",
		"ta(c)ro@a.jp",
		"t\x01@a.jp",
		"\xe5\xa4\xaa@example.jp",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_path path = {0};

		assert_int_equal(smtp_path_parse(span_of(cases[i]), false, &path), -ERR_SYNTAX);
	}
}

static void test_smtp_path_parse_limits_lengths(void **state)
{
	char text[400];
	struct smtp_path path = {0};

	memset(text, 'a', sizeof(text));
	memcpy(text + SMTP_LOCAL_MAX, "@example.jp", 12);
	assert_int_equal(smtp_path_parse(span_of(text), false, &path), 0);
	memset(text, 'a', sizeof(text));
	memcpy(text + SMTP_LOCAL_MAX + 1, "@example.jp", 12);
	assert_int_equal(smtp_path_parse(span_of(text), false, &path), -ERR_TOO_LONG);
	memset(text, 'a', sizeof(text));
	memcpy(text, "x@", 2);
	text[2 + SMTP_LABEL_MAX + 1] = '\0';
	assert_int_equal(smtp_path_parse(span_of(text), false, &path), -ERR_TOO_LONG);
	text[2 + SMTP_LABEL_MAX] = '\0';
	assert_int_equal(smtp_path_parse(span_of(text), false, &path), 0);
	memset(text, 'a', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '.';
	text[1] = '@';
	assert_int_equal(smtp_path_parse((struct span){(uint8_t *)text, SMTP_PATH_MAX - 1}, false,
					 &path),
			 0);
	assert_int_equal(smtp_path_parse((struct span){(uint8_t *)text, SMTP_PATH_MAX + 1}, false,
					 &path),
			 -ERR_TOO_LONG);
}

static void test_smtp_path_parse_takes_utf8_only_where_asked(void **state)
{
	struct smtp_path path = {0};

	assert_int_equal(smtp_path_parse(span_of("太郎@例え.jp"), true, &path), 0);
	assert_span(path.domain, "例え.jp");
	assert_int_equal(smtp_path_parse(span_of("太郎@例え.jp"), false, &path), -ERR_SYNTAX);
	assert_int_equal(smtp_path_parse(span_of("\xc0\xaf@a.jp"), true, &path), -ERR_SYNTAX);
	assert_int_equal(smtp_path_parse(span_of("\xe5\xa4@a.jp"), true, &path), -ERR_SYNTAX);
}

static void test_smtp_mail_parse_reads_parameters(void **state)
{
	struct smtp_mail mail = {0};

	assert_int_equal(smtp_mail_parse(span_of("FROM:<a@b.jp> SIZE=1234 BODY=8BITMIME SMTPUTF8"),
					 &mail),
			 0);
	assert_span(mail.path.text, "a@b.jp");
	assert_true(mail.has_size && mail.utf8);
	assert_int_equal(mail.size_bytes, 1234);
	assert_int_equal(mail.body, SMTP_BODY_8BITMIME);
	assert_int_equal(smtp_mail_parse(span_of("from: <> body=7bit"), &mail), 0);
	assert_int_equal(mail.path.text.size, 0);
	assert_false(mail.has_size);
	assert_int_equal(smtp_mail_parse(span_of("FROM:<a@b.jp> SIZE=99999999999999999999"), &mail),
			 0);
	assert_true(mail.size_bytes == UINT64_MAX);
}

static void test_smtp_mail_parse_names_what_is_wrong(void **state)
{
	static const struct {
		const char *argument;
		int err;
	} cases[] = {
		{"FROM:a@b.jp", -ERR_SYNTAX},
		{"FROM:<a@b.jp", -ERR_SYNTAX},
		{"TO:<a@b.jp>", -ERR_SYNTAX},
		{"FROM:<a@b.jp>SIZE=1", -ERR_SYNTAX},
		{"FROM", -ERR_SYNTAX},
		{"FROM:", -ERR_SYNTAX},
		{"FROM:<\"a>@b.jp", -ERR_SYNTAX},
		{"FROM:<a@b.jp> SIZE", -ERR_RANGE},
		{"FROM:<a@b.jp> SIZE=-1", -ERR_RANGE},
		{"FROM:<a@b.jp> SIZE=1 SIZE=1", -ERR_RANGE},
		{"FROM:<a@b.jp> SIZE=999999999999999999999", -ERR_RANGE},
		{"FROM:<a@b.jp> BODY=BINARYMIME", -ERR_RANGE},
		{"FROM:<a@b.jp> SMTPUTF8=1", -ERR_RANGE},
		{"FROM:<a@b.jp> AUTH=<>", -ERR_UNSUPPORTED},
		{"FROM:<a@b.jp> RET=HDRS", -ERR_UNSUPPORTED},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_mail mail = {0};

		assert_int_equal(smtp_mail_parse(span_of(cases[i].argument), &mail), cases[i].err);
	}
}

static void test_smtp_rcpt_parse_takes_no_null_path_and_no_parameter(void **state)
{
	struct smtp_path path = {0};

	assert_int_equal(smtp_rcpt_parse(span_of("TO:<taro@example.jp>"), false, &path), 0);
	assert_span(path.domain, "example.jp");
	assert_int_equal(smtp_rcpt_parse(span_of("TO:<>"), false, &path), -ERR_SYNTAX);
	assert_int_equal(smtp_rcpt_parse(span_of("TO:<a@b.jp> NOTIFY=NEVER"), false, &path),
			 -ERR_UNSUPPORTED);
}

/* M6: ways around a relay check that name the true target in the local part. */
static void test_smtp_path_reroutes_finds_routes_in_the_local_part(void **state)
{
	static const struct {
		const char *text;
		bool reroutes;
	} cases[] = {
		{"a%evil.example@here.jp", true},
		{"evil.example!a@here.jp", true},
		{"\"a@evil.example\"@here.jp", true},
		{"a.b@here.jp", false},
		{"a+b@here.jp", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_path path = {0};

		assert_int_equal(smtp_path_parse(span_of(cases[i].text), false, &path), 0);
		assert_int_equal(smtp_path_reroutes(&path), cases[i].reroutes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_line_next_takes_only_crlf_as_line_end),
		cmocka_unit_test(test_smtp_line_parse_splits_verb_and_argument),
		cmocka_unit_test(test_smtp_line_parse_limits_lines_by_verb),
		cmocka_unit_test(test_smtp_path_parse_accepts_mailboxes),
		cmocka_unit_test(test_smtp_path_parse_refuses_what_is_no_mailbox),
		cmocka_unit_test(test_smtp_path_parse_limits_lengths),
		cmocka_unit_test(test_smtp_path_parse_takes_utf8_only_where_asked),
		cmocka_unit_test(test_smtp_mail_parse_reads_parameters),
		cmocka_unit_test(test_smtp_mail_parse_names_what_is_wrong),
		cmocka_unit_test(test_smtp_rcpt_parse_takes_no_null_path_and_no_parameter),
		cmocka_unit_test(test_smtp_path_reroutes_finds_routes_in_the_local_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

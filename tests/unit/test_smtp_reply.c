/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP replies as a client reads them. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/smtp/reply.h"

static int take(struct smtp_reply *r, const char *line)
{
	return smtp_reply_take(r, span_of(line));
}

static void test_smtp_reply_reads_code_and_enhanced_code(void **state)
{
	struct smtp_reply r = {0};

	smtp_reply_init(&r);
	assert_int_equal(take(&r, "550 5.1.1 <x@y>: user unknown"), 1);
	assert_int_equal(r.code, 550);
	assert_int_equal(r.class, 5);
	assert_int_equal(r.subject, 1);
	assert_int_equal(r.detail, 1);
	assert_true(r.complete);
	assert_int_equal(take(&r, "250 more"), -ERR_STATE);
}

/* RFC 2034 4: the class of both must agree; what does not is text. */
static void test_smtp_reply_ignores_an_enhanced_code_of_another_class(void **state)
{
	static const char *const lines[] = {"450 5.1.1 x", "250 ok",         "550 5.1",
					    "550 5.1.1x",  "550 5.1111.1 x", "550"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct smtp_reply r = {0};

		smtp_reply_init(&r);
		assert_int_equal(take(&r, lines[i]), 1);
		assert_int_equal(r.class, 0);
	}
}

static void test_smtp_reply_collects_extensions_over_lines(void **state)
{
	struct smtp_reply r = {0};

	smtp_reply_init(&r);
	assert_int_equal(take(&r, "250-8BITMIME is my name"), 0);
	assert_int_equal(take(&r, "250-size 5242880"), 0);
	assert_int_equal(take(&r, "250-PIPELINING"), 0);
	assert_int_equal(take(&r, "250-XUNKNOWN"), 0);
	assert_int_equal(take(&r, "250 ENHANCEDSTATUSCODES"), 1);
	assert_int_equal(r.extensions, SMTP_HAS_SIZE | SMTP_HAS_PIPELINING | SMTP_HAS_ENHANCED);
	assert_int_equal(r.size_limit, 5242880);
}

static void test_smtp_reply_refuses_what_is_no_reply(void **state)
{
	static const char *const lines[] = {"",      "25",    "hello", "150 x",
					    "650 x", "2x0 x", "250_x", "250\tx"};
	struct smtp_reply r = {0};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		smtp_reply_init(&r);
		assert_int_equal(take(&r, lines[i]), -ERR_SYNTAX);
	}
	smtp_reply_init(&r);
	assert_int_equal(take(&r, "250-a"), 0);
	assert_int_equal(take(&r, "251 b"), -ERR_SYNTAX);
}

static void test_smtp_reply_limits_lines(void **state)
{
	char text[SMTP_REPLY_LINE_MAX + 2];
	struct smtp_reply r = {0};

	memset(text, 'x', sizeof(text));
	memcpy(text, "250 ", 4);
	text[SMTP_REPLY_LINE_MAX + 1] = '\0';
	smtp_reply_init(&r);
	assert_int_equal(take(&r, text), -ERR_TOO_LONG);
	text[SMTP_REPLY_LINE_MAX] = '\0';
	assert_int_equal(take(&r, text), 1);
	smtp_reply_init(&r);
	for (unsigned i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		assert_int_equal(take(&r, "250-x"), 0);
	assert_int_equal(take(&r, "250 x"), -ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_reply_reads_code_and_enhanced_code),
		cmocka_unit_test(test_smtp_reply_ignores_an_enhanced_code_of_another_class),
		cmocka_unit_test(test_smtp_reply_collects_extensions_over_lines),
		cmocka_unit_test(test_smtp_reply_refuses_what_is_no_reply),
		cmocka_unit_test(test_smtp_reply_limits_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of a clamd: what counts as clean, and everything that does not (M2). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/scan/clamd.h"

static struct clamd_reply parse(const char *line)
{
	struct clamd_reply reply;

	assert_int_equal(clamd_reply_parse(span_of(line), &reply), 0);
	return reply;
}

static void check_text(const struct clamd_reply *reply, const char *want)
{
	assert_true(span_equal(reply->text, span_of(want)));
}

static void test_clamd_clean_is_one_text_only(void **state)
{
	static const char *const others[] = {
		"2: stream: OK ",
		"2: stream: OKAY",
		"2: stream: ok",
		"2: stream:OK",
		"2: OK",
		"2: Stream: OK",
		"2: stream: OK\n",
		"2: stream: ",
		"2: stream: ERROR",
		"2: stream: Can't allocate memory ERROR",
		"2: UNKNOWN COMMAND",
		"2: stream: FOUND",
		"2: COMMAND READ TIMED OUT",
	};

	assert_int_equal(parse("2: stream: OK").kind, CLAMD_CLEAN);
	assert_int_equal(parse("2: stream: OK").number, 2);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(parse(others[i]).kind, CLAMD_ERROR);
}

static void test_clamd_found_names_the_signature(void **state)
{
	struct clamd_reply reply = parse("12: stream: Eicar-Test-Signature FOUND");

	assert_int_equal(reply.kind, CLAMD_FOUND);
	assert_int_equal(reply.number, 12);
	check_text(&reply, "Eicar-Test-Signature");
}

static void test_clamd_too_big_is_told_apart(void **state)
{
	assert_int_equal(parse("2: INSTREAM size limit exceeded. ERROR").kind, CLAMD_TOO_BIG);
}

static void test_clamd_version_with_and_without_signatures(void **state)
{
	struct clamd_reply reply = parse("1: ClamAV 1.4.3/27400/Mon Sep 16 08:30:00 2024");

	assert_int_equal(reply.kind, CLAMD_VERSION);
	assert_true(reply.has_time);
	assert_int_equal(reply.local_time_s, 1726475400);
	reply = parse("1: ClamAV 1.4.3/27400/Thu Feb 29 23:59:59 2024");
	assert_int_equal(reply.local_time_s, 1709251199);
	reply = parse("1: ClamAV 1.4.3/27400/Tue Jan  5 00:00:00 2027");
	assert_int_equal(reply.local_time_s, 1799107200);
	reply = parse("1: ClamAV 1.4.3");
	assert_int_equal(reply.kind, CLAMD_VERSION);
	assert_false(reply.has_time);
	assert_false(parse("1: ClamAV 1.4.3/27400/Mon Sop 16 08:30:00 2024").has_time);
	assert_false(parse("1: ClamAV 1.4.3/27400/Mon Sep 16 08:30:00 2024x").has_time);
	assert_false(parse("1: ClamAV 1.4.3/27400/Mon Sep 32 08:30:00 2024").has_time);
}

static void test_clamd_what_has_no_number_is_no_reply(void **state)
{
	static const char *const broken[] = {"",
					     "stream: OK",
					     "0: stream: OK",
					     "2 stream: OK",
					     "2:stream: OK",
					     "100: stream: OK",
					     "-1: stream: OK",
					     "99999999999: stream: OK"};
	struct clamd_reply reply;
	char large[CLAMD_REPLY_MAX + 2];

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(clamd_reply_parse(span_of(broken[i]), &reply), -ERR_SYNTAX);
	memset(large, 'x', sizeof(large));
	assert_int_equal(clamd_reply_parse((struct span){(uint8_t *)large, sizeof(large)}, &reply),
			 -ERR_TOO_LONG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clamd_clean_is_one_text_only),
		cmocka_unit_test(test_clamd_found_names_the_signature),
		cmocka_unit_test(test_clamd_too_big_is_told_apart),
		cmocka_unit_test(test_clamd_version_with_and_without_signatures),
		cmocka_unit_test(test_clamd_what_has_no_number_is_no_reply),
	};

	return cmocka_run_group_tests_name("clamd", tests, NULL, NULL);
}

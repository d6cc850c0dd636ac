/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS queries: right, wrong in every part, and cut at every byte (Z8). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/dns_query.h"

/* www.example.jp, type A, class IN, with an OPT record that carries a cookie. */
static const uint8_t query[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\1"
			       "\3www\7example\2jp\0\0\1\0\1"
			       "\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08"
			       "abcdefgh";
enum { QUERY_BYTES = sizeof(query) - 1, QUESTION_AT = 12, OPT_AT = 32 };

/* The query with one byte changed. */
static int read_changed(size_t at, uint8_t value)
{
	uint8_t copy[QUERY_BYTES];
	struct dns_query out;

	memcpy(copy, query, sizeof(copy));
	copy[at] = value;
	return dns_query_read(&out, copy, sizeof(copy));
}

static void test_dns_query_reads_name_and_type(void **state)
{
	struct dns_query out;

	assert_int_equal(dns_query_read(&out, query, QUERY_BYTES), 0);
	assert_string_equal(out.name, "www.example.jp");
	assert_int_equal(out.name_bytes, strlen("www.example.jp"));
	assert_int_equal(out.id, 0x1234);
	assert_int_equal(out.type, 1);
}

static void test_dns_query_cut_anywhere_is_truncated(void **state)
{
	struct dns_query out;

	for (size_t i = 0; i < QUERY_BYTES; i++)
		assert_int_equal(dns_query_read(&out, query, i), -ERR_TRUNCATED);
}

static void test_dns_query_refuses_what_is_no_query(void **state)
{
	assert_int_equal(read_changed(2, 0x81), -ERR_UNSUPPORTED); /* an answer */
	assert_int_equal(read_changed(2, 0x29), -ERR_UNSUPPORTED); /* an update */
	assert_int_equal(read_changed(2, 0x03), -ERR_SYNTAX);      /* cut off by its sender */
	assert_int_equal(read_changed(3, 0x05), -ERR_SYNTAX);      /* a response code */
	assert_int_equal(read_changed(5, 0), -ERR_SYNTAX);         /* no question */
	assert_int_equal(read_changed(5, 2), -ERR_SYNTAX);         /* two */
	assert_int_equal(read_changed(7, 1), -ERR_SYNTAX);         /* an answer section */
	assert_int_equal(read_changed(9, 1), -ERR_SYNTAX);
	assert_int_equal(read_changed(11, 2), -ERR_SYNTAX);
}

static void test_dns_query_refuses_other_names_and_records(void **state)
{
	assert_int_equal(read_changed(QUESTION_AT, 0xc0), -ERR_SYNTAX); /* a pointer */
	assert_int_equal(read_changed(QUESTION_AT, 0x40), -ERR_SYNTAX); /* a reserved label */
	assert_int_equal(read_changed(QUESTION_AT + 1, 0), -ERR_SYNTAX);
	assert_int_equal(read_changed(QUESTION_AT + 1, '.'), -ERR_SYNTAX);
	assert_int_equal(read_changed(OPT_AT + 2, 0x10), -ERR_SYNTAX);  /* TXT instead of OPT */
	assert_int_equal(read_changed(OPT_AT + 14, 0x09), -ERR_SYNTAX); /* an option too long */
}

static void test_dns_query_refuses_bytes_behind_it(void **state)
{
	uint8_t longer[QUERY_BYTES + 1] = {0};
	struct dns_query out;

	memcpy(longer, query, QUERY_BYTES);
	assert_int_equal(dns_query_read(&out, longer, sizeof(longer)), -ERR_SYNTAX);
}

static void test_dns_query_name_of_more_than_253_is_too_long(void **state)
{
	uint8_t message[400] = "\0\1\1\0\0\1\0\0\0\0\0\0";
	struct dns_query out;
	size_t at = QUESTION_AT;

	for (int i = 0; i < 4; i++) {
		message[at] = 63;
		memset(message + at + 1, 'a', 63);
		at += 64;
	}
	assert_int_equal(dns_query_read(&out, message, at + 5), -ERR_TOO_LONG);
	message[QUESTION_AT + 3 * 64] = 61; /* 3 * 64 + 61 = 253 */
	message[QUESTION_AT + 3 * 64 + 62] = 0;
	at = QUESTION_AT + 3 * 64 + 62 + 1 + 4;
	assert_int_equal(dns_query_read(&out, message, at), 0);
	assert_int_equal(out.name_bytes, DNS_NAME_BYTES_MAX);
}

static void test_dns_query_over_tcp_waits_for_all_of_it(void **state)
{
	uint8_t stream[2 + QUERY_BYTES + 3] = {0, QUERY_BYTES};
	struct dns_query out;

	memcpy(stream + 2, query, QUERY_BYTES);
	for (size_t i = 0; i < 2 + QUERY_BYTES; i++)
		assert_int_equal(dns_query_read_stream(&out, stream, i), -ERR_TRUNCATED);
	assert_int_equal(dns_query_read_stream(&out, stream, sizeof(stream)), 0);
	assert_string_equal(out.name, "www.example.jp");
	stream[1] = QUERY_BYTES - 1; /* its length lies */
	assert_int_equal(dns_query_read_stream(&out, stream, sizeof(stream)), -ERR_SYNTAX);
	stream[0] = 0xff;
	assert_int_equal(dns_query_read_stream(&out, stream, sizeof(stream)), -ERR_TOO_LONG);
}

static void test_dns_answer_is_told_from_a_query(void **state)
{
	uint8_t answer[QUERY_BYTES];
	struct dns_query out;

	assert_int_equal(dns_answer_read(&out, query, QUERY_BYTES), -ERR_UNSUPPORTED);
	memcpy(answer, query, sizeof(answer));
	answer[2] |= 0x80;
	assert_int_equal(dns_answer_read(&out, answer, sizeof(answer)), 0);
	assert_string_equal(out.name, "www.example.jp");
	assert_int_equal(dns_answer_read(&out, answer, 20), -ERR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_query_reads_name_and_type),
		cmocka_unit_test(test_dns_query_cut_anywhere_is_truncated),
		cmocka_unit_test(test_dns_query_refuses_what_is_no_query),
		cmocka_unit_test(test_dns_query_refuses_other_names_and_records),
		cmocka_unit_test(test_dns_query_refuses_bytes_behind_it),
		cmocka_unit_test(test_dns_query_name_of_more_than_253_is_too_long),
		cmocka_unit_test(test_dns_query_over_tcp_waits_for_all_of_it),
		cmocka_unit_test(test_dns_answer_is_told_from_a_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

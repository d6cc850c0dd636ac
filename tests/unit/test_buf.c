/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds of the readers and writers that everything else trusts. */
#include "unit.h"

#include "base/buf.h"
#include "base/err.h"

static void test_buf_reader_decodes_network_order(void **state)
{
	const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct reader r;

	reader_init(&r, wire, sizeof(wire));
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_be16(&r), 0x0203);
	assert_int_equal(reader_be32(&r), 0x04050607);
	assert_int_equal(reader_be64(&r), 0x08090a0b0c0d0e0fULL);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_peek(&r), -1);
	assert_false(r.failed);
}

static void test_buf_reader_fails_for_good_past_the_end(void **state)
{
	const uint8_t wire[] = {1, 2, 3};
	struct reader r;

	reader_init(&r, wire, sizeof(wire));
	assert_int_equal(reader_be32(&r), 0);
	assert_true(r.failed);
	/* Also what would still have fitted yields nothing now. */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_null(reader_span(&r, 1).data);
}

static void test_buf_reader_span_refuses_sizes_that_wrap(void **state)
{
	const uint8_t wire[] = {1, 2, 3};
	struct reader r;

	reader_init(&r, wire, sizeof(wire));
	(void)reader_u8(&r);
	assert_int_equal(reader_span(&r, SIZE_MAX).size, 0);
	assert_true(r.failed);
}

static void test_buf_writer_writes_whole_values_or_nothing(void **state)
{
	uint8_t out[5];
	struct writer w;

	writer_init(&w, out, sizeof(out));
	writer_be32(&w, 0x01020304);
	writer_be16(&w, 0x0506);
	assert_true(w.failed);
	assert_int_equal(w.size, 4);
	writer_u8(&w, 7); /* would fit, but the output is already incomplete */
	assert_int_equal(w.size, 4);
	assert_memory_equal(out, "\1\2\3\4", 4);
}

static void test_buf_writer_printf_fails_where_text_is_cut(void **state)
{
	char out[8];
	struct writer w;

	writer_init(&w, out, sizeof(out));
	writer_printf(&w, "%d", 1234567);
	assert_false(w.failed);
	assert_int_equal(w.size, 7);
	writer_printf(&w, "%d", 8);
	assert_true(w.failed);
	assert_int_equal(w.size, 7);
}

static void test_buf_bytes_keeps_content_when_limit_is_reached(void **state)
{
	struct bytes b;

	bytes_init(&b, 6);
	assert_int_equal(bytes_append_text(&b, "abcd"), 0);
	assert_int_equal(bytes_append_text(&b, "efg"), -ERR_TOO_LONG);
	assert_true(b.failed);
	assert_int_equal(bytes_append_text(&b, "e"), -ERR_TOO_LONG);
	assert_true(span_equal(bytes_span(&b), span_of("abcd")));
	bytes_clear(&b);
	assert_int_equal(bytes_append_text(&b, "efghij"), 0);
	bytes_fini(&b);
}

static void test_buf_bytes_grows_over_many_appends(void **state)
{
	struct bytes b;

	bytes_init(&b, 100000);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(bytes_printf(&b, "%04d", i % 10000), 0);
	assert_int_equal(b.size, 80000);
	assert_memory_equal(b.data + 4 * 9999, "99990000", 8);
	bytes_fini(&b);
}

static void test_buf_span_compares_ascii_case_only(void **state)
{
	assert_true(span_equal_nocase(span_of("MAIL from"), span_of("mail FROM")));
	assert_false(span_equal_nocase(span_of("MAIL"), span_of("MAILS")));
	assert_false(span_equal_nocase(span_of("[a"), span_of("{A")));
	assert_true(span_starts_nocase(span_of("Content-Type"), span_of("content-")));
	assert_true(span_equal(span_trim(span_of(" \t a b\r\n")), span_of("a b")));
	assert_int_equal(span_trim(span_of(" \r\n")).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_reader_decodes_network_order),
		cmocka_unit_test(test_buf_reader_fails_for_good_past_the_end),
		cmocka_unit_test(test_buf_reader_span_refuses_sizes_that_wrap),
		cmocka_unit_test(test_buf_writer_writes_whole_values_or_nothing),
		cmocka_unit_test(test_buf_writer_printf_fails_where_text_is_cut),
		cmocka_unit_test(test_buf_bytes_keeps_content_when_limit_is_reached),
		cmocka_unit_test(test_buf_bytes_grows_over_many_appends),
		cmocka_unit_test(test_buf_span_compares_ascii_case_only),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MIME parsers: fields, parameters, words, encodings, mailboxes, dates, part trees. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/mime/address.h"
#include "wire/mime/date.h"
#include "wire/mime/tree.h"
#include "wire/mime/word.h"

static struct bytes out;
static struct charset_report report;

static const char *text_of(struct bytes *b)
{
	assert_int_equal(bytes_append_u8(b, '\0'), 0);
	return (const char *)b->data;
}

static struct bytes *fresh(void)
{
	bytes_fini(&out);
	bytes_init(&out, 1 << 20);
	return &out;
}

static const char *param(const char *value, const char *name)
{
	assert_int_equal(mime_value_param(span_of(value), name, fresh(), &report), 0);
	return text_of(&out);
}

static const char *words(const char *value)
{
	assert_int_equal(mime_text_decode(span_of(value), fresh(), &report), 0);
	return text_of(&out);
}

static void test_mime_field_unfolds_and_finds_without_case(void **state)
{
	struct span header = span_of("A: 1\r\nsubject : two\r\n lines\r\njunk\r\nA: 2\r\n");
	struct mime_field field;

	assert_true(mime_field_find(header, "Subject", &field));
	assert_int_equal(mime_value_unfold(field.value, fresh()), 0);
	assert_string_equal(text_of(&out), "two lines");
	assert_int_equal(mime_field_count(header, "a"), 2);
	assert_false(mime_field_find(header, "B", &field));
}

static void test_mime_header_ends_at_the_empty_line_or_at_junk(void **state)
{
	struct span header, body;
	bool junk;

	mime_header_split(span_of("A: 1\n\nbody"), &header, &body, &junk);
	assert_true(span_equal(body, span_of("body")) && !junk);
	mime_header_split(span_of("A: 1\nno field\n\nx"), &header, &body, &junk);
	assert_true(span_equal(body, span_of("no field\n\nx")) && junk);
}

static void test_mime_param_joins_continuations_and_decodes_once(void **state)
{
	assert_string_equal(
		param("a; filename*0*=UTF-8''%E6%BC; filename*1*=%A2; filename*2=\".pdf\"",
		      "filename"),
		"漢.pdf");
	assert_string_equal(param("a; name=\"=?UTF-8?B?5ryi?=\"", "name"), "漢");
	assert_string_equal(param("a; name=\"semi;colon \\\"quoted\\\"\" ; x=y", "name"),
			    "semi;colon \"quoted\"");
	assert_string_equal(param("a (com;ment); name*=''plain", "name"), "plain");
	assert_string_equal(param("a; name=\"\x1B$B\"\";z\x1B(B\"; b=c", "b"), "c");
	assert_string_equal(param("a; name=x; name*=utf-8''%79", "name"), "y");
	assert_int_equal(mime_value_param(span_of("a; b=c"), "name", fresh(), &report),
			 -ERR_NOT_FOUND);
}

static void test_mime_words_are_joined_before_they_are_decoded(void **state)
{
	assert_string_equal(words("=?UTF-8?B?5rw=?= =?utf-8?B?og==?="), "漢");
	assert_string_equal(words("a =?UTF-8?Q?b_c=E6=BC=A2?= d"), "a b c漢 d");
	assert_string_equal(words("\"=?UTF-8*ja?Q?x?=\""), "\"x\"");
	assert_string_equal(words("=?UTF-8?X?x?= =?UTF-8?B?x"), "=?UTF-8?X?x?= =?UTF-8?B?x");
	assert_string_equal(words("=?ISO-2022-JP?B?GyRCNEE=?= =?ISO-2022-JP?B?O3obKEI=?="), "漢字");
	assert_string_equal(words("=?UTF-8?Q?a?= =?ISO-8859-1?Q?=FC?="), "aü");
}

static void test_mime_decode_is_lenient_and_counts(void **state)
{
	struct mime_decode_report r = {0};

	assert_int_equal(mime_decode(MIME_ENCODING_BASE64, span_of("YWJj\r\nZGU=YQ"), fresh(), &r),
			 0);
	assert_string_equal(text_of(&out), "abcdea"); /* padding inside, and none at the end */
	assert_int_equal(r.malformed, 1);             /* where another reader stops */
	r.malformed = 0;
	assert_int_equal(mime_decode(MIME_ENCODING_BASE64, span_of("Y!W#Jj"), fresh(), &r), 0);
	assert_string_equal(text_of(&out), "abc");
	assert_int_equal(r.malformed, 2);
	assert_int_equal(mime_decode(MIME_ENCODING_QUOTED, span_of("a=3Db= \r\nc  \r\nd=zz=3d="),
				     fresh(), &r),
			 0);
	assert_string_equal(text_of(&out), "a=bc\r\nd=zz=");
	assert_int_equal(mime_decode(MIME_ENCODING_UU, span_of("begin 644 x\n#86)C\n`\nend\n"),
				     fresh(), &r),
			 0);
	assert_string_equal(text_of(&out), "abc");
}

static void check_mailbox(struct span list, size_t *at, const char *name, const char *address)
{
	char written[MIME_ADDRESS_BYTES_MAX + 3] = "";
	struct mime_mailbox mailbox;

	assert_true(mime_mailbox_next(list, at, &mailbox));
	assert_int_equal(mime_mailbox_name(&mailbox, fresh(), &report), 0);
	assert_string_equal(text_of(&out), name);
	assert_int_equal(mime_mailbox_address(&mailbox, written) == 0, address != NULL);
	if (address != NULL)
		assert_string_equal(written, address);
}

static void test_mime_mailboxes_of_all_shapes(void **state)
{
	struct span list = span_of(
		"a@b.jp, \"A, B\" <c@d.jp>, e@f.jp (=?UTF-8?B?5ryi?=), G: <h@i.jp>, j@k.jp;, "
		"x..y.@docomo.ne.jp, <no address>, =?UTF-8?B?5ryi?=<z@z.jp>");
	struct span bare = span_of("<a@b.jp>,<c@d.jp> (C), <e@f.jp>");
	struct mime_mailbox mailbox;
	size_t at = 0;

	check_mailbox(list, &at, "", "a@b.jp");
	check_mailbox(list, &at, "A, B", "c@d.jp");
	check_mailbox(list, &at, "漢", "e@f.jp");
	check_mailbox(list, &at, "", "h@i.jp");
	check_mailbox(list, &at, "", "j@k.jp");
	check_mailbox(list, &at, "", "\"x..y.\"@docomo.ne.jp");
	check_mailbox(list, &at, "", NULL);
	check_mailbox(list, &at, "漢", "z@z.jp");
	assert_false(mime_mailbox_next(list, &at, &mailbox));
	at = 0; /* what stands in brackets alone is no name, at the list's very beginning neither */
	check_mailbox(bare, &at, "", "a@b.jp");
	check_mailbox(bare, &at, "C", "c@d.jp");
	check_mailbox(bare, &at, "", "e@f.jp");
	assert_false(mime_mailbox_next(bare, &at, &mailbox));
}

static void check_date(const char *text, const char *written)
{
	char buffer[MIME_DATE_BYTES];
	struct mime_date date;

	if (written == NULL) {
		assert_true(mime_date_parse(span_of(text), &date) < 0);
		return;
	}
	assert_int_equal(mime_date_parse(span_of(text), &date), 0);
	mime_date_write(&date, buffer);
	assert_string_equal(buffer, written);
}

static void test_mime_dates_are_read_and_written(void **state)
{
	check_date("Sun, 22 Nov 2026 09:00:00 +0900 (JST)", "Sun, 22 Nov 2026 09:00:00 +0900");
	check_date("1 Jan 70 0:00 GMT", "Thu, 01 Jan 1970 00:00:00 +0000");
	check_date("Mon, 29 Feb 2016 23:59:60 -0330", "Mon, 29 Feb 2016 23:59:59 -0330");
	check_date("31 Dec 1969 23:59:59 +0000", "Wed, 31 Dec 1969 23:59:59 +0000");
	check_date("yesterday", NULL);
	check_date("32 Jan 2026 00:00:00 +0000", NULL);
	check_date("1 Jan 2026 24:00:00 +0000", NULL);
	check_date("", NULL);
}

static void test_mime_tree_reads_nested_parts(void **state)
{
	static const char message[] =
		"Content-Type: multipart/mixed; boundary=a\n\nbefore\n--a\n"
		"Content-Type: multipart/alternative; boundary=\"a-b\"\n\n--a-b\n\none\n--a-b\n"
		"Content-Type: text/html\n\ntwo\n--a-b--\n--a\nContent-Type: message/rfc822\n\n"
		"Subject: x\n\ninner\n--a--\nafter\n";
	struct mime_tree tree;

	assert_int_equal(mime_tree_parse(&tree, span_of(message), 1 << 20), 0);
	assert_int_equal(tree.count, 6);
	assert_int_equal(tree.parts[0].kind, MIME_MULTIPART);
	assert_true(tree.parts[0].aside_bytes > 0);
	assert_true(tree.parts[0].flags & MIME_NEAR_BOUNDARY); /* --a-b begins like --a */
	assert_string_equal(tree.parts[4].type, "text/html");
	assert_true(span_equal(tree.parts[3].body, span_of("one")));
	assert_true(span_equal(tree.parts[5].body, span_of("inner")));
	assert_int_equal(tree.parts[5].parent, 2);
	mime_tree_fini(&tree);
}

static void test_mime_tree_stops_at_its_limits(void **state)
{
	struct mime_tree tree;
	struct bytes message;

	bytes_init(&message, 1 << 20);
	for (int i = 0; i < MIME_DEPTH_MAX + 5; i++)
		assert_int_equal(bytes_append_text(&message, "Content-Type: message/rfc822\n\n"),
				 0);
	assert_int_equal(mime_tree_parse(&tree, bytes_span(&message), 0), 0);
	assert_true(tree.parts[tree.count - 1].flags & MIME_LIMIT_DEPTH);
	mime_tree_fini(&tree);
	bytes_clear(&message);
	assert_int_equal(
		bytes_append_text(&message, "Content-Type: multipart/mixed; boundary=a\n\n"), 0);
	for (int i = 0; i < MIME_PARTS_MAX + 100; i++)
		assert_int_equal(bytes_append_text(&message, "--a\n\nx\n"), 0);
	assert_int_equal(mime_tree_parse(&tree, bytes_span(&message), 0), 0);
	assert_true(tree.parts[0].flags & MIME_LIMIT_PARTS);
	assert_in_range(tree.count, MIME_PARTS_MAX, MIME_PARTS_MAX + 1);
	mime_tree_fini(&tree);
	bytes_fini(&message);
}

static int clean_up(void **state)
{
	bytes_fini(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mime_field_unfolds_and_finds_without_case),
		cmocka_unit_test(test_mime_header_ends_at_the_empty_line_or_at_junk),
		cmocka_unit_test(test_mime_param_joins_continuations_and_decodes_once),
		cmocka_unit_test(test_mime_words_are_joined_before_they_are_decoded),
		cmocka_unit_test(test_mime_decode_is_lenient_and_counts),
		cmocka_unit_test(test_mime_mailboxes_of_all_shapes),
		cmocka_unit_test(test_mime_dates_are_read_and_written),
		cmocka_unit_test(test_mime_tree_reads_nested_parts),
		cmocka_unit_test(test_mime_tree_stops_at_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}

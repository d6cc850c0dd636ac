/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of receipts: whole files, limits, what is refused; and their text for people (M8, A6).
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/receipts.h"
#include "base/err.h"
#include "base/sealed.h"
#include "place.h"

static struct receipts receipts;
static struct place place;

/* A receipt whose id is @number, @padding bytes longer than the shortest. Return: sealed memfd. */
static int make(unsigned number, size_t padding)
{
	struct bytes text;
	int fd = -1;

	bytes_init(&text, 2 * RECEIPT_BYTES_MAX);
	assert_int_equal(bytes_printf(&text, "{\"receipt\":\"%020x\",\"name\":\"", number), 0);
	for (size_t i = 0; i < padding; i++)
		assert_int_equal(bytes_append_u8(&text, 'x'), 0);
	assert_int_equal(bytes_append_text(&text, "\"}\n"), 0);
	assert_int_equal(sealed_make("receipt", bytes_span(&text), &fd), 0);
	bytes_fini(&text);
	return fd;
}

static int store(unsigned number, size_t padding)
{
	struct receipt_stored stored;
	int fd = make(number, padding), err = receipts_store(&receipts, fd, &stored);

	close(fd);
	return err;
}

static int find(const char *id)
{
	struct bytes out;
	int err;

	bytes_init(&out, 2 * RECEIPT_BYTES_MAX);
	err = receipts_find(&receipts, id, &out);
	bytes_fini(&out);
	return err;
}

static int setup(void **state)
{
	place_open(&place);
	assert_int_equal(receipts_open(&receipts, place.dir, 4, 4096), 0);
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

static void test_receipts_are_found_by_id_and_after_a_restart(void **state)
{
	assert_int_equal(store(0xabcdef, 10), 0);
	assert_int_equal(find("00000000000000abcdef"), 0);
	assert_int_equal(find("00000000000000"), 0);
	assert_int_equal(find("123456"), -ERR_NOT_FOUND);
	assert_int_equal(find("0000"), -ERR_SYNTAX);
	assert_int_equal(find("../../etc/passwd"), -ERR_SYNTAX);
	assert_int_equal(receipts_open(&receipts, place.dir, 4, 4096), 0);
	assert_int_equal(find("00000000000000abcdef"), 0);
	assert_int_equal(receipts.next_number, 2);
}

static void test_receipts_oldest_give_way_by_count_and_by_size(void **state)
{
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(store(i, 10), 0);
	assert_int_equal(receipts.count, 4);
	assert_int_equal(find("00000000000000000002"), -ERR_NOT_FOUND);
	assert_int_equal(find("00000000000000000003"), 0);
	assert_int_equal(store(7, 4020), 0);
	assert_int_equal(receipts.count, 1);
	assert_true(receipts.total_bytes <= 4096);
	assert_int_equal(store(8, 10), 0);
	assert_int_equal(receipts_open(&receipts, place.dir, 1, 4096), 0);
	assert_int_equal(receipts.count, 1);
	assert_int_equal(find("00000000000000000008"), 0);
	assert_int_equal(find("00000000000000000007"), -ERR_NOT_FOUND);
}

static void test_receipts_refuse_what_is_none(void **state)
{
	static const char *const broken[] = {
		"",
		"{}",
		"{\"receipt\":\"0123\"}",
		"{\"receipt\":\"0123456789ABCDEF0123\"}",
		"{\"receipt\":\"../../../../../../../etc\"}",
		"{\"receipt\":\"0123456789abcdef0123\",\"x\":\"\xff\"}"};
	struct receipt_stored stored;
	int fd;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(sealed_make("receipt", span_of(broken[i]), &fd), 0);
		assert_int_equal(receipts_store(&receipts, fd, &stored), -ERR_SYNTAX);
		close(fd);
	}
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(receipts_store(&receipts, fd, &stored), -ERR_INTEGRITY);
	close(fd);
	assert_int_equal(store(1, RECEIPT_BYTES_MAX), -ERR_TOO_LONG);
	assert_int_equal(receipts.count, 0);
}

static void check_text(const char *json, bool names, const char *want)
{
	struct bytes out;

	bytes_init(&out, 4096);
	assert_int_equal(receipt_text(span_of(json), names, &out), 0);
	assert_int_equal(bytes_append_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, want);
	bytes_fini(&out);
}

static void test_receipt_text_masks_all_but_what_it_knows(void **state)
{
	static const char json[] = "{\"receipt\":\"ab\",\"unknown\":\"taro\",\"drops\":[{\"name\":"
				   "\"a\\\"b\",\"kind\":\"PDF\",\"bytes\":3}]}\n";

	check_text(json, true,
		   "{\n  \"receipt\": \"ab\",\n  \"unknown\": \"taro\",\n  \"drops\": [\n    {\n"
		   "      \"name\": \"a\\\"b\",\n      \"kind\": \"PDF\",\n      \"bytes\": 3\n    "
		   "}\n  ]\n}\n");
	check_text(json, false,
		   "{\n  \"receipt\": \"ab\",\n  \"unknown\": ***,\n  \"drops\": [\n    {\n"
		   "      \"name\": ***,\n      \"kind\": \"PDF\",\n      \"bytes\": 3\n    }\n  "
		   "]\n}\n");
}

static void test_receipt_text_of_broken_json_is_printable_and_masked(void **state)
{
	check_text("\"taro\x1b[31m", false, "***\n");
	check_text("{\"x\":\"\x1b\xe2\x80\xae\xff", true, "{\n  \"x\": \"???\n");
	check_text("]]]}}}", true, "\n]\n]\n]\n}\n}\n}\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_receipts_are_found_by_id_and_after_a_restart,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_receipts_oldest_give_way_by_count_and_by_size,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_receipts_refuse_what_is_none, setup, teardown),
		cmocka_unit_test(test_receipt_text_masks_all_but_what_it_knows),
		cmocka_unit_test(test_receipt_text_of_broken_json_is_printable_and_masked),
	};

	return cmocka_run_group_tests_name("receipts", tests, NULL, NULL);
}

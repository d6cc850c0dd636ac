/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RFB handshake with every version, and with peers that lie in it (Z4). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb_handshake.h"

static uint8_t sent[512];
static struct writer out;

/* Feed the caller byte by byte, as the slowest network would. */
static int call(const void *bytes, size_t size, struct rfb_caller *c)
{
	size_t at = 0;
	int event = RFB_HANDSHAKE_MORE;

	writer_init(&out, sent, sizeof(sent));
	rfb_caller_init(c);
	for (size_t end = 1; end <= size && event == RFB_HANDSHAKE_MORE; end++) {
		struct reader r;

		reader_init(&r, (const uint8_t *)bytes + at, end - at);
		event = rfb_caller_next(c, &r, &out);
		at += r.at;
	}
	return event;
}

#define FORMAT        "\x20\x18\0\1\0\xff\0\xff\0\xff\x10\x08\0\xca\xca\xca"
#define CALL(text, c) call(text, sizeof(text) - 1, c)

static void test_rfb_caller_logs_in_with_each_version(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL("RFB 003.008\n\2\x10\1\0\0\0\0\4\0\3\0" FORMAT "\0\0\0\3abc", &c),
			 RFB_HANDSHAKE_DONE);
	assert_int_equal(c.width, 1024);
	assert_int_equal(c.height, 768);
	assert_memory_equal(sent, "RFB 003.008\n\1\1", 14);
	assert_int_equal(out.size, 14);
	assert_int_equal(CALL("RFB 003.007\n\1\1\4\0\3\0" FORMAT "\0\0\0\0", &c),
			 RFB_HANDSHAKE_DONE);
	assert_memory_equal(sent, "RFB 003.007\n\1\1", 14);
	assert_int_equal(CALL("RFB 003.003\n\0\0\0\1\4\0\3\0" FORMAT "\0\0\0\1x", &c),
			 RFB_HANDSHAKE_DONE);
	assert_memory_equal(sent, "RFB 003.003\n\1", 13);
	assert_int_equal(CALL("RFB 003.005\n\0\0\0\1\4\0\3\0" FORMAT "\0\0\0\1x", &c),
			 RFB_HANDSHAKE_DONE);
	assert_memory_equal(sent, "RFB 003.003\n", 12);
	assert_int_equal(CALL("RFB 003.889\n\1\1\0\0\0\0\4\0\3\0" FORMAT "\0\0\0\1x", &c),
			 RFB_HANDSHAKE_DONE);
	assert_memory_equal(sent, "RFB 003.008\n", 12);
}

static void test_rfb_caller_refuses_versions_that_are_none(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL("HTTP/1.1 200", &c), -ERR_SYNTAX);
	assert_int_equal(CALL("RFB 003.00x\n", &c), -ERR_SYNTAX);
	assert_int_equal(CALL("RFB 003 008\n", &c), -ERR_SYNTAX);
	assert_int_equal(CALL("RFB 003.008 ", &c), -ERR_SYNTAX);
	assert_int_equal(CALL("RFB 003.002\n", &c), -ERR_UNSUPPORTED);
	assert_int_equal(CALL("RFB 002.008\n", &c), -ERR_UNSUPPORTED);
	assert_int_equal(out.size, 0);
}

static void test_rfb_caller_takes_no_security_type_but_none(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL("RFB 003.008\n\4\2\x10\x13\x1e", &c), -ERR_UNSUPPORTED);
	assert_string_equal(c.fault, "security-type-not-offered");
	assert_int_equal(out.size, 12); /* nothing but the version was answered */
	assert_int_equal(CALL("RFB 003.003\n\0\0\0\2", &c), -ERR_UNSUPPORTED);
	assert_int_equal(CALL("RFB 003.003\n\1\0\0\1", &c), -ERR_UNSUPPORTED);
}

static void test_rfb_caller_ends_on_a_refusal_without_reading_its_reason(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL("RFB 003.008\n\0", &c), -ERR_DENIED);
	assert_int_equal(CALL("RFB 003.008\n\1\1\0\0\0\1", &c), -ERR_DENIED);
	assert_int_equal(CALL("RFB 003.008\n\1\1\xff\xff\xff\xff", &c), -ERR_DENIED);
	assert_int_equal(CALL("RFB 003.003\n\0\0\0\0", &c), -ERR_DENIED);
	assert_string_equal(c.fault, "refused-by-desktop");
}

static void test_rfb_caller_refuses_a_name_of_four_gigabytes(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL("RFB 003.007\n\1\1\4\0\3\0" FORMAT "\xff\xff\xff\xff", &c),
			 -ERR_TOO_LONG);
	assert_int_equal(CALL("RFB 003.007\n\1\1\4\0\3\0" FORMAT "\0\0\x10\1", &c), -ERR_TOO_LONG);
	assert_int_equal(CALL("RFB 003.007\n\1\1\4\0\3\0" FORMAT "\0\0\x10\0", &c),
			 RFB_HANDSHAKE_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfb_caller_logs_in_with_each_version),
		cmocka_unit_test(test_rfb_caller_refuses_versions_that_are_none),
		cmocka_unit_test(test_rfb_caller_takes_no_security_type_but_none),
		cmocka_unit_test(test_rfb_caller_ends_on_a_refusal_without_reading_its_reason),
		cmocka_unit_test(test_rfb_caller_refuses_a_name_of_four_gigabytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

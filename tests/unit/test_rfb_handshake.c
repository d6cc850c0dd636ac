/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RFB handshake with every version, and with peers that lie in it (Z4). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb/handshake.h"

static uint8_t sent[512];
static struct writer out;

/* Feed a caller byte by byte, as the slowest network would, until it is somebody else's turn. */
static int go_on(const void *bytes, size_t size, struct rfb_caller *c)
{
	size_t at = 0;
	int event = RFB_HANDSHAKE_MORE;

	for (size_t end = 1; end <= size && event == RFB_HANDSHAKE_MORE; end++) {
		struct reader r;

		reader_init(&r, (const uint8_t *)bytes + at, end - at);
		event = rfb_caller_next(c, &r, &out);
		at += r.at;
	}
	return event;
}

static int call_as(enum rfb_security type, enum rfb_subtype subtype, const void *bytes, size_t size,
		   struct rfb_caller *c)
{
	writer_init(&out, sent, sizeof(sent));
	rfb_caller_init(c, type, subtype);
	return go_on(bytes, size, c);
}

#define FORMAT        "\x20\x18\0\1\0\xff\0\xff\0\xff\x10\x08\0\xca\xca\xca"
#define CALL(text, c) call_as(RFB_SECURITY_NONE, RFB_SUBTYPE_NONE, text, sizeof(text) - 1, c)
#define CALL_VNC(text, c)                                                                          \
	call_as(RFB_SECURITY_VNC_AUTH, RFB_SUBTYPE_NONE, text, sizeof(text) - 1, c)
#define CALL_X509(subtype, text, c)                                                                \
	call_as(RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_##subtype, text, sizeof(text) - 1, c)
#define GO_ON(text, c) go_on(text, sizeof(text) - 1, c)

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

	assert_int_equal(CALL("RFB 003.008\n\4\2\x10\x13\x1e", &c), -ERR_NOT_FOUND);
	assert_string_equal(c.fault, "security-type-not-offered");
	assert_int_equal(c.offered_count, 4);
	assert_memory_equal(c.offered, ((uint32_t[]){2, 16, 19, 30}), 16);
	assert_int_equal(out.size, 12); /* nothing but the version was answered */
	assert_int_equal(CALL("RFB 003.003\n\0\0\0\2", &c), -ERR_NOT_FOUND);
	assert_int_equal(CALL("RFB 003.003\n\1\0\0\1", &c), -ERR_NOT_FOUND);
}

/* None beside the type that is wanted is a downgrade, in each version. */
static void test_rfb_caller_takes_no_security_type_but_the_wanted(void **state)
{
	struct rfb_caller c;

	assert_int_equal(CALL_VNC("RFB 003.008\n\3\1\x10\x13", &c), -ERR_NOT_FOUND);
	assert_int_equal(CALL_VNC("RFB 003.003\n\0\0\0\1", &c), -ERR_NOT_FOUND);
	assert_int_equal(CALL_X509(NONE, "RFB 003.008\n\3\1\2\x10", &c), -ERR_NOT_FOUND);
	assert_int_equal(CALL_X509(NONE, "RFB 003.003\n\0\0\0\x13", &c), -ERR_NOT_FOUND);
	assert_int_equal(out.size, 12);
}

/* The answer that every VNC program gives to this challenge; its key has each octet turned round.
 */
static void test_rfb_caller_answers_a_challenge(void **state)
{
	static const char *const versions[] = {"RFB 003.008\n\2\x10\2", "RFB 003.007\n\1\2",
					       "RFB 003.003\n\0\0\0\2"};
	static const size_t sizes[] = {15, 14, 16};
	static const uint8_t challenge[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	static const uint8_t response[] = {0x45, 0x62, 0x8a, 0xec, 0x67, 0x63, 0x68, 0xb1,
					   0x9e, 0x4e, 0xe5, 0x89, 0xbc, 0x53, 0x2b, 0xab};
	struct rfb_caller c;

	for (unsigned i = 0; i < 3; i++) {
		size_t before = i < 2 ? 13 : 12;

		assert_int_equal(call_as(RFB_SECURITY_VNC_AUTH, RFB_SUBTYPE_NONE, versions[i],
					 sizes[i], &c),
				 RFB_HANDSHAKE_MORE);
		assert_int_equal(go_on(challenge, sizeof(challenge), &c), RFB_HANDSHAKE_LOGIN);
		rfb_caller_login(&c, (struct span){0}, span_of("sekisho-and-more"), &out);
		assert_int_equal(out.size, before + 16);
		assert_memory_equal(sent + before, response, sizeof(response));
		assert_int_equal(GO_ON("\0\0\0\0", &c), RFB_HANDSHAKE_MORE);
		assert_int_equal(sent[out.size - 1], 1); /* ClientInit */
	}
	assert_int_equal(CALL_VNC("RFB 003.003\n\0\0\0\2 challenge here ", &c),
			 RFB_HANDSHAKE_LOGIN);
	rfb_caller_login(&c, (struct span){0}, span_of("x"), &out);
	assert_int_equal(GO_ON("\0\0\0\1", &c), -ERR_DENIED);
	assert_string_equal(c.fault, "login-refused-by-desktop");
}

#define VENCRYPT  "RFB 003.008\n\2\1\x13"
#define X509NONE  "\0\0\1\4"
#define X509PLAIN "\0\0\1\6"
#define TLSNONE   "\0\0\1\1"

static void test_rfb_caller_goes_through_vencrypt(void **state)
{
	struct rfb_caller c;
	struct reader nothing;

	reader_init(&nothing, sent, 0);
	assert_int_equal(CALL_X509(NONE, VENCRYPT "\0\2\0\2" X509PLAIN X509NONE "\1", &c),
			 RFB_HANDSHAKE_TLS);
	assert_memory_equal(sent + 12, "\x13\0\2" X509NONE, 7);
	assert_int_equal(out.size, 19);
	assert_int_equal(rfb_caller_secured(&c, &nothing), 0);
	assert_int_equal(GO_ON("\0\0\0\0\4\0\3\0" FORMAT "\0\0\0\0", &c), RFB_HANDSHAKE_DONE);

	assert_int_equal(CALL_X509(PLAIN, VENCRYPT "\0\2\0\2" X509PLAIN X509NONE "\1", &c),
			 RFB_HANDSHAKE_TLS);
	assert_int_equal(rfb_caller_secured(&c, &nothing), 0);
	assert_int_equal(rfb_caller_next(&c, &nothing, &out), RFB_HANDSHAKE_LOGIN);
	rfb_caller_login(&c, span_of("relay"), span_of("secret"), &out);
	assert_memory_equal(sent + 19, "\0\0\0\5\0\0\0\6relaysecret", 19);
	assert_int_equal(GO_ON("\0\0\0\1", &c), -ERR_DENIED);
	assert_string_equal(c.fault, "login-refused-by-desktop");
}

static void test_rfb_caller_refuses_a_vencrypt_that_is_not_the_wanted(void **state)
{
	static const struct {
		const char *said;
		size_t size;
		int error;
	} desktops[] = {
#define SAYS(text, error) {VENCRYPT text, sizeof(VENCRYPT text) - 1, error}
		SAYS("\0\1", -ERR_UNSUPPORTED),
		SAYS("\0\0", -ERR_UNSUPPORTED),
		SAYS("\0\2\1", -ERR_UNSUPPORTED),
		SAYS("\0\2\0\0", -ERR_DENIED),
		SAYS("\0\2\0\1" X509PLAIN, -ERR_NOT_FOUND),
		SAYS("\0\2\0\2" TLSNONE "\0\0\1\0", -ERR_NOT_FOUND),
		SAYS("\0\2\0\1\0\0\0\1", -ERR_NOT_FOUND),
		SAYS("\0\2\0\1" X509NONE "\0", -ERR_DENIED),
		SAYS("\0\2\0\1" X509NONE "\2", -ERR_DENIED),
#undef SAYS
	};
	struct rfb_caller c;

	for (size_t i = 0; i < sizeof(desktops) / sizeof(desktops[0]); i++)
		assert_int_equal(call_as(RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_NONE,
					 desktops[i].said, desktops[i].size, &c),
				 desktops[i].error);
}

/* 255 of them are read to the last one; the record keeps the first. */
static void test_rfb_caller_finds_its_subtype_among_many(void **state)
{
	static uint8_t said[255 * 4] = {0};
	struct rfb_caller c;

	memcpy(said + sizeof(said) - 4, X509NONE, 4);
	assert_int_equal(CALL_X509(NONE, VENCRYPT "\0\2\0\xff", &c), RFB_HANDSHAKE_MORE);
	assert_int_equal(go_on(said, sizeof(said) - 1, &c), RFB_HANDSHAKE_MORE);
	assert_int_equal(CALL_X509(NONE, VENCRYPT "\0\2\0\xff", &c), RFB_HANDSHAKE_MORE);
	assert_int_equal(go_on(said, sizeof(said), &c), RFB_HANDSHAKE_MORE);
	assert_int_equal(c.offered_count, 255);
	assert_int_equal(GO_ON("\1", &c), RFB_HANDSHAKE_TLS);
}

static void test_rfb_caller_reads_no_plain_text_as_protected(void **state)
{
	static const uint8_t result[] = {0, 0, 0, 0};
	struct rfb_caller c;
	struct reader left;

	reader_init(&left, result, sizeof(result));
	assert_int_equal(CALL_X509(NONE, VENCRYPT "\0\2\0\1" X509NONE "\1", &c), RFB_HANDSHAKE_TLS);
	assert_int_equal(rfb_caller_secured(&c, &left), -ERR_SYNTAX);
	assert_string_equal(c.fault, "plain-text-before-tls");
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
		cmocka_unit_test(test_rfb_caller_takes_no_security_type_but_the_wanted),
		cmocka_unit_test(test_rfb_caller_answers_a_challenge),
		cmocka_unit_test(test_rfb_caller_goes_through_vencrypt),
		cmocka_unit_test(test_rfb_caller_refuses_a_vencrypt_that_is_not_the_wanted),
		cmocka_unit_test(test_rfb_caller_finds_its_subtype_among_many),
		cmocka_unit_test(test_rfb_caller_reads_no_plain_text_as_protected),
		cmocka_unit_test(test_rfb_caller_ends_on_a_refusal_without_reading_its_reason),
		cmocka_unit_test(test_rfb_caller_refuses_a_name_of_four_gigabytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handshake towards viewers: each version, None and VeNCrypt, and what is not offered. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb/greeter.h"

static uint8_t sent[256];
static struct writer out;

/* What the greeter says to a client that sends @bytes; the last event. */
static int greet(enum rfb_subtype subtype, const void *bytes, size_t size, struct rfb_greeter *g)
{
	int event = RFB_HANDSHAKE_MORE;
	size_t at = 0;

	writer_init(&out, sent, sizeof(sent));
	rfb_greeter_init(g, subtype, &out);
	for (size_t end = 1; end <= size && event == RFB_HANDSHAKE_MORE; end++) {
		struct reader r;

		reader_init(&r, (const uint8_t *)bytes + at, end - at);
		event = rfb_greeter_next(g, &r, &out);
		at += r.at;
	}
	return event;
}

#define GREET(text, g) greet(RFB_SUBTYPE_NONE, text, sizeof(text) - 1, g)

static void test_rfb_greeter_serves_each_version(void **state)
{
	struct rfb_greeter g;

	assert_int_equal(GREET("RFB 003.008\n\1\0", &g), RFB_HANDSHAKE_SIZE);
	assert_memory_equal(sent, "RFB 003.008\n\1\1\0\0\0\0", 18);
	assert_int_equal(out.size, 18);
	assert_int_equal(GREET("RFB 003.007\n\1\1", &g), RFB_HANDSHAKE_SIZE);
	assert_int_equal(out.size, 14); /* 3.7 has no result for None */
	assert_int_equal(GREET("RFB 003.003\n\1", &g), RFB_HANDSHAKE_SIZE);
	assert_memory_equal(sent + 12, "\0\0\0\1", 4);
}

static void test_rfb_greeter_tells_our_own_name_and_format(void **state)
{
	struct rfb_greeter g;
	struct reader r;

	assert_int_equal(GREET("RFB 003.003\n\1", &g), RFB_HANDSHAKE_SIZE);
	writer_init(&out, sent, sizeof(sent));
	rfb_greeter_size(&g, 640, 480, "Name", &out);
	assert_int_equal(out.size, 24 + 4);
	assert_memory_equal(
		sent, "\2\x80\1\xe0\x20\x18\0\1\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\4Name", 28);
	reader_init(&r, "", 0);
	assert_int_equal(rfb_greeter_next(&g, &r, &out), RFB_HANDSHAKE_DONE);
}

static void test_rfb_greeter_refuses_a_security_type_that_was_not_offered(void **state)
{
	struct rfb_greeter g;

	for (unsigned i = 0; i < 512; i++) {
		uint8_t bytes[] = "RFB 003.008\n\0";
		enum rfb_subtype subtype = i < 256 ? RFB_SUBTYPE_NONE : RFB_SUBTYPE_X509_PLAIN;
		unsigned type = i % 256;

		bytes[12] = (uint8_t)type;
		if (type == (i < 256 ? RFB_SECURITY_NONE : RFB_SECURITY_VENCRYPT))
			continue;
		assert_int_equal(greet(subtype, bytes, 13, &g), -ERR_DENIED);
		assert_memory_equal(sent + 14, "\0\0\0\1", 4);
	}
}

static void test_rfb_greeter_refuses_what_is_no_viewer(void **state)
{
	struct rfb_greeter g;

	assert_int_equal(GREET("GET / HTTP/1", &g), -ERR_SYNTAX);
	assert_int_equal(GREET("RFB 004.001\n", &g), -ERR_UNSUPPORTED);
	assert_int_equal(GREET("RFB 003.000\n", &g), -ERR_UNSUPPORTED);
}

#define CHOSEN "RFB 003.008\n\x13\0\2\0\0\1\x06" /* VeNCrypt 0.2, X509Plain */

/* A viewer that has gone through TLS and sends @bytes, all of them there. */
static int log_in(enum rfb_subtype subtype, const void *bytes, size_t size, struct rfb_greeter *g)
{
	const char *chosen =
		subtype == RFB_SUBTYPE_X509_PLAIN ? CHOSEN : "RFB 003.008\n\x13\0\2\0\0\1\x04";
	struct reader r;

	assert_int_equal(greet(subtype, chosen, sizeof(CHOSEN) - 1, g), RFB_HANDSHAKE_TLS);
	reader_init(&r, "", 0);
	assert_int_equal(rfb_greeter_secured(g, &r), 0);
	reader_init(&r, bytes, size);
	return rfb_greeter_next(g, &r, &out);
}

static void test_rfb_greeter_offers_one_vencrypt_subtype(void **state)
{
	struct rfb_greeter g;

	assert_int_equal(greet(RFB_SUBTYPE_X509_PLAIN, CHOSEN, sizeof(CHOSEN) - 1, &g),
			 RFB_HANDSHAKE_TLS);
	assert_int_equal(out.size, 12 + 2 + 2 + 2 + 4 + 1);
	assert_memory_equal(sent, "RFB 003.008\n\1\x13\0\2\0\1\0\0\1\x06\1", out.size);
}

static void test_rfb_greeter_refuses_other_subtypes_and_versions(void **state)
{
	static const uint32_t subtypes[] = {0, 1, 2, 19, 256, 257, 258, 259, 260, 261, 263, 16};
	struct rfb_greeter g;

	for (size_t i = 0; i < sizeof(subtypes) / sizeof(subtypes[0]); i++) {
		uint8_t bytes[] = CHOSEN;

		bytes[17] = (uint8_t)(subtypes[i] >> 8);
		bytes[18] = (uint8_t)subtypes[i];
		assert_int_equal(greet(RFB_SUBTYPE_X509_PLAIN, bytes, sizeof(bytes) - 1, &g),
				 -ERR_DENIED);
		assert_int_equal(sent[out.size - 1], 0);
	}
#define VERSION(text) greet(RFB_SUBTYPE_X509_NONE, "RFB 003.008\n\x13" text, 15, &g)
	assert_int_equal(VERSION("\0\1"), -ERR_UNSUPPORTED);
	assert_int_equal(VERSION("\1\2"), -ERR_UNSUPPORTED);
	assert_int_equal(greet(RFB_SUBTYPE_X509_PLAIN, "RFB 003.003\n", 12, &g), -ERR_UNSUPPORTED);
}

static void test_rfb_greeter_takes_no_plain_text_into_tls(void **state)
{
	struct rfb_greeter g;
	struct reader r;

	assert_int_equal(greet(RFB_SUBTYPE_X509_PLAIN, CHOSEN, sizeof(CHOSEN) - 1, &g),
			 RFB_HANDSHAKE_TLS);
	reader_init(&r, "\0", 1);
	assert_int_equal(rfb_greeter_secured(&g, &r), -ERR_SYNTAX);
	assert_string_equal(g.fault, "plain-text-before-tls");
}

static void test_rfb_greeter_reads_name_and_password_whole(void **state)
{
	static const char bytes[] = "\0\0\0\5\0\0\0\6"
				    "suzuki!secret";
	struct rfb_greeter g;

	for (size_t size = 0; size < 8 + 11; size++)
		assert_int_equal(log_in(RFB_SUBTYPE_X509_PLAIN, bytes, size, &g),
				 RFB_HANDSHAKE_MORE);
	assert_int_equal(log_in(RFB_SUBTYPE_X509_PLAIN, bytes, sizeof(bytes) - 1, &g),
			 RFB_HANDSHAKE_LOGIN);
	assert_true(span_equal(g.name, span_of("suzuk")));
	assert_true(span_equal(g.password, span_of("i!secr")));
	assert_int_equal(log_in(RFB_SUBTYPE_X509_NONE, "", 0, &g), RFB_HANDSHAKE_LOGIN);
	assert_int_equal(g.name.size + g.password.size, 0);
}

static void test_rfb_greeter_bounds_name_and_password(void **state)
{
	struct rfb_greeter g;

#define LENGTHS(text) log_in(RFB_SUBTYPE_X509_PLAIN, text, 8, &g)
	assert_int_equal(LENGTHS("\0\0\4\1\0\0\0\0"), -ERR_TOO_LONG);
	assert_int_equal(LENGTHS("\0\0\0\0\0\0\4\1"), -ERR_TOO_LONG);
	assert_int_equal(LENGTHS("\xff\xff\xff\xff\0\0\0\1"), -ERR_TOO_LONG);
	assert_int_equal(LENGTHS("\0\0\4\0\0\0\4\0"), RFB_HANDSHAKE_MORE);
	assert_int_equal(LENGTHS("\0\0\0\0\0\0\0\0"), RFB_HANDSHAKE_LOGIN);
}

static void test_rfb_greeter_goes_on_only_with_a_judgement(void **state)
{
	struct rfb_greeter g;
	struct reader r;

	assert_int_equal(log_in(RFB_SUBTYPE_X509_PLAIN, "\0\0\0\0\0\0\0\0", 8, &g),
			 RFB_HANDSHAKE_LOGIN);
	reader_init(&r, "\1", 1);
	assert_int_equal(rfb_greeter_next(&g, &r, &out), RFB_HANDSHAKE_MORE);
	writer_init(&out, sent, sizeof(sent));
	rfb_greeter_refuse(&g, &out);
	assert_memory_equal(sent, "\0\0\0\1\0\0\0\x0dlogin refused", 21);
	assert_int_equal(rfb_greeter_next(&g, &r, &out), RFB_HANDSHAKE_MORE);
	writer_init(&out, sent, sizeof(sent));
	rfb_greeter_admit(&g, &out);
	assert_memory_equal(sent, "\0\0\0\0", 4);
	assert_int_equal(rfb_greeter_next(&g, &r, &out), RFB_HANDSHAKE_SIZE);
}

/* Inside of TLS no octet says that TLS begins: name and password follow the subtype. */
static void test_rfb_greeter_reads_a_login_where_tls_stands(void **state)
{
	static const char plain[] = "RFB 003.008\n\x13\0\2\0\0\1\0"
				    "\0\0\0\4\0\0\0\3namepwd";
	struct rfb_greeter g;

	assert_int_equal(greet(RFB_SUBTYPE_PLAIN, plain, sizeof(plain) - 1, &g),
			 RFB_HANDSHAKE_LOGIN);
	assert_memory_equal(sent, "RFB 003.008\n\1\x13\0\2\0\1\0\0\1\0", 22);
	assert_int_equal(out.size, 22);
	assert_true(span_equal(g.name, span_of("name")));
	assert_true(span_equal(g.password, span_of("pwd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfb_greeter_serves_each_version),
		cmocka_unit_test(test_rfb_greeter_tells_our_own_name_and_format),
		cmocka_unit_test(test_rfb_greeter_refuses_a_security_type_that_was_not_offered),
		cmocka_unit_test(test_rfb_greeter_refuses_what_is_no_viewer),
		cmocka_unit_test(test_rfb_greeter_offers_one_vencrypt_subtype),
		cmocka_unit_test(test_rfb_greeter_refuses_other_subtypes_and_versions),
		cmocka_unit_test(test_rfb_greeter_takes_no_plain_text_into_tls),
		cmocka_unit_test(test_rfb_greeter_reads_name_and_password_whole),
		cmocka_unit_test(test_rfb_greeter_reads_a_login_where_tls_stands),
		cmocka_unit_test(test_rfb_greeter_bounds_name_and_password),
		cmocka_unit_test(test_rfb_greeter_goes_on_only_with_a_judgement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

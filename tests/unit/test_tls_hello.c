/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ClientHello: whole, split in every way, post-quantum in size, and wrong in every part (Z8). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/tls_hello.h"

#define STREAM_BYTES 40000

static uint8_t scratch[TLS_HELLO_BYTES_MAX];
static uint8_t stream[STREAM_BYTES];

/* Extensions: server_name, supported_versions with GREASE, and a key share of @share_bytes. */
static void write_extensions(struct writer *w, const char *name, size_t share_bytes)
{
	static const uint8_t share[TLS_HELLO_BYTES_MAX];
	size_t name_bytes = name != NULL ? strlen(name) : 0;

	writer_be16(w, (uint16_t)((name != NULL ? name_bytes + 9 : 0) + 11 + 4 + share_bytes));
	if (name != NULL) {
		writer_be16(w, 0);
		writer_be16(w, (uint16_t)(name_bytes + 5));
		writer_be16(w, (uint16_t)(name_bytes + 3));
		writer_u8(w, 0);
		writer_be16(w, (uint16_t)name_bytes);
		writer_text(w, name);
	}
	writer_bytes(w, "\0\x2b\0\7\6\x7a\x7a\3\4\3\3", 11);
	writer_be16(w, 51);
	writer_be16(w, (uint16_t)share_bytes);
	writer_bytes(w, share, share_bytes);
}

/* The handshake message: a header of four bytes and the body. */
static size_t write_message(uint8_t *out, size_t capacity, const char *name, size_t share_bytes)
{
	static const uint8_t random[32] = {1, 2, 3};
	struct writer w;

	writer_init(&w, out, capacity);
	writer_be32(&w, 0);
	writer_be16(&w, 0x0303);
	writer_bytes(&w, random, sizeof(random));
	writer_u8(&w, 0);
	writer_be16(&w, 2);
	writer_be16(&w, 0x1301);
	writer_be16(&w, 0x0100);
	write_extensions(&w, name, share_bytes);
	assert_false(w.failed);
	size_t body = w.size - 4;

	out[0] = 1;
	out[1] = (uint8_t)(body >> 16);
	out[2] = (uint8_t)(body >> 8);
	out[3] = (uint8_t)body;
	return w.size;
}

/* The message in records of at most @record_bytes. */
static size_t write_stream(const char *name, size_t share_bytes, size_t record_bytes)
{
	static uint8_t message[STREAM_BYTES];
	size_t size = write_message(message, sizeof(message), name, share_bytes);
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	for (size_t at = 0; at < size; at += record_bytes) {
		size_t part = size - at < record_bytes ? size - at : record_bytes;

		writer_u8(&w, 22);
		writer_be16(&w, 0x0301);
		writer_be16(&w, (uint16_t)part);
		writer_bytes(&w, message + at, part);
	}
	assert_false(w.failed);
	return w.size;
}

static void expect_name(size_t size, const char *name)
{
	struct tls_hello hello;

	assert_int_equal(tls_hello_read(&hello, stream, size, scratch), 0);
	assert_true(span_equal(hello.server_name, span_of(name)));
	assert_int_equal(hello.legacy_version, 0x0303);
	assert_int_equal(hello.highest_version, 0x0304);
	assert_false(hello.has_encrypted_hello);
}

static void test_tls_hello_reads_the_server_name(void **state)
{
	expect_name(write_stream("www.example.lg.jp", 36, 16384), "www.example.lg.jp");
}

static void test_tls_hello_puts_split_records_together(void **state)
{
	for (size_t record = 1; record < 60; record++)
		expect_name(write_stream("www.example.lg.jp", 36, record), "www.example.lg.jp");
}

static void test_tls_hello_takes_post_quantum_sizes(void **state)
{
	expect_name(write_stream("a.example", 1216, 16384), "a.example"); /* X25519MLKEM768 */
	expect_name(write_stream("a.example", 16000, 4096), "a.example");
}

static void test_tls_hello_wants_more_at_every_cut(void **state)
{
	struct tls_hello hello;

	for (size_t record = 7; record < 300; record += 97) {
		size_t size = write_stream("www.example.lg.jp", 36, record);

		for (size_t cut = 0; cut < size; cut++)
			assert_int_equal(tls_hello_read(&hello, stream, cut, scratch),
					 -ERR_TRUNCATED);
	}
}

static void test_tls_hello_refuses_what_is_not_tls(void **state)
{
	static const char *const others[] = {"GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH\r\n",
					     "\x80\x2e\1\3\1",     "\x16\2\0\0\5",
					     "\x15\3\1\0\2\2\x28", "\x16\3\1\0\4\2\0\0\0"};
	static const size_t sizes[] = {16, 17, 5, 5, 7, 9};
	struct tls_hello hello;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(tls_hello_read(&hello, others[i], sizes[i], scratch),
				 -ERR_UNSUPPORTED);
}

static void test_tls_hello_limits_the_message(void **state)
{
	struct tls_hello hello;

	size_t size = write_stream("a.example", 16330, 4096);

	assert_int_equal(tls_hello_read(&hello, stream, size, scratch), -ERR_TOO_LONG);
	/* A length of 16 MB is refused as soon as it is seen. */
	assert_int_equal(tls_hello_read(&hello, "\x16\3\1\0\x40\1\xff\xff\xff", 9, scratch),
			 -ERR_TOO_LONG);
	assert_int_equal(tls_hello_read(&hello, "\x16\3\1\x40\1", 5, scratch), -ERR_TOO_LONG);
	assert_int_equal(tls_hello_read(&hello, "\x16\3\1\0\0", 5, scratch), -ERR_SYNTAX);
}

static void test_tls_hello_refuses_names_that_are_none(void **state)
{
	static const char *const names[] = {"",    ".",     "a.",  ".a",
					    "a b", "a\x01", "a/b", "\xe9\x81\x93"};
	struct tls_hello hello;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = write_stream(names[i], 36, 16384);

		assert_int_equal(tls_hello_read(&hello, stream, size, scratch), -ERR_SYNTAX);
	}
}

static void test_tls_hello_without_a_name_has_none(void **state)
{
	expect_name(write_stream(NULL, 36, 16384), "");
}

/* Every single changed byte: an answer, never a read outside (the sanitizers watch), and lengths
 * that lie are refused. */
static void test_tls_hello_survives_every_changed_byte(void **state)
{
	size_t size = write_stream("www.example.lg.jp", 36, 16384);
	struct tls_hello hello;

	for (size_t at = 0; at < size; at++) {
		uint8_t before = stream[at];

		for (unsigned value = 0; value < 256; value += 17) {
			stream[at] = (uint8_t)value;
			int err = tls_hello_read(&hello, stream, size, scratch);

			assert_true(err <= 0 && err > -ERR_COUNT_);
		}
		stream[at] = before;
	}
	stream[5 + 3]--; /* the message is one byte shorter than its content */
	assert_int_equal(tls_hello_read(&hello, stream, size, scratch), -ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_hello_reads_the_server_name),
		cmocka_unit_test(test_tls_hello_puts_split_records_together),
		cmocka_unit_test(test_tls_hello_takes_post_quantum_sizes),
		cmocka_unit_test(test_tls_hello_wants_more_at_every_cut),
		cmocka_unit_test(test_tls_hello_refuses_what_is_not_tls),
		cmocka_unit_test(test_tls_hello_limits_the_message),
		cmocka_unit_test(test_tls_hello_refuses_names_that_are_none),
		cmocka_unit_test(test_tls_hello_without_a_name_has_none),
		cmocka_unit_test(test_tls_hello_survives_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

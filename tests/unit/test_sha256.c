/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 against the examples of FIPS 180-4 and every way to cut the input. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

static void expect_digest(const void *data, size_t size, const char *hex)
{
	uint8_t digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];

	sha256_of(data, size, digest);
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void test_sha256_gives_the_published_digests(void **state)
{
	static char million_a[1000000];

	expect_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million_a, 'a', sizeof(million_a));
	expect_digest(million_a, sizeof(million_a),
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_sha256_does_not_depend_on_how_input_is_cut(void **state)
{
	uint8_t input[200], whole[SHA256_BYTES], parts[SHA256_BYTES];
	struct sha256 s;

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size <= sizeof(input); size++) {
		sha256_of(input, size, whole);
		for (size_t step = 1; step <= 130; step += 3) {
			sha256_init(&s);
			for (size_t at = 0; at < size; at += step)
				sha256_update(&s, input + at, size - at < step ? size - at : step);
			sha256_final(&s, parts);
			assert_memory_equal(whole, parts, SHA256_BYTES);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_gives_the_published_digests),
		cmocka_unit_test(test_sha256_does_not_depend_on_how_input_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

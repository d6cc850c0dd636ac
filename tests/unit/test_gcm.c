/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM as TLS gets it: the test cases of McGrew and Viega, "The Galois/Counter Mode of
 * Operation", appendix B; what must not be taken; what is refused.
 */
#include "unit.h"

#include <mbedtls/gcm.h>
#include <string.h>

enum {
	KEY_MAX = 32,
	NONCE_BYTES = 12,
	DATA_BYTES = 20,
	TEXT_BYTES = 60,
	TAG_BYTES = 16,
	RECORD_BYTES_MAX = 16401
};

struct vector {
	unsigned key_bits;
	size_t data_bytes, text_bytes; /* of those below */
	uint8_t key[KEY_MAX];
	uint8_t nonce[NONCE_BYTES];
	uint8_t sealed[TEXT_BYTES];
	uint8_t tag[TAG_BYTES];
};

static const uint8_t text[TEXT_BYTES] = {
	0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
	0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
	0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
	0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};

static const uint8_t data[DATA_BYTES] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe,
					 0xef, 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad,
					 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};

#define HALF_KEY                                                                                   \
	0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83,  \
		0x08
#define NONCE 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88

/* Test cases 1, 4, 13 and 16. */
static const struct vector vectors[] = {
	{.key_bits = 128,
	 .tag = {0x58, 0xe2, 0xfc, 0xce, 0xfa, 0x7e, 0x30, 0x61, 0x36, 0x7f, 0x1d, 0x57, 0xa4, 0xe7,
		 0x45, 0x5a}},
	{.key_bits = 128,
	 .data_bytes = DATA_BYTES,
	 .text_bytes = TEXT_BYTES,
	 .key = {HALF_KEY},
	 .nonce = {NONCE},
	 .sealed = {0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7,
		    0x84, 0xd0, 0xd4, 0x9c, 0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0,
		    0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e, 0x21, 0xd5, 0x14, 0xb2,
		    0x54, 0x66, 0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05,
		    0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91},
	 .tag = {0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12,
		 0x1a, 0x47}},
	{.key_bits = 256,
	 .tag = {0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb,
		 0x73, 0x8b}},
	{.key_bits = 256,
	 .data_bytes = DATA_BYTES,
	 .text_bytes = TEXT_BYTES,
	 .key = {HALF_KEY, HALF_KEY},
	 .nonce = {NONCE},
	 .sealed = {0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3,
		    0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9,
		    0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48,
		    0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
		    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62},
	 .tag = {0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d,
		 0x55, 0x1b}},
};

#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))

static mbedtls_gcm_context gcm;

static void take_key(const struct vector *v)
{
	mbedtls_gcm_init(&gcm);
	assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, v->key, v->key_bits), 0);
}

/* Into @in_place and back, as TLS has its records. */
static int seal(const struct vector *v, uint8_t *in_place, uint8_t tag[TAG_BYTES])
{
	return mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, v->text_bytes, v->nonce,
					 NONCE_BYTES, data, v->data_bytes, in_place, in_place,
					 TAG_BYTES, tag);
}

static int open_sealed(const struct vector *v, uint8_t *in_place, const uint8_t tag[TAG_BYTES])
{
	return mbedtls_gcm_auth_decrypt(&gcm, v->text_bytes, v->nonce, NONCE_BYTES, data,
					v->data_bytes, tag, TAG_BYTES, in_place, in_place);
}

static void test_gcm_seals_and_opens_the_published_cases(void **state)
{
	for (size_t i = 0; i < VECTOR_COUNT; i++) {
		const struct vector *v = &vectors[i];
		uint8_t bytes[TEXT_BYTES], tag[TAG_BYTES];

		memcpy(bytes, text, sizeof(bytes));
		take_key(v);
		assert_int_equal(seal(v, bytes, tag), 0);
		assert_memory_equal(bytes, v->sealed, v->text_bytes);
		assert_memory_equal(tag, v->tag, TAG_BYTES);
		assert_int_equal(open_sealed(v, bytes, tag), 0);
		assert_memory_equal(bytes, text, TEXT_BYTES);
		mbedtls_gcm_free(&gcm);
	}
}

/* The tags that OpenSSL 3 gives texts of a whole TLS record and a little more, byte i of which is 7
 * i + i / 256. */
static const struct {
	unsigned key_bits;
	size_t text_bytes;
	uint8_t tag[TAG_BYTES];
} records[] = {
	{128,
	 16384,
	 {0xe5, 0xeb, 0x65, 0xa3, 0x54, 0x26, 0x43, 0x8d, 0x46, 0x5c, 0x3b, 0x5e, 0x7e, 0x09, 0x5d,
	  0x08}},
	{128,
	 16401,
	 {0x87, 0xa7, 0xbb, 0x42, 0x49, 0xcc, 0x83, 0x4e, 0x21, 0x46, 0x8f, 0x77, 0xd1, 0x12, 0x47,
	  0x3d}},
	{256,
	 16384,
	 {0x72, 0x7b, 0xf0, 0xff, 0xb2, 0x75, 0xad, 0x19, 0x7a, 0x19, 0x34, 0xaf, 0xfc, 0xe3, 0xf2,
	  0x62}},
	{256,
	 16401,
	 {0xcd, 0xac, 0x9e, 0x8c, 0xe5, 0xde, 0xe7, 0xee, 0xae, 0x0b, 0x33, 0xf0, 0x03, 0x48, 0xfa,
	  0xc2}},
};

/* Long texts have code of their own in the library. */
static void test_gcm_seals_and_opens_whole_records(void **state)
{
	static uint8_t plain[RECORD_BYTES_MAX], bytes[RECORD_BYTES_MAX];

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(7 * i + i / 256);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct vector v = vectors[VECTOR_COUNT - 1];
		uint8_t tag[TAG_BYTES];

		v.key_bits = records[i].key_bits;
		v.text_bytes = records[i].text_bytes;
		memcpy(bytes, plain, sizeof(bytes));
		take_key(&v);
		assert_int_equal(seal(&v, bytes, tag), 0);
		assert_memory_equal(tag, records[i].tag, TAG_BYTES);
		assert_memory_not_equal(bytes, plain, v.text_bytes);
		assert_int_equal(open_sealed(&v, bytes, tag), 0);
		assert_memory_equal(bytes, plain, sizeof(bytes));
		mbedtls_gcm_free(&gcm);
	}
}

/* Whichever bit of text or tag was changed: it is said, and nothing of the text is left. */
static void test_gcm_opens_nothing_that_was_changed(void **state)
{
	static const uint8_t nothing[TEXT_BYTES];
	const struct vector *v = &vectors[VECTOR_COUNT - 1];

	take_key(v);
	for (unsigned bit = 0; bit < 8 * (TEXT_BYTES + TAG_BYTES); bit++) {
		uint8_t bytes[TEXT_BYTES + TAG_BYTES];

		memcpy(bytes, v->sealed, TEXT_BYTES);
		memcpy(bytes + TEXT_BYTES, v->tag, TAG_BYTES);
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(open_sealed(v, bytes, bytes + TEXT_BYTES),
				 MBEDTLS_ERR_GCM_AUTH_FAILED);
		assert_memory_equal(bytes, nothing, TEXT_BYTES);
	}
	mbedtls_gcm_free(&gcm);
}

/* In pieces it is the same text; behind a piece that is no whole number of blocks comes none. */
static void test_gcm_takes_pieces_of_whole_blocks(void **state)
{
	const struct vector *v = &vectors[VECTOR_COUNT - 1];
	uint8_t bytes[TEXT_BYTES], tag[TAG_BYTES];
	size_t got;

	take_key(v);
	assert_int_equal(mbedtls_gcm_starts(&gcm, MBEDTLS_GCM_ENCRYPT, v->nonce, NONCE_BYTES), 0);
	assert_int_equal(mbedtls_gcm_update_ad(&gcm, data, 16), 0);
	assert_int_equal(mbedtls_gcm_update_ad(&gcm, data + 16, DATA_BYTES - 16), 0);
	assert_int_equal(mbedtls_gcm_update_ad(&gcm, data, 1), MBEDTLS_ERR_GCM_BAD_INPUT);
	assert_int_equal(mbedtls_gcm_update(&gcm, text, 32, bytes, 32, &got), 0);
	assert_int_equal(got, 32);
	assert_int_equal(mbedtls_gcm_update(&gcm, text + 32, TEXT_BYTES - 32, bytes + 32,
					    TEXT_BYTES, &got),
			 0);
	assert_int_equal(mbedtls_gcm_update(&gcm, text, 16, bytes, 16, &got),
			 MBEDTLS_ERR_GCM_BAD_INPUT);
	assert_int_equal(mbedtls_gcm_finish(&gcm, NULL, 0, &got, tag, TAG_BYTES), 0);
	assert_memory_equal(bytes, v->sealed, TEXT_BYTES);
	assert_memory_equal(tag, v->tag, TAG_BYTES);
	mbedtls_gcm_free(&gcm);
}

static void test_gcm_refuses_what_tls_has_no_use_for(void **state)
{
	const struct vector *v = &vectors[VECTOR_COUNT - 1];
	uint8_t bytes[2 * TEXT_BYTES] = {0}, tag[TAG_BYTES];
	size_t got;

	mbedtls_gcm_init(&gcm);
	assert_int_equal(seal(v, bytes, tag), MBEDTLS_ERR_GCM_BAD_INPUT); /* no key */
	assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, v->key, 192),
			 MBEDTLS_ERR_GCM_BAD_INPUT);
	assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_CAMELLIA, v->key, 128),
			 MBEDTLS_ERR_GCM_BAD_INPUT);
	take_key(v);
	assert_int_equal(mbedtls_gcm_starts(&gcm, MBEDTLS_GCM_ENCRYPT, v->key, 16),
			 MBEDTLS_ERR_GCM_BAD_INPUT);
	assert_int_equal(mbedtls_gcm_starts(&gcm, MBEDTLS_GCM_ENCRYPT, v->nonce, NONCE_BYTES), 0);
	assert_int_equal(mbedtls_gcm_update(&gcm, bytes, 32, bytes + 8, 32, &got),
			 MBEDTLS_ERR_GCM_BAD_INPUT); /* neither the same place nor another */
	assert_int_equal(mbedtls_gcm_update(&gcm, bytes, 32, bytes + 32, 31, &got),
			 MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL);
	assert_int_equal(mbedtls_gcm_finish(&gcm, NULL, 0, &got, tag, 3),
			 MBEDTLS_ERR_GCM_BAD_INPUT);
	mbedtls_gcm_free(&gcm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcm_seals_and_opens_the_published_cases),
		cmocka_unit_test(test_gcm_seals_and_opens_whole_records),
		cmocka_unit_test(test_gcm_opens_nothing_that_was_changed),
		cmocka_unit_test(test_gcm_takes_pieces_of_whole_blocks),
		cmocka_unit_test(test_gcm_refuses_what_tls_has_no_use_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration under a passphrase (C6): whole and with the right one, or not at all. */
#include "unit.h"

#include <nettle/pbkdf2.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/export/armour.h"
#include "wire/export/export.h"

#define TEXT   "zone lgwan {\n    description \"住基の系統\";\n}\n"
#define PHRASE "正しい馬 電池 ホチキス 2026"

static const uint8_t fresh[EXPORT_RANDOM_BYTES] = {1, 2, 3, [16] = 4, [27] = 5};

static void lock(struct bytes *out, struct span text)
{
	struct export_key key;

	export_key_begin(&key, PHRASE, fresh, EXPORT_ROUNDS_LEAST);
	assert_true(export_key_derive(&key, EXPORT_ROUNDS_LEAST));
	bytes_init(out, 1 << 20);
	assert_int_equal(export_lock(out, text, &key), 0);
}

/* Return: what is said of @export; what it gives is @text, or nothing. */
static int unlock(struct span export, const char *phrase, struct span text)
{
	struct export_key key;
	struct bytes out;
	int err = export_key_begin_of(&key, phrase, export);

	bytes_init(&out, 1 << 20);
	if (err == 0) {
		assert_true(export_key_derive(&key, EXPORT_ROUNDS_MAX));
		err = export_unlock(&out, export, &key);
	}
	if (err == 0)
		assert_true(span_equal(bytes_span(&out), text));
	else
		assert_int_equal(out.size, 0);
	bytes_fini(&out);
	return err;
}

/* Anybody with an ordinary library can open an export: its key is that of PBKDF2 (RFC 8018 5.2),
 * here nettle's, whatever the pieces in which it was derived. */
static void test_export_key_is_that_of_pbkdf2_in_any_pieces(void **state)
{
	static const uint32_t pieces[] = {1, 7, 999, 1000, 5000};
	uint8_t expected[EXPORT_KEY_BYTES];
	const uint32_t rounds = EXPORT_ROUNDS_LEAST + 1;

	pbkdf2_hmac_sha256(strlen(PHRASE), (const uint8_t *)PHRASE, rounds, 16, fresh,
			   sizeof(expected), expected);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct export_key key;
		uint32_t turns = 1;

		export_key_begin(&key, PHRASE, fresh, rounds);
		for (; !export_key_derive(&key, pieces[i]); turns++)
			assert_memory_not_equal(key.key, expected, sizeof(expected));
		assert_memory_equal(key.key, expected, sizeof(expected));
		assert_int_equal(turns, (rounds - 1 + pieces[i] - 1) / pieces[i]);
		export_key_wipe(&key);
		assert_memory_not_equal(key.key, expected, sizeof(expected));
	}
}

/* A key opens the export that it was begun for, and no other of the same passphrase. */
static void test_export_key_is_for_one_export(void **state)
{
	static const uint8_t other[EXPORT_RANDOM_BYTES] = {2};
	struct export_key key;
	struct bytes export, out;

	lock(&export, span_of(TEXT));
	bytes_init(&out, 1 << 20);
	export_key_begin(&key, PHRASE, other, EXPORT_ROUNDS_LEAST);
	assert_true(export_key_derive(&key, EXPORT_ROUNDS_LEAST));
	assert_int_equal(export_unlock(&out, bytes_span(&export), &key), -ERR_INTEGRITY);
	assert_int_equal(out.size, 0);
	bytes_fini(&out);
	bytes_fini(&export);
}

static void test_export_gives_back_the_text(void **state)
{
	static char big[200000];
	const struct span texts[] = {span_of(TEXT), span_of(""), {(uint8_t *)big, sizeof(big)}};

	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct bytes export;

		lock(&export, texts[i]);
		assert_int_equal(unlock(bytes_span(&export), PHRASE, texts[i]), 0);
		assert_int_equal(unlock(bytes_span(&export), PHRASE "!", texts[i]), -ERR_INTEGRITY);
		assert_int_equal(unlock(bytes_span(&export), "", texts[i]), -ERR_INTEGRITY);
		bytes_fini(&export);
	}
}

/* As a terminal program records it: carriage returns, the command before, the prompt behind. */
static void test_export_is_found_in_a_recording(void **state)
{
	struct bytes export, recorded;

	lock(&export, span_of(TEXT));
	bytes_init(&recorded, 1 << 20);
	assert_int_equal(bytes_append_text(&recorded, "sekisho> export\r\npassphrase: \r\n"), 0);
	for (size_t i = 0; i < export.size; i++) {
		if (export.data[i] == '\n')
			assert_int_equal(bytes_append_u8(&recorded, '\r'), 0);
		assert_int_equal(bytes_append_u8(&recorded, export.data[i]), 0);
	}
	assert_int_equal(bytes_append_text(&recorded, "sekisho> "), 0);
	assert_int_equal(unlock(bytes_span(&recorded), PHRASE, span_of(TEXT)), 0);
	bytes_fini(&export);
	bytes_fini(&recorded);
}

static void test_export_hides_the_text(void **state)
{
	struct bytes export, raw;

	lock(&export, span_of(TEXT));
	bytes_init(&raw, 1 << 20);
	assert_int_equal(armour_take(&raw, "CONFIGURATION", bytes_span(&export)), 0);
	assert_int_equal(raw.size, 40 + strlen(TEXT) + 16);
	assert_null(memmem(raw.data, raw.size, "zone", 4));
	assert_null(memmem(raw.data, raw.size, "住基", strlen("住基")));
	bytes_fini(&export);
	bytes_fini(&raw);
}

static void refuses_octets(const struct bytes *raw, size_t size)
{
	struct bytes export;

	bytes_init(&export, 1 << 20);
	armour_put(&export, "CONFIGURATION", (struct span){raw->data, size});
	assert_int_equal(unlock(bytes_span(&export), PHRASE, span_of(TEXT)), -ERR_INTEGRITY);
	bytes_fini(&export);
}

/* Every octet of the form flipped, in its lowest and its highest bit, and cut at every length. */
static void test_export_altered_or_cut_is_refused(void **state)
{
	struct bytes export, raw;

	lock(&export, span_of(TEXT));
	bytes_init(&raw, 1 << 20);
	assert_int_equal(armour_take(&raw, "CONFIGURATION", bytes_span(&export)), 0);
	for (size_t i = 0; i < raw.size; i++) {
		refuses_octets(&raw, i);
		for (uint8_t bit = 1; bit != 0; bit = bit == 1 ? 0x80 : 0) {
			raw.data[i] ^= bit;
			refuses_octets(&raw, raw.size);
			raw.data[i] ^= bit;
		}
	}
	bytes_fini(&export);
	bytes_fini(&raw);
}

/* Every character of the armour, too; the ends of its lines carry nothing. */
static void test_export_altered_armour_is_refused(void **state)
{
	struct bytes export;

	lock(&export, span_of(TEXT));
	for (size_t i = 0; i + 1 < export.size; i++) {
		uint8_t was = export.data[i];

		if (was == '\n')
			continue;
		export.data[i] ^= 1;
		assert_int_equal(unlock(bytes_span(&export), PHRASE, span_of(TEXT)),
				 -ERR_INTEGRITY);
		export.data[i] = was;
	}
	assert_int_equal(unlock(bytes_span(&export), PHRASE, span_of(TEXT)), 0);
	bytes_fini(&export);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_key_is_that_of_pbkdf2_in_any_pieces),
		cmocka_unit_test(test_export_key_is_for_one_export),
		cmocka_unit_test(test_export_gives_back_the_text),
		cmocka_unit_test(test_export_is_found_in_a_recording),
		cmocka_unit_test(test_export_hides_the_text),
		cmocka_unit_test(test_export_altered_or_cut_is_refused),
		cmocka_unit_test(test_export_altered_armour_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

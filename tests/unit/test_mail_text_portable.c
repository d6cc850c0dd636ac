/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of common characters as processors without SSE2 find them: up to where ours do. */
#include "unit.h"

#include <string.h>

/* The same source once more, without the instructions and under names of its own. */
#undef __SSE2__
#define mail_text_step  portable_step
#define mail_text_octet portable_octet
#define mail_text_run   portable_run
#define mail_text_end   portable_end
#include "wire/mail/text.c"
#undef mail_text_step
#undef mail_text_octet
#undef mail_text_run
#undef mail_text_end

size_t mail_text_run(const uint8_t *s, size_t size_bytes);

enum { TEXTS = 200000, SIZE_MAX_BYTES = 120 };

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Mostly characters of one and of three octets; about one in @rarely is at the edge of what is
 * common, is broken or is none. Return: octets. */
static size_t draw(uint32_t *seed, uint32_t rarely, uint8_t text[SIZE_MAX_BYTES])
{
	static const char *const common[] = {"a", "\t", "~", "\u3042", "\u6F22", "\u9FFF"};
	static const char *const edges[] = {
		"\u302A",   "\u303F",    "\u3040", "\u3099",   "\u309A",    "\u309B", "\u3164",
		"\u00E9",   "\u2014",    "\u2028", "\u200D",   "\uA000",    "\uFF21", "\uFFA0",
		"\xE3\x81", "\xE3\x81~", "\xE9",   "\xBF\xBF", "\xE2\xBF~", "\x7F",   "\x1F"};
	size_t size = 0, most = next_random(seed) % (SIZE_MAX_BYTES - 4);

	while (size < most) {
		const char *c =
			next_random(seed) % rarely != 0
				? common[next_random(seed) % 6]
				: edges[next_random(seed) % (sizeof(edges) / sizeof(*edges))];

		memcpy(text + size, c, strlen(c));
		size += strlen(c);
	}
	return size;
}

static void test_mail_text_portable_run_ends_at_the_same_octet(void **state)
{
	uint8_t text[SIZE_MAX_BYTES];
	uint32_t seed = 1;
	size_t whole = 0;

	(void)state;
	for (unsigned i = 0; i < TEXTS; i++) {
		size_t size = draw(&seed, i % 60 + 1, text), run = portable_run(text, size);

		assert_int_equal(run, mail_text_run(text, size));
		whole += run == size && size > 2 * AHEAD;
	}
	assert_true(whole > TEXTS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_text_portable_run_ends_at_the_same_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

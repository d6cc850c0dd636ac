/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strict DATA reader and the dot-stuffing writer (M6, RFC 5321 4.5.2). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/smtp/data.h"

#define MIX_MAX    6
#define WIRE(text) (text), sizeof(text) - 1

/* What a whole message is by the definition, without any state machine. */
struct expected {
	bool ended;
	bool clean;
	size_t taken;
};

static bool is_bare(const uint8_t *p, size_t at, size_t size)
{
	if (p[at] == '\0')
		return true;
	if (p[at] == '\n')
		return at == 0 || p[at - 1] != '\r';
	return p[at] == '\r' && at + 1 < size && p[at + 1] != '\n';
}

/* The CRLF of the DATA command itself counts as the one in front of the first line. */
static struct expected expect(const uint8_t *data, size_t size)
{
	uint8_t whole[2 + 64] = "\r\n";
	struct expected e = {.clean = true, .taken = size};
	uint8_t *end = NULL;

	assert_true(size <= 64);
	memcpy(whole + 2, data, size);
	end = memmem(whole, size + 2, "\r\n.\r\n", 5);
	if (end != NULL) {
		e.ended = true;
		e.taken = (size_t)(end - whole) + 3;
	}
	for (size_t i = 0; i < e.taken; i++)
		e.clean = e.clean && !is_bare(whole + 2, i, e.taken);
	return e;
}

/* Feed @data cut where the bits of @cuts say; every segmentation must give the same. */
static void feed(const uint8_t *data, size_t size, unsigned cuts, struct smtp_data *d,
		 struct bytes *out)
{
	size_t from = 0;

	smtp_data_init(d, 1000);
	bytes_clear(out);
	for (size_t i = 0; i < size && !d->ended; i++) {
		uint8_t room[SMTP_DATA_OUT_BYTES(64)];
		size_t room_bytes = 0;

		if (i + 1 < size && !(cuts & (1U << i)))
			continue;
		from += smtp_data_push(d, (struct span){data + from, i + 1 - from}, room,
				       &room_bytes);
		assert_int_equal(bytes_append(out, room, room_bytes), 0);
	}
}

/* The message as the definition has it: lines without the removed dots. */
static void assert_unstuffed(const uint8_t *data, size_t size, const struct bytes *out)
{
	uint8_t plain[64];
	size_t plain_size = 0;

	for (size_t i = 0; i < size; i++) {
		bool at_start = i == 0 || (i >= 2 && data[i - 1] == '\n');

		if (!(at_start && data[i] == '.'))
			plain[plain_size++] = data[i];
	}
	assert_int_equal(out->size, plain_size);
	assert_memory_equal(out->data, plain, plain_size);
}

static void check_mix(const uint8_t *data, size_t size, unsigned cuts, struct bytes *out)
{
	struct expected e = expect(data, size);
	struct smtp_data d = {0};

	feed(data, size, cuts, &d, out);
	assert_int_equal(d.ended, e.ended);
	assert_int_equal(d.read_bytes, e.taken);
	assert_int_equal(d.fault == SMTP_DATA_CLEAN, e.clean);
	assert_int_equal(d.size_bytes, out->size);
	if (e.ended && e.clean)
		assert_unstuffed(data, e.taken - 3, out);
}

/* All mixes of 1 to 6 bytes, each in a message as well as alone, over all segmentations. */
static void test_smtp_data_ends_only_at_crlf_dot_crlf_for_all_mixes(void **state)
{
	static const uint8_t alphabet[] = {'\r', '\n', '.', '\0', 'a'};
	struct bytes out = {0};
	unsigned long tried = 0;

	bytes_init(&out, 4096);
	for (size_t length = 1; length <= MIX_MAX; length++) {
		unsigned count = 1;

		for (size_t i = 0; i < length; i++)
			count *= sizeof(alphabet);
		for (unsigned mix = 0; mix < count; mix++) {
			uint8_t data[1 + MIX_MAX];
			unsigned rest = mix;

			data[0] = 'x';
			for (size_t i = 0; i < length; i++, rest /= sizeof(alphabet))
				data[1 + i] = alphabet[rest % sizeof(alphabet)];
			for (unsigned cuts = 0; cuts < 1U << length; cuts++, tried++) {
				check_mix(data, length + 1, cuts, &out);
				if (cuts < 1U << (length - 1))
					check_mix(data + 1, length, cuts, &out);
			}
		}
	}
	assert_true(tried > 1000000);
	bytes_fini(&out);
}

static void test_smtp_data_removes_one_dot_at_line_starts(void **state)
{
	static const char wire[] = "..a\r\n.b\r\n...\r\nc.\r\n.\r\nNOOP\r\n";
	uint8_t room[SMTP_DATA_OUT_BYTES(sizeof(wire))];
	struct smtp_data d = {0};
	size_t room_bytes = 0;

	smtp_data_init(&d, 1000);
	assert_int_equal(smtp_data_push(&d, span_of(wire), room, &room_bytes),
			 sizeof(wire) - 1 - 6);
	assert_true(d.ended);
	assert_int_equal(d.fault, SMTP_DATA_CLEAN);
	assert_int_equal(room_bytes, 15);
	assert_memory_equal(room, ".a\r\nb\r\n..\r\nc.\r\n", 15);
}

static void test_smtp_data_refuses_past_the_limit_and_still_finds_the_end(void **state)
{
	static const char wire[] = "0123456789\r\n.\r\n";
	uint8_t room[SMTP_DATA_OUT_BYTES(sizeof(wire))];

	for (uint64_t limit = 0; limit < 14; limit++) {
		struct smtp_data d = {0};
		size_t room_bytes = 0;

		smtp_data_init(&d, limit);
		(void)smtp_data_push(&d, span_of(wire), room,
				     &room_bytes); /* the end is asked for below */
		assert_true(d.ended);
		assert_int_equal(d.fault, limit < 12 ? SMTP_DATA_TOO_BIG : SMTP_DATA_CLEAN);
		assert_true(room_bytes <= limit);
	}
}

static void test_smtp_data_names_the_first_fault(void **state)
{
	static const struct {
		const char *wire;
		size_t size;
		enum smtp_data_fault fault;
	} cases[] = {
		{WIRE("a\rb\r\n.\r\n"), SMTP_DATA_BARE_CR},
		{WIRE("a\nb\r\n.\r\n"), SMTP_DATA_BARE_LF},
		{WIRE("a\0b\r\n.\r\n"), SMTP_DATA_NUL},
		{WIRE("a\n\0\r\n.\r\n"), SMTP_DATA_BARE_LF},
		{WIRE("a\r\n.\nMAIL\r\n.\r\n"), SMTP_DATA_BARE_LF},
		{WIRE("a\n.\r\nMAIL\r\n.\r\n"), SMTP_DATA_BARE_LF},
		{WIRE("a\r\n.\rMAIL\r\n.\r\n"), SMTP_DATA_BARE_CR},
		{WIRE("a\r\r\n.\r\n"), SMTP_DATA_BARE_CR},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t room[SMTP_DATA_OUT_BYTES(32)];
		struct smtp_data d = {0};
		size_t room_bytes = 0;
		struct span wire = {(const uint8_t *)cases[i].wire, cases[i].size};

		smtp_data_init(&d, 1000);
		assert_int_equal(smtp_data_push(&d, wire, room, &room_bytes), cases[i].size);
		assert_true(d.ended);
		assert_int_equal(d.fault, cases[i].fault);
	}
}

static void test_smtp_data_put_line_stuffs_dots_and_refuses_line_ends(void **state)
{
	static const char *const bad[] = {"a\rb", "a\nb", "\r", "\n"};
	struct bytes out = {0};

	bytes_init(&out, 1000);
	assert_int_equal(smtp_data_put_line(&out, span_of("")), 0);
	assert_int_equal(smtp_data_put_line(&out, span_of(".")), 0);
	assert_int_equal(smtp_data_put_line(&out, span_of("..a")), 0);
	assert_int_equal(smtp_data_put_line(&out, span_of("a.")), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(smtp_data_put_line(&out, span_of(bad[i])), -ERR_SYNTAX);
	assert_int_equal(smtp_data_put_line(&out, (struct span){(const uint8_t *)"a\0", 2}),
			 -ERR_SYNTAX);
	assert_int_equal(out.size, 16);
	assert_memory_equal(out.data, "\r\n..\r\n...a\r\na.\r\n", 16);
	bytes_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_data_ends_only_at_crlf_dot_crlf_for_all_mixes),
		cmocka_unit_test(test_smtp_data_removes_one_dot_at_line_starts),
		cmocka_unit_test(test_smtp_data_refuses_past_the_limit_and_still_finds_the_end),
		cmocka_unit_test(test_smtp_data_names_the_first_fault),
		cmocka_unit_test(test_smtp_data_put_line_stuffs_dots_and_refuses_line_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash chain of the audit log (L1): every alteration, removal and reordering is found at its
 * record. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/log/chain.h"

#define RECORDS 6

struct fixture {
	uint8_t bytes[RECORDS][1024];
	struct span lines[RECORDS];
};

static void write_record(struct fixture *f, struct log_chain *chain, size_t i)
{
	struct writer w;

	writer_init(&w, f->bytes[i], sizeof(f->bytes[i]));
	syslog_put_header(&w, &(struct syslog_header){.facility = 16,
						      .severity = 6,
						      .host = "h",
						      .app = "sekisho",
						      .process = "arbiter",
						      .message_id = i == 0 ? "log-segment"
									   : "flow-denied"});
	syslog_put_element(&w, LOG_CHAIN_ELEMENT);
	syslog_put_param_number(&w, "seq", chain->next_sequence);
	if (i == 0)
		syslog_put_param(&w, "prev",
				 span_of("00000000000000000000000000000000"
					 "00000000000000000000000000000000"));
	syslog_put_param_number(&w, "n", i * 7919);
	syslog_end_element(&w);
	syslog_put_text(&w, "A flow was refused.");
	assert_int_equal(log_chain_seal(chain, &w), 0);
	f->lines[i] = (struct span){f->bytes[i], w.size};
}

static int setup(void **state)
{
	static struct fixture f;
	struct log_chain chain;

	log_chain_init(&chain);
	for (size_t i = 0; i < RECORDS; i++)
		write_record(&f, &chain, i);
	*state = &f;
	return 0;
}

/* The index of the first record that fails, or RECORDS. */
static size_t first_bad(const struct span *lines, size_t count)
{
	struct log_chain chain;
	struct syslog_view view;
	const char *why = NULL;

	log_chain_init(&chain);
	for (size_t i = 0; i < count; i++) {
		if (log_chain_check(&chain, lines[i], &view, &why) < 0) {
			assert_non_null(why);
			return i;
		}
	}
	return count;
}

static void test_log_chain_accepts_what_it_sealed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(first_bad(f->lines, RECORDS), RECORDS);
}

static void test_log_chain_finds_every_flipped_bit(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < RECORDS; i++) {
		for (size_t bit = 0; bit < f->lines[i].size * 8; bit++) {
			f->bytes[i][bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_equal(first_bad(f->lines, RECORDS), i);
			f->bytes[i][bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

static void test_log_chain_finds_every_cut_line(void **state)
{
	struct fixture *f = *state;

	for (size_t size = 0; size < f->lines[RECORDS - 1].size; size++) {
		struct span lines[RECORDS];

		memcpy(lines, f->lines, sizeof(lines));
		lines[RECORDS - 1].size = size;
		assert_int_equal(first_bad(lines, RECORDS), RECORDS - 1);
	}
}

static void test_log_chain_finds_a_removed_record(void **state)
{
	struct fixture *f = *state;

	for (size_t gone = 0; gone < RECORDS - 1; gone++) {
		struct span lines[RECORDS];
		size_t count = 0;

		for (size_t i = 0; i < RECORDS; i++) {
			if (i != gone)
				lines[count++] = f->lines[i];
		}
		assert_int_equal(first_bad(lines, count), gone);
	}
}

static void test_log_chain_finds_a_repeated_and_a_reordered_record(void **state)
{
	struct fixture *f = *state;
	struct span lines[RECORDS];

	memcpy(lines, f->lines, sizeof(lines));
	lines[3] = f->lines[2];
	assert_int_equal(first_bad(lines, RECORDS), 3);
	lines[2] = f->lines[3];
	lines[3] = f->lines[2];
	assert_int_equal(first_bad(lines, RECORDS), 2);
}

static void test_log_chain_finds_a_renumbered_record(void **state)
{
	struct fixture *f = *state;
	struct span lines[RECORDS];
	char *number;

	/* Record 3 is taken out and its follower given its number: only the hash can tell. */
	memcpy(lines, f->lines, sizeof(lines));
	number = strstr((char *)f->bytes[4], "seq=\"5\"");
	number[5] = '4';
	lines[3] = f->lines[4];
	assert_int_equal(first_bad(lines, 4), 3);
	number[5] = '5';
}

static void test_log_chain_adopts_only_a_segment_record(void **state)
{
	struct fixture *f = *state;
	struct log_chain chain;
	struct syslog_view view;
	const char *why;

	assert_int_equal(log_chain_adopt(&chain, f->lines[1]), -ERR_SYNTAX);
	assert_int_equal(log_chain_adopt(&chain, f->lines[0]), 0);
	assert_int_equal(log_chain_check(&chain, f->lines[0], &view, &why), 0);
	assert_int_equal(log_chain_check(&chain, f->lines[1], &view, &why), 0);
}

static void test_log_chain_seal_without_room_changes_nothing(void **state)
{
	uint8_t small[LOG_CHAIN_SEAL_BYTES - 1];
	struct log_chain chain;
	struct writer w;

	log_chain_init(&chain);
	writer_init(&w, small, sizeof(small));
	assert_int_equal(log_chain_seal(&chain, &w), -ERR_NO_SPACE);
	assert_int_equal(chain.next_sequence, 1);
	assert_int_equal(w.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_log_chain_accepts_what_it_sealed, setup),
		cmocka_unit_test_setup(test_log_chain_finds_every_flipped_bit, setup),
		cmocka_unit_test_setup(test_log_chain_finds_every_cut_line, setup),
		cmocka_unit_test_setup(test_log_chain_finds_a_removed_record, setup),
		cmocka_unit_test_setup(test_log_chain_finds_a_repeated_and_a_reordered_record,
				       setup),
		cmocka_unit_test_setup(test_log_chain_finds_a_renumbered_record, setup),
		cmocka_unit_test_setup(test_log_chain_adopts_only_a_segment_record, setup),
		cmocka_unit_test(test_log_chain_seal_without_room_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

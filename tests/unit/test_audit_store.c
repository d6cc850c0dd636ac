/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local log (L1): what is appended is there after every restart, whatever the power cut left at
 * its end. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/store.h"
#include "base/err.h"
#include "place.h"

#define SMALL_SEGMENT (16U << 10)

struct fixture {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct record_form form;
	struct store store;
	struct store_recovery found;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	f->clock = clock_simulate(&f->time);
	f->form = (struct record_form){.clock = &f->clock, .host = "h"};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	place_close(&f->place);
	free(f);
	return 0;
}

static void open_store(struct fixture *f, uint64_t limit_bytes)
{
	assert_int_equal(store_open(&f->store, f->place.dir, &f->form, limit_bytes, SMALL_SEGMENT,
				    &f->found),
			 0);
}

static void append(struct fixture *f, uint64_t number)
{
	const struct event_arg args[] = {EV_NUMBER(COUNT, number), EV_TEXT(DETAIL, "x\n\"]")};
	struct event_record event;

	event_build(&event, EVENT_HEARTBEAT, args, 2);
	assert_int_equal(record_check(&event), 0);
	assert_int_equal(store_append(&f->store, "arbiter", &event), 0);
}

/* Read the whole log: every record checks, numbers are gapless. Return: the number of "heartbeat"
 * records. */
static unsigned check_all(struct fixture *f)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct log_chain chain;
	struct store_cursor c;
	struct span line;
	unsigned beats = 0;
	bool begun = false;

	store_cursor_init(&c);
	store_cursor_seek(&f->store, &c, 1);
	while (store_cursor_peek(&f->store, &c, buffer, &line) == 0) {
		struct syslog_view view;
		const char *why;

		if (!begun)
			assert_int_equal(log_chain_adopt(&chain, line), 0);
		begun = true;
		assert_int_equal(log_chain_check(&chain, line, &view, &why), 0);
		beats += span_equal(view.message_id, span_of("heartbeat"));
		store_cursor_take(&c, line);
	}
	assert_int_equal(c.sequence, f->store.chain.next_sequence);
	store_cursor_fini(&c);
	return beats;
}

static void reopen(struct fixture *f)
{
	store_close(&f->store);
	open_store(f, 1U << 20);
}

static void newest_path(const struct fixture *f, char path[256])
{
	snprintf(path, 256, "%s/%020llu.log", f->place.path,
		 (unsigned long long)f->store.segments[f->store.segment_count - 1].first_sequence);
}

static void test_store_goes_on_after_a_restart(void **state)
{
	struct fixture *f = *state;

	open_store(f, 1U << 20);
	for (uint64_t i = 0; i < 200; i++)
		append(f, i);
	assert_true(f->store.segment_count > 1);
	assert_int_equal(check_all(f), 200);
	reopen(f);
	assert_int_equal(f->found.torn_bytes, 0);
	assert_false(f->found.broken);
	append(f, 200);
	assert_int_equal(check_all(f), 201);
}

/* Every length that a power cut can leave of the last record: it is gone, all before it stays, the
 * chain goes on. */
static void test_store_sets_aside_every_torn_end(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	char path[256];

	open_store(f, 1U << 20);
	append(f, 0);
	newest_path(f, path);
	assert_int_equal(stat(path, &before), 0);
	append(f, 1);
	assert_int_equal(stat(path, &after), 0);
	for (off_t size = after.st_size - 1; size >= before.st_size; size--) {
		store_close(&f->store);
		assert_int_equal(truncate(path, size), 0);
		open_store(f, 1U << 20);
		assert_int_equal(f->found.torn_bytes, size - before.st_size);
		assert_false(f->found.broken);
		assert_int_equal(check_all(f), 1);
		append(f, 1);
		assert_int_equal(check_all(f), 2);
	}
}

static void test_store_sets_aside_zeros_behind_the_end(void **state)
{
	struct fixture *f = *state;
	char path[256], torn[256];
	struct stat status;

	open_store(f, 1U << 20);
	append(f, 0);
	newest_path(f, path);
	store_close(&f->store);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size + 9000), 0);
	open_store(f, 1U << 20);
	assert_int_equal(f->found.torn_bytes, 9000);
	snprintf(torn, sizeof(torn), "%s/%020llu.torn", f->place.path, 3ULL);
	assert_int_equal(stat(torn, &status), 0);
	assert_int_equal(status.st_size, 9000);
	assert_int_equal(check_all(f), 1);
}

static void test_store_drops_a_segment_without_a_record(void **state)
{
	struct fixture *f = *state;
	char path[256];
	int fd;

	open_store(f, 1U << 20);
	append(f, 0);
	snprintf(path, sizeof(path), "%s/%020llu.log", f->place.path, 3ULL);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(write(fd, "<134>1 half", 11) == 11);
	close(fd);
	reopen(f);
	assert_int_equal(f->found.torn_bytes, 11);
	append(f, 1);
	assert_int_equal(check_all(f), 2);
}

static void test_store_keeps_what_was_altered_and_says_so(void **state)
{
	struct fixture *f = *state;
	char path[256];
	uint64_t next;
	int fd;

	open_store(f, 1U << 20);
	for (uint64_t i = 0; i < 5; i++)
		append(f, i);
	next = f->store.chain.next_sequence;
	newest_path(f, path);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "X", 1, 700), 1);
	close(fd);
	reopen(f);
	assert_true(f->found.broken);
	assert_non_null(f->found.why);
	assert_int_equal(f->found.torn_bytes, 0);
	assert_int_equal(f->store.segment_count, 2);
	assert_int_equal(f->store.segments[1].first_sequence, next);
}

static void test_store_lets_the_oldest_go_at_its_limit_and_says_so(void **state)
{
	struct fixture *f = *state;
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct store_cursor c;
	struct span line;
	bool said = false;

	open_store(f, 4 * SMALL_SEGMENT);
	for (uint64_t i = 0; i < 1000; i++)
		append(f, i);
	assert_true(f->store.total_bytes <= 5 * SMALL_SEGMENT);
	assert_true(f->store.segments[0].first_sequence > 1);
	check_all(f);
	store_cursor_init(&c);
	assert_int_equal(store_cursor_seek(&f->store, &c, 1),
			 f->store.segments[0].first_sequence - 1);
	while (store_cursor_peek(&f->store, &c, buffer, &line) == 0) {
		struct syslog_view view;
		uint64_t last = 0;

		assert_int_equal(syslog_parse(line, &view), 0);
		if (span_equal(view.message_id, span_of("log-retention")) &&
		    syslog_param_number(&view, "last", &last) == 0 &&
		    last + 1 == f->store.segments[0].first_sequence)
			said = true;
		store_cursor_take(&c, line);
	}
	store_cursor_fini(&c);
	assert_true(said);
}

static void test_store_marks_security_events_urgent_until_synced(void **state)
{
	struct fixture *f = *state;
	struct event_record event;

	open_store(f, 1U << 20);
	assert_int_equal(store_sync(&f->store), 0);
	append(f, 0);
	assert_false(f->store.urgent);
	event_build(&event, EVENT_LOG_BROKEN, NULL, 0);
	assert_int_equal(store_append(&f->store, "audit", &event), 0);
	assert_true(f->store.urgent);
	assert_int_equal(store_sync(&f->store), 0);
	assert_false(f->store.urgent || f->store.dirty);
}

static void test_record_check_refuses_what_is_out_of_form(void **state)
{
	const struct event_arg text = EV_TEXT(DETAIL, "abc");
	struct event_record event;

	event_build(&event, EVENT_HEARTBEAT, &text, 1);
	assert_int_equal(record_check(&event), 0);
	event.fields[0].text_at = EVENT_TEXT_BYTES - 2;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.fields[0].text_at = 1; /* texts follow each other without gap or overlap */
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.fields[0].text_at = 0;
	event.fields[1] = event.fields[0];
	event.field_count = 2;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.field_count = 1;
	event.fields[0].kind = 0;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.fields[0].kind = EVENT_KIND_SHA256 + 1;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.fields[0].kind = EVENT_KIND_TEXT;
	event.fields[0].key = FIELD_COUNT_;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.fields[0].key = FIELD_DETAIL;
	event.field_count = EVENT_FIELDS_MAX + 1;
	assert_int_equal(record_check(&event), -ERR_PEER);
	event.field_count = 1;
	event.id = EVENT_COUNT_;
	assert_int_equal(record_check(&event), -ERR_PEER);
}

static void test_record_write_shows_every_kind_and_what_was_cut(void **state)
{
	static const uint8_t v4[4] = {192, 0, 2, 1}, v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1},
			     mac[6] = {2, 0, 0, 0, 0, 5};
	struct fixture *f = *state;
	char longest[EVENT_TEXT_BYTES + 10], expected[4096];
	uint8_t bytes[4096];
	struct event_record event;
	struct writer w;

	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const struct event_arg args[] = {EV_NUMBER(COUNT, 7), EV_IPV4(SOURCE, v4),
					 EV_IPV6(DESTINATION, v6), EV_MAC(MAC, mac),
					 EV_TEXT(DETAIL, longest)};
	event_build(&event, EVENT_HEARTBEAT, args, 5);
	f->time.mono_ns = 1500000000;
	writer_init(&w, bytes, sizeof(bytes));
	assert_int_equal(record_write(&w, &f->form, "arbiter", 3, &event), 0);
	writer_u8(&w, 0);
	longest[EVENT_TEXT_BYTES] = '\0';
	snprintf(expected, sizeof(expected),
		 "<134>1 1970-01-01T00:00:00.000000Z h sekisho arbiter heartbeat [sekisho@32473 "
		 "seq=\"3\" mono=\"1.500000\" "
		 "count=\"7\" src=\"192.0.2.1\" dst=\"2001:db8::1\" mac=\"02:00:00:00:00:05\" "
		 "detail=\"%s\" cut=\"detail\"] %s",
		 longest, event_meaning_en(EVENT_HEARTBEAT));
	assert_string_equal((const char *)bytes, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store_goes_on_after_a_restart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_sets_aside_every_torn_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_sets_aside_zeros_behind_the_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_drops_a_segment_without_a_record, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_keeps_what_was_altered_and_says_so,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_store_lets_the_oldest_go_at_its_limit_and_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_store_marks_security_events_urgent_until_synced, setup, teardown),
		cmocka_unit_test(test_record_check_refuses_what_is_out_of_form),
		cmocka_unit_test_setup_teardown(test_record_write_shows_every_kind_and_what_was_cut,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

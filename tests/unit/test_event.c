/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event records: what is asked for is in them, what does not fit is marked, a full channel is
 * counted (L1). */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/err.h"
#include "base/event.h"

static void test_event_build_keeps_all_kinds_of_fields(void **state)
{
	const uint8_t addr[4] = {192, 0, 2, 1};
	const struct event_arg args[] = {EV_TEXT(ZONE, "lgwan"), EV_NUMBER(COUNT, 7),
					 EV_IPV4(SOURCE, addr)};
	struct event_record r;

	assert_int_equal(event_build(&r, EVENT_PROCESS_READY, args, 3), 0);
	assert_int_equal(r.field_count, 3);
	assert_memory_equal(r.text + r.fields[0].text_at, "lgwan", 5);
	assert_int_equal(r.fields[0].text_bytes, 5);
	assert_int_equal(r.fields[1].number, 7);
	assert_memory_equal(r.fields[2].bytes, addr, 4);
	assert_string_equal(event_key_name((enum event_key)r.fields[2].key), "src");
}

static void test_event_build_marks_text_that_is_cut(void **state)
{
	static char longest[EVENT_TEXT_BYTES + 1];
	struct event_arg args[2];
	struct event_record r;

	memset(longest, 'x', EVENT_TEXT_BYTES);
	args[0] = EV_TEXT(REASON, longest);
	args[1] = EV_TEXT(DETAIL, "y");
	assert_int_equal(event_build(&r, EVENT_PROCESS_READY, args, 2), 0);
	assert_false(r.fields[0].cut);
	assert_true(r.fields[1].cut);
	assert_int_equal(r.fields[1].text_bytes, 0);
}

static void test_event_build_says_when_fields_are_left_out(void **state)
{
	struct event_arg args[EVENT_FIELDS_MAX + 1];
	struct event_record r;

	for (size_t i = 0; i <= EVENT_FIELDS_MAX; i++)
		args[i] = EV_NUMBER(COUNT, i);
	assert_int_equal(event_build(&r, EVENT_PROCESS_READY, args, EVENT_FIELDS_MAX + 1),
			 -ERR_TOO_LONG);
	assert_int_equal(r.field_count, EVENT_FIELDS_MAX);
}

static void test_event_emit_counts_what_found_no_room(void **state)
{
	char packet[sizeof(struct event_record) + 64];
	const struct event_record *r = NULL;
	struct event_client client;
	int fds[2], sent = 0;
	ssize_t n;

	assert_int_equal(channel_pair(fds), 0);
	event_client_init(&client, fds[0]);
	while (client.lost == 0 && sent < 100000) {
		event_send(&client, EVENT_PROCESS_READY);
		sent++;
	}
	assert_int_equal(client.lost, 1);
	event_send(&client, EVENT_PROCESS_READY);
	assert_int_equal(client.lost, 2);
	for (int i = 0; i < sent - 1; i++)
		assert_true(recv(fds[1], packet, sizeof(packet), MSG_DONTWAIT) > 0);
	event_send(&client, EVENT_PROCESS_READY);
	assert_int_equal(client.lost, 0);
	n = recv(fds[1], packet, sizeof(packet), MSG_DONTWAIT);
	assert_true(n >= (ssize_t)sizeof(*r));
	r = (const struct event_record *)(const void *)(packet + (size_t)n - sizeof(*r));
	assert_int_equal(r->field_count, 1);
	assert_int_equal(r->fields[0].key, FIELD_LOST);
	assert_int_equal(r->fields[0].number, 2);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_event_table_rows_are_complete(void **state)
{
	for (unsigned id = 1; id < EVENT_COUNT_; id++) {
		assert_true(strlen(event_name(id)) > 0);
		assert_true(event_severity(id) <= 7);
		assert_true(strlen(event_meaning_en(id)) > 0);
		assert_true(strlen(event_meaning_ja(id)) > 0);
		for (unsigned other = 1; other < id; other++)
			assert_string_not_equal(event_name(id), event_name(other));
	}
}

/* A syslog server may keep only the last of two parameters of one name. */
static void test_event_field_names_are_distinct_and_not_of_the_record_itself(void **state)
{
	(void)state;
	for (unsigned i = 1; i < FIELD_COUNT_; i++) {
		const char *name = event_key_name((enum event_key)i);

		assert_string_not_equal(name, "seq");
		assert_string_not_equal(name, "mono");
		for (unsigned j = 1; j < i; j++)
			assert_string_not_equal(name, event_key_name((enum event_key)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_build_keeps_all_kinds_of_fields),
		cmocka_unit_test(test_event_build_marks_text_that_is_cut),
		cmocka_unit_test(test_event_build_says_when_fields_are_left_out),
		cmocka_unit_test(test_event_emit_counts_what_found_no_room),
		cmocka_unit_test(test_event_table_rows_are_complete),
		cmocka_unit_test(test_event_field_names_are_distinct_and_not_of_the_record_itself),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of a replay: which are chosen, that all of them arrive over many parts and turns, and
 * what a full table of changes still says. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arbiter/rehearsal.h"
#include "arbiter/replay.h"
#include "audit/replayed.h"
#include "base/err.h"
#include "base/sealed.h"
#include "place.h"
#include "policy_fixture.h"
#include "supervisor/query/waiting.h"

#define NS_PER_S 1000000000LL
#define DAY_S    86400LL
#define BEGIN_S  1800000000LL
#define RECORDS  9000 /* more than a part holds */

struct fixture {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct record_form form;
	struct store store;
	struct loop loop;
	struct pollfd polls[2];
	struct loop_fd *fds[2];
	struct channel control, other;
	struct replayed replayed;
	unsigned records, parts, rows;
	struct control_replayed told;
	char last_row[128];
};

static int take_part(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;
	struct bytes text;

	f->told = *(const struct control_replayed *)message->body;
	bytes_init(&text, REPLAY_PART_BYTES);
	assert_int_equal(sealed_read(&text, message->fds[0]), 0);
	for (size_t i = 0; i < text.size; i++)
		f->records += text.data[i] == '\n';
	bytes_fini(&text);
	f->parts++;
	return 0;
}

static int take_row(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;
	const struct control_row *row = message->body;

	f->rows++;
	snprintf(f->last_row, sizeof(f->last_row), "%.127s", row->text);
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_REPLAYED, 1, 1, CHANNEL_EXACTLY(control_replayed), take_part, "replayed"},
	{CONTROL_ROW, 0, 0, CHANNEL_EXACTLY(control_row), take_row, "row"},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_recovery found;
	int pair[2];

	place_open(&f->place);
	f->clock = clock_simulate(&f->time);
	f->time.wall_ns = BEGIN_S * NS_PER_S;
	f->form = (struct record_form){.clock = &f->clock, .host = "h", .utc_offset_s = 9 * 3600};
	assert_int_equal(
		store_open(&f->store, f->place.dir, &f->form, 64U << 20, 64U << 10, &found), 0);
	loop_init(&f->loop, &f->clock, f->polls, f->fds, 2);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	channel_init(&f->control, pair[0], NULL, 0, NULL);
	channel_init(&f->other, pair[1], rules, 2, f);
	replayed_init(&f->replayed, &f->loop, &f->control, &f->store);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	replayed_withdraw(&f->replayed, 7);
	channel_fini(&f->control);
	channel_fini(&f->other);
	store_close(&f->store);
	place_close(&f->place);
	free(f);
	return 0;
}

static void append(struct fixture *f, const char *process, enum event_id id)
{
	static const uint8_t source[4] = {10, 0, 0, 5}, destination[4] = {10, 1, 0, 5};
	const struct event_arg args[] = {EV_TEXT(FROM_ZONE, "a"),           EV_IPV4(SOURCE, source),
					 EV_IPV4(DESTINATION, destination), EV_NUMBER(PROTOCOL, 6),
					 EV_NUMBER(DESTINATION_PORT, 443),  EV_NUMBER(PERMIT, 10)};
	struct event_record event;

	event_build(&event, id, args, sizeof(args) / sizeof(args[0]));
	assert_int_equal(store_append(&f->store, process, &event), 0);
}

/* Turn by turn, until no part comes any more. */
static void replay(struct fixture *f, const char *argument)
{
	struct control_query query = {.number = 7, .kind = QUERY_REPLAY};
	const char *why;

	f->records = f->parts = f->rows = 0;
	f->told = (struct control_replayed){0};
	snprintf(query.argument, sizeof(query.argument), "%s", argument);
	assert_int_equal(replayed_query(&f->replayed, &query), 0);
	for (unsigned turns = 0; turns < 10000 && loop_armed(&f->replayed.timer); turns++) {
		f->replayed.timer.fire(&f->loop, &f->replayed.timer);
		assert_true(channel_serve(&f->other, 16, &why) >= -ERR_AGAIN);
		/* Nothing is read ahead of what is judged. */
		if (f->replayed.judging) {
			loop_disarm(&f->loop, &f->replayed.timer);
			replayed_next(&f->replayed, 8);
			assert_true(f->replayed.judging);
			replayed_next(&f->replayed, 7);
		}
	}
	(void)channel_serve(&f->other, 16, &why);
}

static void test_replay_parts_have_each_record_of_a_flow_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < RECORDS; i++) {
		append(f, "arbiter", i % 3 == 0 ? EVENT_FLOW_DENIED : EVENT_FLOW_PERMITTED);
		if (i % 10 == 0) {
			append(f, "netfilter", EVENT_FLOW_ENDED);
			append(f, "config", EVENT_FLOW_PERMITTED); /* not its to say */
		}
	}
	replay(f, "en 1");
	assert_int_equal(f->records, RECORDS);
	assert_true(f->parts > 1);
	assert_int_equal(f->told.last, 1);
	assert_int_equal(f->told.cut, 0);
	assert_string_equal(f->told.since, "2027-01-15T17:00:00");
	assert_int_equal(f->replayed.query.number, 0);
}

static void test_replay_parts_begin_at_the_day(void **state)
{
	struct fixture *f = *state;

	for (unsigned day = 0; day < 5; day++) {
		f->time.wall_ns = (BEGIN_S + day * DAY_S) * NS_PER_S;
		for (unsigned i = 0; i < 500; i++)
			append(f, "arbiter", EVENT_FLOW_PERMITTED);
	}
	f->time.wall_ns += 60 * NS_PER_S;
	replay(f, "ja 2");
	assert_int_equal(f->records, 1000); /* of a day ago, and of now */
	assert_string_equal(f->told.since, "2027-01-18T17:00:00");
	replay(f, "ja 366");
	assert_int_equal(f->records, 2500);
}

/* The log has its limit: what it let go of these days is not passed over in silence. */
static void test_replay_tells_that_records_of_the_days_have_gone(void **state)
{
	struct fixture *f = *state;
	struct store_recovery found;

	store_close(&f->store);
	assert_int_equal(store_open(&f->store, f->place.dir, &f->form, 4U << 20, 64U << 10, &found),
			 0);
	while (f->store.removed == 0)
		append(f, "arbiter", EVENT_FLOW_PERMITTED);
	replay(f, "en 1");
	assert_int_equal(f->told.cut, 1);
	f->time.wall_ns += 3 * DAY_S * NS_PER_S; /* none of them is of these days */
	append(f, "arbiter", EVENT_FLOW_PERMITTED);
	replay(f, "en 1");
	assert_int_equal(f->records, 1);
	assert_int_equal(f->told.cut, 0);
}

static void test_replay_of_no_records_ends(void **state)
{
	struct fixture *f = *state;

	replay(f, "en 7");
	assert_int_equal(f->records, 0);
	assert_int_equal(f->parts, 1);
	assert_int_equal(f->told.last, 1);
	assert_string_equal(f->told.since, "");
}

static void test_replay_days_are_a_number(void **state)
{
	static const char *const wrong[] = {"en", "en 0", "en 367", "en x", "en 1x", ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		replay(f, wrong[i]);
		assert_int_equal(f->parts, 0);
		assert_int_equal(f->rows, 1);
		assert_string_equal(f->last_row, "give how many days; allowed: 1 to 366");
	}
}

static void test_replay_that_is_withdrawn_reads_nothing(void **state)
{
	struct fixture *f = *state;
	const struct control_query query = {.number = 7, .kind = QUERY_REPLAY, .argument = "en 1"};

	append(f, "arbiter", EVENT_FLOW_PERMITTED);
	assert_int_equal(replayed_query(&f->replayed, &query), 0);
	replayed_withdraw(&f->replayed, 8);
	assert_true(loop_armed(&f->replayed.timer));
	replayed_withdraw(&f->replayed, 7);
	assert_false(loop_armed(&f->replayed.timer));
	assert_int_equal(f->replayed.query.number, 0);
}

/* ---- the candidate */

static void test_replay_is_of_the_candidate_that_its_own_request_compiled(void **state)
{
	const struct control_query question = {
		.number = 3, .kind = QUERY_REPLAY, .console = 1, .limit = 12};
	struct replay_candidate candidate = {.fd = 5, .console = 1, .request = 12, .owner = 77};

	assert_true(replay_candidate_is_of(&candidate, &question, 77));
	candidate.request = 11; /* Ctrl-C came before its question */
	assert_false(replay_candidate_is_of(&candidate, &question, 77));
	candidate.request = 12;
	assert_false(replay_candidate_is_of(&candidate, &question, 78)); /* another's login */
	candidate.console = 0;
	assert_false(replay_candidate_is_of(&candidate, &question, 77));
	candidate = (struct replay_candidate){.fd = -1, .console = 1, .request = 12, .owner = 77};
	assert_false(replay_candidate_is_of(&candidate, &question, 77));
}

/* ---- the arbiter's memory */

static bool no_memory;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	return no_memory ? NULL : __real_realloc(old, size);
}

/* It judges packets too: it must not end for a replay. */
static void test_replay_without_memory_ends_alone(void **state)
{
	const struct control_replayed told = {.number = 7, .last = 1};
	struct fixture *f = *state;
	struct rehearsal r;
	const char *why;
	int fd = -1;

	rehearsal_init(&r, &f->loop, &f->control);
	r.asked.number = 7;
	assert_int_equal(sealed_make("records", span_of("<134>1 ...\n"), &fd), 0);
	no_memory = true;
	assert_int_equal(rehearsal_take(&r, &told, fd), 0);
	no_memory = false;
	assert_int_equal(r.asked.number, 0);
	assert_false(loop_armed(&r.timer));
	(void)channel_serve(&f->other, 16, &why);
	assert_string_equal(f->last_row, "out of memory");
	assert_int_equal(close(fd), 0);
}

/* ---- the changes */

static const char zones[] = "zone a { tier business; port e0; address 10.0.0.1/24; }\n"
			    "zone b { tier business; port e1; address 10.1.0.1/24; }\n"
			    "service web { tcp 443; }\n";

static void take(struct replay *r, const char *source, const char *at)
{
	struct flow_line line;
	char text[128];

	snprintf(text, sizeof(text), "from=a src=%s dst=10.1.0.5 proto=tcp dport=443 at=%s", source,
		 at);
	assert_int_equal(flow_line_read(&line, span_of(text)), 0);
	assert_int_equal(replay_take(r, &line), 0);
}

static void test_replay_changes_past_the_table_stay_in_the_sums(void **state)
{
	struct policy_fixture before, after;
	struct judge_policy old, new;
	struct replay r;
	char text[512];

	snprintf(text, sizeof(text),
		 "%scrossing a b { permit 1 { source 10.0.0.0/24; destination "
		 "10.1.0.5; service web; } }\n",
		 zones);
	policy_fixture_init(&before, text);
	policy_fixture_init(&after, zones);
	assert_int_equal(judge_init(&old, &before.snapshot), 0);
	assert_int_equal(judge_init(&new, &after.snapshot), 0);
	assert_int_equal(replay_init(&r, &old, &new, BEGIN_S, 2), 0);
	take(&r, "10.0.0.5", "2026-11-24T10:00Z");
	take(&r, "10.0.0.6", "2026-11-24T10:01:02Z");
	take(&r, "10.0.0.6", "2026-11-24T10:01:03.5Z");
	take(&r, "10.0.0.7", "2026-11-24T10:02Z"); /* no place */
	assert_int_equal(r.total, 4);
	assert_int_equal(r.same, 0);
	assert_int_equal(r.kinds[REPLAY_NOW_DENIED], 4);
	assert_int_equal(r.unlisted, 1);
	replay_sort(&r);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.changes[0].count, 2); /* the most frequent first */
	assert_string_equal(r.changes[0].last, "2026-11-24T10:01:03");
	assert_string_equal(r.changes[1].last, "2026-11-24T10:00");
	replay_fini(&r);
	judge_fini(&old);
	judge_fini(&new);
	policy_fixture_fini(&before);
	policy_fixture_fini(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replay_parts_have_each_record_of_a_flow_once,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_parts_begin_at_the_day, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_replay_tells_that_records_of_the_days_have_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_of_no_records_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_days_are_a_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_that_is_withdrawn_reads_nothing, setup,
						teardown),
		cmocka_unit_test(test_replay_is_of_the_candidate_that_its_own_request_compiled),
		cmocka_unit_test_setup_teardown(test_replay_without_memory_ends_alone, setup,
						teardown),
		cmocka_unit_test(test_replay_changes_past_the_table_stay_in_the_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

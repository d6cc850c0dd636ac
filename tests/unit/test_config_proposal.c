/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change that was proposed and that nobody approves: when it ends, and what is recorded of it. */
#include "config_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/proposal.h"
#include "policy/print.h"

#define DAY_S 86400
#define ZONES                                                                                      \
	"zone a { tier business; port eth0; address 10.0.0.1/24; }\n"                              \
	"zone b { tier outside; port eth1; address 10.1.0.1/24; }\n"
#define CHANGED ZONES "service one { udp 1; }\n"

static char answer[4096]; /* to the request before */

static int setup(void **state)
{
	struct problems problems;

	fixture_open();
	f.c.state_dir = f.place.dir;
	f.c.running_entry.number = 7;
	assert_int_equal(bytes_append_text(&f.c.running_text, ZONES), 0);
	problems_init(&problems);
	assert_int_equal(asking_parse(&f.c.candidate, span_of(CHANGED), &problems), 0);
	config_commit_init(&f.c.commit);
	config_slots_init(&f.c);
	config_slots_look(&f.c);
	return 0;
}

static int teardown(void **state)
{
	config_commit_fini(&f.c.commit);
	tree_fini(&f.c.candidate);
	fixture_close();
	return 0;
}

static bool is_kept(void)
{
	return faccessat(f.place.dir, "proposed", F_OK, 0) == 0;
}

/* So much later by both clocks: a minute behind, at the latest, it is looked at. */
static void later(int64_t seconds)
{
	f.time.mono_ns += 60 * INT64_C(1000000000);
	f.time.wall_ns += seconds * 1000000000;
	assert_int_equal(loop_step(&f.c.loop, 0), 0);
}

/* The answer is left in answer. */
static enum console_status request(const char *person, enum console_kind kind, const char *line,
				   enum console_status (*serve)(struct asking *a))
{
	static struct console_request request;
	struct asking a = {.c = &f.c, .link = &f.c.links[0], .fd = -1, .request = &request};
	enum console_status status;

	request = (struct console_request){.kind = kind};
	(void)snprintf(request.line, sizeof(request.line), "%s", line);
	(void)snprintf(f.c.links[0].person, sizeof(f.c.links[0].person), "%s", person);
	bytes_init(&a.text, CONFIG_TEXT_BYTES);
	status = serve(&a);
	(void)snprintf(answer, sizeof(answer), "%.*s", (int)a.text.size, (const char *)a.text.data);
	bytes_fini(&a.text);
	return status;
}

/* As an emergency, which takes two persons whatever the configuration says. */
static enum console_status propose(const char *reason)
{
	struct problems problems;

	problems_init(&problems);
	assert_int_equal(config_replace_candidate(&f.c, span_of(CHANGED), &problems), 0);
	return request("yamada", CONSOLE_PROPOSE_EMERGENCY, reason, proposal_make);
}

static void begin(void)
{
	assert_int_equal(propose("first"), CONSOLE_OK);
	assert_int_equal(next_event("first"), EVENT_CHANGE_PROPOSED);
	assert_true(is_kept() && proposal_waits(&f.c));
}

static void assert_lapsed(const char *why)
{
	assert_int_equal(next_event(why), EVENT_CHANGE_LAPSED);
	assert_int_equal(next_event(""), EVENT_NONE_);
	assert_false(is_kept());
}

static void test_proposal_lapses_when_its_time_is_over(void **state)
{
	begin();
	later(7 * DAY_S - 1);
	assert_int_equal(next_event(""), EVENT_NONE_);
	assert_true(proposal_waits(&f.c));
	later(1);
	assert_lapsed("its time is over");
}

static void test_proposal_lapses_behind_another_commit(void **state)
{
	begin();
	f.c.running_entry.number++;
	later(60);
	assert_lapsed("another configuration runs");
}

static void test_proposal_lapses_when_the_clock_was_set_back(void **state)
{
	begin();
	later(-1);
	assert_lapsed("the clock was set back");
}

/* Both names of what it is about: who had proposed it, and why. */
static void test_proposal_that_lapses_names_its_author_and_reason(void **state)
{
	begin();
	f.c.running_entry.number++;
	later(60);
	assert_int_equal(next_event("yamada"), EVENT_CHANGE_LAPSED);
	begin();
	f.c.running_entry.number++;
	later(60);
	assert_int_equal(next_event("first"), EVENT_CHANGE_LAPSED);
}

/* Nobody waits for the minute: the next one does not only take the name of the old one. */
static void test_proposal_that_lapsed_is_recorded_before_the_next_one(void **state)
{
	begin();
	assert_int_equal(propose("too early"), CONSOLE_FAILED);
	f.c.running_entry.number++;
	assert_int_equal(propose("second"), CONSOLE_OK);
	assert_int_equal(next_event("first"), EVENT_CHANGE_LAPSED);
	assert_int_equal(next_event("second"), EVENT_CHANGE_PROPOSED);
}

/* What is approved runs from here on, under another number: it has not lapsed. */
static void test_proposal_that_is_carried_out_does_not_lapse(void **state)
{
	begin();
	f.c.commit.active = true;
	later(60);
	assert_true(is_kept());
	f.c.commit.proposal = true;
	proposal_committed(&f.c);
	assert_false(is_kept());
	f.c.commit.active = false;
	f.c.running_entry.number++;
	later(60);
	assert_int_equal(next_event(""), EVENT_NONE_);
}

/* ... and another commit does not end it without a record. */
static void test_proposal_stays_behind_a_commit_that_is_not_its_own(void **state)
{
	begin();
	proposal_committed(&f.c);
	assert_true(is_kept());
}

/* The machine stopped between the name of what was approved and the end of its proposal. */
static void test_proposal_that_runs_ends_without_a_lapse(void **state)
{
	struct problems problems;

	begin();
	problems_init(&problems);
	assert_int_equal(config_replace_candidate(&f.c, span_of(CHANGED), &problems), 0);
	bytes_clear(&f.c.running_text);
	assert_int_equal(print_tree(&f.c.running_text, f.c.candidate.root), 0);
	f.c.running_entry.number++;
	later(60);
	assert_int_equal(next_event(""), EVENT_NONE_);
	assert_false(is_kept());
}

static enum console_status show(struct asking *a)
{
	assert_true(proposal_show(a));
	return CONSOLE_OK;
}

static void withdraw(void)
{
	assert_int_equal(request("yamada", CONSOLE_WITHDRAW, "", proposal_withdraw), CONSOLE_OK);
	assert_int_equal(next_event("yamada"), EVENT_CHANGE_WITHDRAWN);
}

/* C1: with the digits that were shown, but not as they were shown. */
static void assert_must_be_looked_at(const char *digits)
{
	assert_int_equal(request("suzuki", CONSOLE_APPROVE, digits, proposal_approve),
			 CONSOLE_FAILED);
	assert_non_null(strstr(answer, "look at it in this session first"));
	assert_int_equal(next_event(""), EVENT_NONE_);
	assert_true(is_kept());
}

/* The same bytes are another change for another reason, or on top of another configuration. */
static void test_proposal_is_approved_only_as_it_was_shown(void **state)
{
	char digits[9];

	begin();
	assert_int_equal(request("suzuki", CONSOLE_PENDING, "", show), CONSOLE_OK);
	assert_non_null(strstr(answer, "SHA-256 "));
	(void)snprintf(digits, sizeof(digits), "%s",
		       strstr(answer, "SHA-256 ") + strlen("SHA-256 "));
	withdraw();
	assert_int_equal(propose("another"), CONSOLE_OK);
	assert_int_equal(next_event("another"), EVENT_CHANGE_PROPOSED);
	assert_must_be_looked_at(digits);
	withdraw();
	f.c.running_entry.number++;
	begin();
	assert_must_be_looked_at(digits);
	assert_int_equal(request("suzuki", CONSOLE_PENDING, "", show), CONSOLE_OK);
	(void)request("suzuki", CONSOLE_APPROVE, digits, proposal_approve);
	assert_int_equal(next_event("suzuki"), EVENT_CHANGE_APPROVED);
}

static void test_proposal_that_is_damaged_lapses(void **state)
{
	int fd;

	begin();
	fd = openat(f.place.dir, "proposed", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "!", 1, 100), 1);
	(void)close(fd);
	later(60);
	assert_lapsed("it is damaged");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_proposal_lapses_when_its_time_is_over),
		TEST(test_proposal_lapses_behind_another_commit),
		TEST(test_proposal_lapses_when_the_clock_was_set_back),
		TEST(test_proposal_that_lapses_names_its_author_and_reason),
		TEST(test_proposal_that_lapsed_is_recorded_before_the_next_one),
		TEST(test_proposal_that_is_carried_out_does_not_lapse),
		TEST(test_proposal_stays_behind_a_commit_that_is_not_its_own),
		TEST(test_proposal_that_runs_ends_without_a_lapse),
		TEST(test_proposal_is_approved_only_as_it_was_shown),
		TEST(test_proposal_that_is_damaged_lapses),
	};

	return cmocka_run_group_tests_name("config_proposal", tests, NULL, NULL);
}

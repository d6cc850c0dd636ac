/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a log-sender that was taken over can say to audit (ADR 811): nothing beyond what it was
 * given. The log-sender is the test. */
#include "audit_sender_fixture.h"

#include <errno.h>

#include "audit/destinations.h"
#include "policy_fixture.h"

struct fixture {
	struct sending s; /* first: on_report and on_connect get the same */
	struct channel far;
	unsigned asked;
	unsigned records; /* that came over the link */
	uint32_t run;     /* of the last */
	bool secure;
};

static int take(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct fixture *f = ctx;
	const struct log_sender_record *record = message->body;

	f->records++;
	f->run = record->run;
	return 0;
}

static const struct channel_rule rules[] = {
	{LOG_SENDER_RECORD, 0, 0, sizeof(struct log_sender_record) + 1, CHANNEL_BODY_MAX,
	 CHANNEL_ANY_STATE, take, "record"},
};

/* Return: audit's end of a new link. */
static int make_link(struct fixture *f)
{
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	channel_init(&f->far, fds[1], rules, sizeof(rules) / sizeof(rules[0]), f);
	return fds[0];
}

static void on_connect(void *ctx, const char *name)
{
	struct fixture *f = ctx;

	f->asked++;
	if (f->far.fd >= 0)
		channel_fini(&f->far);
	sender_connected(&f->s.sender, make_link(f), 0);
}

static void open_sender(struct fixture *f, const char *peer)
{
	sender_open_stream(&f->s.sender, &f->s.loop, &f->s.store,
			   (struct sender_report){on_report, on_connect, f}, "server", peer);
	step(&f->s);
}

/* UDP: nothing is known of the server. */
static void open_datagrams(struct fixture *f)
{
	assert_int_equal(sender_open(&f->s.sender, &f->s.loop, &f->s.store,
				     (struct sender_report){on_report, on_connect, f}, "server",
				     make_link(f), false),
			 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->far.fd = -1;
	sending_init(&f->s, DAY_FITS, DAY_SEGMENT);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sending_fini(&f->s);
	if (f->far.fd >= 0)
		channel_fini(&f->far);
	free(f);
	return 0;
}

static void pass(struct fixture *f, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 5) {
		step(&f->s);
		(void)channel_serve(&f->far, RECORDS_MAX, NULL); /* its end is seen elsewhere */
	}
}

static void say(struct fixture *f, enum log_sender_type type, const void *body, size_t size)
{
	assert_int_equal(channel_send(&f->far, type, body, size, NULL, 0), 0);
	pass(f, 10);
}

static void say_joined(struct fixture *f)
{
	const struct log_sender_joined body = {{0}, {0}};

	say(f, LOG_SENDER_JOINED, &body, sizeof(body));
}

static void report(struct fixture *f, uint64_t taken, uint64_t reached, uint32_t run)
{
	const struct log_sender_report body = {.taken = taken, .reached = reached, .run = run};

	say(f, LOG_SENDER_REPORT, &body, sizeof(body));
}

/* The link is closed, the log says so, and another connection is asked for. */
static void expect_refused(struct fixture *f)
{
	assert_int_equal(f->s.told[EVENT_EVENT_REFUSED], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.sender.link.watch.fd, -1);
	pass(f, 2000);
	assert_int_equal(f->asked, 2);
}

static void expect_believed(const struct fixture *f)
{
	assert_int_equal(f->s.told[EVENT_EVENT_REFUSED], 0);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 0);
}

static void test_link_hands_over_one_window(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	append(&f->s, 200);
	pass(f, 100);
	assert_int_equal(f->records, 0); /* nobody has joined */
	say_joined(f);
	pass(f, 1000);
	assert_int_equal(f->records, LOG_SENDER_WINDOW);
	report(f, 10, 0, f->run);
	pass(f, 100);
	assert_int_equal(f->records, LOG_SENDER_WINDOW + 10);
	expect_believed(f);
}

static void test_link_place_follows_what_is_said_to_have_arrived(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 20);
	pass(f, 100);
	report(f, 20, 15, f->run);
	assert_int_equal(f->s.sender.link.reached, 15);
	report(f, 20, 3, f->run - 1); /* of before the last turn: says nothing of this one */
	assert_int_equal(f->s.sender.link.reached, 15);
	expect_believed(f);
}

static void test_link_refuses_records_that_were_not_handed_over(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 5);
	pass(f, 100);
	report(f, f->records, f->s.sender.link.sent_end + 1, f->run);
	expect_refused(f);
}

static void test_link_refuses_more_taken_than_sent(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 5);
	pass(f, 100);
	report(f, f->records + 1, 0, f->run);
	expect_refused(f);
}

static void test_link_refuses_a_place_that_goes_back(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 5);
	pass(f, 100);
	report(f, f->records, 4, f->run);
	report(f, f->records, 3, f->run);
	expect_refused(f);
}

static void test_link_refuses_a_run_to_come(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 5);
	pass(f, 100);
	report(f, f->records, 2, f->run + 1);
	expect_refused(f);
}

/* Under TLS whoever joins says how the server is reached, in text that may stand in the log. */
static void test_link_refuses_a_server_without_tls(void **state)
{
	struct fixture *f = *state;

	open_sender(f, "log.example.jp");
	say_joined(f);
	expect_refused(f);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS], 0);
}

static void test_link_refuses_text_that_is_none(void **state)
{
	struct fixture *f = *state;
	struct log_sender_joined body = {.version = "TLSv1.3\n", .suite = "x"};

	open_sender(f, "log.example.jp");
	say(f, LOG_SENDER_JOINED, &body, sizeof(body));
	expect_refused(f);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS], 0);
}

static void test_link_refuses_text_without_an_end(void **state)
{
	struct fixture *f = *state;
	struct log_sender_joined body = {.version = "TLSv1.3"};

	memset(body.suite, 'x', sizeof(body.suite));
	open_sender(f, "log.example.jp");
	say(f, LOG_SENDER_JOINED, &body, sizeof(body));
	expect_refused(f);
}

/* A reason that no code of ours has is told as the nearest, not looked up beyond the table. */
static void test_link_bears_any_blame(void **state)
{
	struct fixture *f = *state;
	const struct log_sender_refused body = {.error = EPROTO, .blame = UINT32_MAX};

	open_sender(f, "log.example.jp");
	say(f, LOG_SENDER_REFUSED, &body, sizeof(body));
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS_FAILED], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.told[EVENT_EVENT_REFUSED], 0);
}

static void test_link_refuses_blame_without_tls(void **state)
{
	struct fixture *f = *state;
	const struct log_sender_refused body = {.error = EPROTO, .blame = 1};

	open_sender(f, NULL);
	say_joined(f);
	say(f, LOG_SENDER_REFUSED, &body, sizeof(body));
	expect_refused(f);
	assert_int_equal(f->s.told[EVENT_SYSLOG_TLS_FAILED], 0);
}

/* What was not said to have arrived is handed over again to the next, from the first on. */
static void test_link_that_ends_gives_all_back(void **state)
{
	struct fixture *f = *state;

	open_sender(f, NULL);
	say_joined(f);
	append(&f->s, 20);
	pass(f, 100);
	assert_int_equal(f->records, 21); /* the log begins with a record of its own */
	channel_fini(&f->far);
	pass(f, 2000);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->asked, 2);
	say_joined(f);
	pass(f, 200);
	assert_int_equal(f->records, 42);
	assert_int_equal(f->s.told[EVENT_EVENT_REFUSED], 0);
}

/* A log-sender that is slow to start has sent nothing that a server could refuse. */
static void test_link_quiet_before_the_record_left_proves_nothing(void **state)
{
	struct fixture *f = *state;

	open_datagrams(f);
	append(&f->s, 5);
	pass(f, SENDER_RETRY_MS + 4 * SENDER_QUIET_MS);
	assert_int_equal(f->records, 1);
	report(f, 1, 2, f->run);
	pass(f, 2 * SENDER_QUIET_MS);
	assert_int_equal(f->records, 1 + 6); /* where no error has ever come the first goes twice */
	expect_believed(f);
}

/* Nobody has tried the way that a new link leads: the server is not called back for it. */
static void test_link_made_anew_without_a_record_is_not_trusted(void **state)
{
	struct fixture *f = *state;

	open_datagrams(f);
	pass(f, SENDER_RETRY_MS + 100);
	assert_int_equal(f->records, 1); /* the log begins with a record of its own */
	report(f, 1, 2, f->run);
	pass(f, SENDER_QUIET_MS + 100);
	report(f, 2, 2, f->run); /* it went twice */
	pass(f, (SENDER_TRAIL_S + 1) * 1000);
	channel_fini(&f->far);
	pass(f, 2 * SENDER_JOIN_MS);
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 0);
	append(&f->s, 1);
	pass(f, SENDER_RETRY_MOST_MS);
	report(f, 1, 3, f->run);
	pass(f, 2 * SENDER_QUIET_MS);
	assert_int_equal(f->s.told[EVENT_SYSLOG_BACK], 1);
}

static void on_wanted(void *ctx, uint32_t index)
{
	struct fixture *f = ctx;

	assert_int_equal(index, 0);
	f->asked++;
}

/* There was no way to the server when its policy began. */
static void test_link_of_datagrams_that_did_not_come_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct destinations all;

	destinations_init(&all, &f->s.loop, &f->s.store,
			  (struct destinations_owner){on_report, on_wanted, f});
	all.next.count = 1;
	all.next.servers[0] =
		(struct destination){.name = "server", .transport = SNAPSHOT_TRANSPORT_UDP};
	destinations_apply(&all, &f->s.form);
	pass(f, SENDER_RETRY_MS + 100);
	assert_int_equal(f->asked, 1);
	destinations_connected(&all, 0, -1, ENETUNREACH);
	assert_int_equal(f->s.told[EVENT_SYSLOG_AWAY], 1);
	pass(f, SENDER_RETRY_MS + 100);
	assert_int_equal(f->asked, 2);
	destinations_fini(&all);
}

/* A policy with two zones, in either of which the same server may be reached; by TCP in @zone. */
static void follow_policy(struct fixture *f, struct destinations *d, const char *zone)
{
	struct policy_fixture policy;
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "system { syslog { zone %s; server 10.0.0.9 { transport tcp; } } }\n"
		       "zone a { tier sensitive; port eth0; address 10.1.0.1/24;"
		       " route 0.0.0.0/0 via 10.1.0.2; }\n"
		       "zone b { tier business; port eth1; address 10.2.0.1/24;"
		       " route 0.0.0.0/0 via 10.2.0.2; }\n",
		       zone);
	policy_fixture_init(&policy, text);
	assert_int_equal(destinations_prepare(d, &policy.snapshot), 0);
	destinations_apply(d, &f->s.form);
	policy_fixture_fini(&policy);
	pass(f, 50);
}

/* A connection stands in one zone: that of the policy before must not go on for the new one. */
static void test_link_of_a_server_that_moves_to_another_zone_is_made_anew(void **state)
{
	struct fixture *f = *state;
	struct destinations all;

	destinations_init(&all, &f->s.loop, &f->s.store,
			  (struct destinations_owner){on_report, on_wanted, f});
	follow_policy(f, &all, "a");
	assert_int_equal(f->asked, 1);
	destinations_connected(&all, 0, make_link(f), 0);
	say_joined(f);
	follow_policy(f, &all, "a");
	assert_int_equal(f->asked, 1); /* goes on unbroken */
	follow_policy(f, &all, "b");
	assert_int_equal(f->asked, 2);
	expect_believed(f);
	destinations_fini(&all);
}

#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(test_link_hands_over_one_window),
		LINK_TEST(test_link_place_follows_what_is_said_to_have_arrived),
		LINK_TEST(test_link_refuses_records_that_were_not_handed_over),
		LINK_TEST(test_link_refuses_more_taken_than_sent),
		LINK_TEST(test_link_refuses_a_place_that_goes_back),
		LINK_TEST(test_link_refuses_a_run_to_come),
		LINK_TEST(test_link_refuses_a_server_without_tls),
		LINK_TEST(test_link_refuses_text_that_is_none),
		LINK_TEST(test_link_refuses_text_without_an_end),
		LINK_TEST(test_link_bears_any_blame),
		LINK_TEST(test_link_refuses_blame_without_tls),
		LINK_TEST(test_link_that_ends_gives_all_back),
		LINK_TEST(test_link_quiet_before_the_record_left_proves_nothing),
		LINK_TEST(test_link_of_datagrams_that_did_not_come_is_asked_for),
		LINK_TEST(test_link_made_anew_without_a_record_is_not_trusted),
		LINK_TEST(test_link_of_a_server_that_moves_to_another_zone_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

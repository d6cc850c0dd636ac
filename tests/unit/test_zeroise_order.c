/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An order to wipe the data device, in the supervisor (L5, ADR 609): who may give it, what is on
 * the disk before it, and that nothing is left behind one that is refused. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "channel/account.h"
#include "channel/zeroise.h"
#include "children_fixture.h"
#include "place.h"
#include "supervisor/power.h"
#include "supervisor/query/query.h"
#include "supervisor/supervisor.h"
#include "supervisor/zeroise/device.h"

#define MS_NS       UINT64_C(1000000)
#define CERTIFICATE "sekisho zeroise\nperson x\n"

enum { CONSOLE, AUDIT, ACCOUNTS, PEER_COUNT };

static struct supervisor sup;
static struct snapshot_login login;
static struct snapshot_person persons[3];
static struct place place;
static int peers[PEER_COUNT];
static struct clock_simulated now;
static struct clock test_clock;
static unsigned records[EVENT_COUNT_];
static bool has_disk, stopped, loses_names;

void supervisor_emit(struct supervisor *s, enum event_id id, const struct event_arg *args,
		     size_t arg_count)
{
	records[id]++;
}

int __wrap_commit_reconverge(struct supervisor *s);
int __wrap_commit_reconverge(struct supervisor *s)
{
	return 0;
}

void __wrap_sockets_close_all(struct supervisor *s);
void __wrap_sockets_close_all(struct supervisor *s)
{
}

void __wrap_session_end_all(struct supervisor *s);
void __wrap_session_end_all(struct supervisor *s)
{
}

void __real_supervisor_stop(struct supervisor *s, struct event_arg why);
void __wrap_supervisor_stop(struct supervisor *s, struct event_arg why);
void __wrap_supervisor_stop(struct supervisor *s, struct event_arg why)
{
	stopped = true;
}

int __wrap_data_device_look(int directory, struct data_device *out);
int __wrap_data_device_look(int directory, struct data_device *out)
{
	*out = (struct data_device){.name = "vdb", .serial = "S1", .size_bytes = 4096};
	return has_disk ? 0 : -ERR_NOT_FOUND;
}

/* A disk that does not say whether it keeps the name of a file. */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (loses_names && fd == place.dir) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

/* Another person sits down; the console's process is another one. */
static void sit(const char *name, const char *hands)
{
	struct child *console = &sup.children[CONSOLE];

	console->pid++;
	(void)snprintf(console->person, sizeof(console->person), "%s", name);
	(void)snprintf(console->hands, sizeof(console->hands), "%s", hands);
}

static void confirm(void)
{
	const struct control_confirmed body = {.pid = (uint32_t)sup.children[CONSOLE].pid};
	const struct channel_message message = {.body = &body};

	assert_int_equal(zeroise_handle_confirmed(NULL, &sup.children[ACCOUNTS], &message), 0);
}

/* What the console is shown before it asks for the word and the password. */
static void look(void)
{
	const struct control_query query = {.number = 6, .kind = QUERY_WIPE_PROPOSED};
	struct answer answer;

	answer_begin(&answer, &sup.children[CONSOLE], &query);
	answer_wipe_proposed(&sup, &answer);
}

static void order(const char *reason)
{
	struct control_query query = {.number = 7, .kind = QUERY_ZEROISE};
	struct answer answer;

	(void)snprintf(query.argument, sizeof(query.argument), "%s", reason);
	(void)snprintf(query.person, sizeof(query.person), "%s", sup.children[CONSOLE].person);
	answer_begin(&answer, &sup.children[CONSOLE], &query);
	answer_zeroise(&sup, &answer);
}

static void ask(const char *reason)
{
	look();
	order(reason);
}

static void record(bool ok)
{
	zeroise_recorded(&sup, &(struct control_recorded){.number = sup.zeroise.number, .ok = ok});
}

static void certify(void)
{
	struct control_certified body = {.number = sup.zeroise.number, .text = CERTIFICATE};
	const struct channel_message message = {.body = &body};

	assert_int_equal(zeroise_handle_certified(NULL, &sup.children[AUDIT], &message), 0);
}

/* The last message of a kind to a process, behind a frame's header. Return: whether there was one.
 */
static bool told(unsigned which, void *body, size_t body_bytes)
{
	uint8_t message[8 + 2048];
	bool found = false;
	ssize_t size;

	while ((size = recv(peers[which], message, sizeof(message), MSG_DONTWAIT)) > 0) {
		found |= (size_t)size == 8 + body_bytes;
		if ((size_t)size == 8 + body_bytes)
			memcpy(body, message + 8, body_bytes);
	}
	return found;
}

/* The console's last answer is a refusal of that text. */
static void assert_answered_no(const char *why)
{
	struct control_row row;

	assert_true(told(CONSOLE, &row, sizeof(row)));
	assert_int_equal(row.flags, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
	assert_non_null(strstr(row.text, why));
}

/* The same, and nothing is under way or left behind. */
static void assert_refused(const char *why)
{
	assert_answered_no(why);
	assert_int_equal(sup.zeroise.state, ZEROISE_NONE);
	assert_int_equal(faccessat(place.dir, MACHINE_WIPE_ORDER, F_OK, 0), -1);
	assert_false(stopped);
}

static void pass(uint64_t ms)
{
	now.mono_ns += ms * MS_NS;
	(void)loop_step(&sup.loop, 0);
}

static void employ(void)
{
	static const char *const names[] = {"yamada", "tanaka", "suzuki"};

	for (size_t i = 0; i < 3; i++) {
		persons[i] = (struct snapshot_person){.role = SNAPSHOT_ROLE_ADMINISTRATOR,
						      .expires_s = INT64_MAX};
		(void)snprintf(persons[i].name, sizeof(persons[i].name), "%s", names[i]);
	}
}

static int setup(void **state)
{
	place_open(&place);
	memset(&sup, 0, sizeof(sup));
	memset(records, 0, sizeof(records));
	has_disk = true;
	stopped = loses_names = false;
	login = (struct snapshot_login){0};
	employ();
	now = (struct clock_simulated){.mono_ns = 1000 * MS_NS, .wall_ns = 1};
	test_clock = clock_simulate(&now);
	loop_init(&sup.loop, &test_clock, sup.polls, sup.loop_fds, LOOP_MAX);
	sup.options.own_disk = true;
	sup.state_fd = place.dir;
	sup.terminal_fd = sup.console_listen_fd = -1;
	sup.running.snapshot.logins = &login;
	sup.running.snapshot.login_count = 1;
	sup.running.snapshot.persons = persons;
	sup.running.snapshot.person_count = 3;
	peers[CONSOLE] = children_put(&sup, CONSOLE, ROLE_CONSOLE);
	peers[AUDIT] = children_put(&sup, AUDIT, ROLE_AUDIT);
	peers[ACCOUNTS] = children_put(&sup, ACCOUNTS, ROLE_ACCOUNTS);
	sit("yamada", "");
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < PEER_COUNT; i++) {
		channel_fini(&sup.children[i].control);
		close(peers[i]);
	}
	place_close(&place);
	return 0;
}

static void test_zeroise_goes_from_a_password_over_the_record_to_the_order(void **state)
{
	struct control_certify order;
	struct span content;
	struct bytes file;

	ask("sold");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0); /* not without the password */
	confirm();
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 1);
	assert_false(told(AUDIT, &order, sizeof(order))); /* nor before the record is on the disk */
	record(true);
	assert_true(told(AUDIT, &order, sizeof(order)));
	assert_non_null(strstr(order.text, "person yamada\napprover none\nreason sold\n"));
	assert_non_null(strstr(order.text, "device vdb S1\nbytes 4096\n"));
	assert_null(strstr(order.text, sup.zeroise.code)); /* its hash only */
	assert_int_equal(faccessat(place.dir, MACHINE_WIPE_ORDER, F_OK, 0), -1);
	certify();
	assert_true(stopped);
	assert_int_equal(sup.exit_status, MACHINE_REBOOT);
	assert_true(sup.zones.shut & ZONES_SHUT_ZEROISE);
	bytes_init(&file, 1024);
	assert_int_equal(file_read(place.dir, MACHINE_WIPE_ORDER, &file), 0);
	assert_int_equal(file_check(bytes_span(&file), MACHINE_WIPE_KIND, &content), 0);
	assert_memory_equal(content.data + 5 + 32 + 1, CERTIFICATE, strlen(CERTIFICATE));
	bytes_fini(&file);
}

static void test_zeroise_takes_the_password_before_the_question_too_but_not_of_another(void **state)
{
	confirm();
	sit("tanaka", "");
	ask("sold");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	pass(ZEROISE_CONFIRM_MS + 1);
	assert_refused("not confirmed in time");
	confirm();
	ask("sold");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 1);
}

static void test_zeroise_is_refused_where_nobody_wipes_or_nobody_sits(void **state)
{
	sup.options.own_disk = false;
	ask("sold");
	assert_refused("not the gateway's own");
	sup.options.own_disk = true;
	sup.children[CONSOLE].is_tty = false;
	ask("sold");
	assert_refused("only at the serial console");
	sup.children[CONSOLE].is_tty = true;
	has_disk = false;
	ask("sold");
	assert_refused("keeps nothing on a disk");
	has_disk = true;
	ask("");
	assert_refused("give a reason");
}

static void test_zeroise_that_is_not_recorded_certified_or_awaited_is_not_done(void **state)
{
	confirm();
	ask("sold");
	record(false);
	assert_refused("could not be recorded");
	confirm();
	ask("sold");
	record(true);
	pass(ZEROISE_SEND_MS + 5001); /* audit says nothing */
	assert_refused("no certificate");
	certify(); /* and then it does */
	assert_false(stopped);
	confirm();
	ask("sold");
	zeroise_unrecorded(&sup);
	assert_refused("could not be recorded");
	confirm();
	ask("sold");
	zeroise_withdraw(&sup, &sup.children[CONSOLE], 7);
	assert_refused("withdrawn");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 4);
	assert_int_equal(records[EVENT_ZEROISE_NOT_DONE], 4);
}

static void test_zeroise_takes_two_persons_under_two_person(void **state)
{
	struct control_certify order;

	login.two_person = 1;
	confirm();
	ask("sold");
	confirm();
	ask("sold"); /* the same person twice is one */
	assert_int_equal(records[EVENT_ZEROISE_PROPOSED], 2);
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	sit("tanaka", "yamada"); /* whose password went through the other's hands */
	confirm();
	ask("yes");
	assert_refused("it takes another person");
	sit("suzuki", "");
	confirm();
	ask("yes");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 1);
	record(true);
	assert_true(told(AUDIT, &order, sizeof(order)));
	assert_non_null(strstr(order.text, "person yamada\napprover suzuki\nreason sold\n"));
}

/* The row that the console is shown has those words; NULL: it is shown none. */
static void assert_shown(const char *who, const char *why)
{
	uint8_t message[8 + sizeof(struct control_row)];
	struct control_row row;
	bool found = false;

	look();
	while (recv(peers[CONSOLE], message, sizeof(message), MSG_DONTWAIT) > 0) {
		memcpy(&row, message + 8, sizeof(row));
		if (who == NULL)
			assert_int_equal(row.cell_count, 0);
		else if (row.flags == 0)
			found = strcmp(row.text, who) == 0 &&
				strcmp(row.text + strlen(who) + 1, why) == 0;
	}
	assert_int_equal(found, who != NULL);
}

/* C1: not what nobody showed, nor what has come in the place of what was shown. */
static void test_zeroise_is_approved_only_as_it_was_shown(void **state)
{
	login.two_person = 1;
	assert_shown(NULL, NULL);
	confirm();
	ask("sold");
	sit("suzuki", "");
	confirm();
	order("yes");
	assert_refused("look at it");
	assert_shown("yamada", "sold");
	sit("yamada", "");
	confirm();
	order("sold to another");
	sit("suzuki", "");
	confirm();
	order("yes");
	assert_refused("look at it");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	assert_shown("yamada", "sold to another");
	confirm();
	order("yes");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 1);
}

/* One that is over, or that one person could do alone, is not listed. */
static void test_zeroise_lists_no_proposal_that_does_not_count(void **state)
{
	login.two_person = 1;
	confirm();
	ask("sold");
	pass(ZEROISE_PROPOSAL_MS - 1);
	assert_shown("yamada", "sold");
	login.two_person = 0;
	assert_shown(NULL, NULL);
	login.two_person = 1;
	pass(1);
	assert_shown(NULL, NULL);
}

static void test_zeroise_forgets_a_proposal_that_is_too_old(void **state)
{
	login.two_person = 1;
	confirm();
	ask("sold");
	pass(ZEROISE_PROPOSAL_MS);
	sit("suzuki", "");
	confirm();
	ask("yes");
	assert_int_equal(records[EVENT_ZEROISE_PROPOSED], 2);
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
}

/* L5, C1: whoever has been dismissed since has proposed nothing. */
static void test_zeroise_forgets_the_proposal_of_who_is_no_administrator_any_more(void **state)
{
	login.two_person = 1;
	confirm();
	ask("sold");
	persons[0].role = SNAPSHOT_ROLE_OPERATOR;
	sit("suzuki", "");
	confirm();
	ask("mine");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	persons[2].suspended = 1;
	sit("tanaka", "");
	confirm();
	ask("his");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	persons[1].expires_s = 1;
	now.wall_ns = 2 * 1000 * MS_NS * 1000;
	sit("yamada", "");
	confirm();
	ask("hers");
	assert_int_equal(records[EVENT_ZEROISE_PROPOSED], 4);
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	persons[0].administrator_until_s = INT64_MAX; /* and is one again, for a while */
	persons[1].expires_s = INT64_MAX;
	sit("tanaka", "");
	confirm();
	ask("yes");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 1);
}

/* L5: from there on nothing takes it back, and no record says that it is not done. */
static void test_zeroise_is_done_once_the_order_is_on_the_disk(void **state)
{
	confirm();
	ask("sold");
	record(true);
	certify();
	zeroise_withdraw(&sup, &sup.children[CONSOLE], 7);
	zeroise_unrecorded(&sup);
	zeroise_stop(&sup);
	pass(ZEROISE_SEND_MS + 60000);
	assert_int_equal(records[EVENT_ZEROISE_NOT_DONE], 0);
	assert_int_equal(faccessat(place.dir, MACHINE_WIPE_ORDER, F_OK, 0), 0);
	assert_true(zeroise_is_under_way(&sup));
	confirm();
	ask("twice");
	assert_answered_no("under way");
}

/* L5: the machine ends in one way at a time; the log does not end with what is not done. */
static void test_zeroise_is_given_up_when_the_gateway_ends_otherwise(void **state)
{
	struct control_query reboot = {.number = 8, .kind = QUERY_REBOOT};
	struct answer answer;

	sup.options.own_machine = true;
	confirm();
	ask("sold");
	answer_begin(&answer, &sup.children[CONSOLE], &reboot);
	answer_power(&sup, &answer);
	assert_answered_no("under way");
	assert_int_equal(records[EVENT_MACHINE_ENDS], 0);
	record(true);
	__real_supervisor_stop(&sup, EV_NUMBER(SIGNAL, SIGTERM));
	assert_refused("under way");
	assert_int_equal(records[EVENT_ZEROISE_NOT_DONE], 1);
	certify();
	assert_false(stopped);
	assert_int_equal(faccessat(place.dir, MACHINE_WIPE_ORDER, F_OK, 0), -1);
	confirm();
	ask("sold");
	assert_refused("under way");
}

/* L5: where the disk does not take the order, it is not done. */
static void test_zeroise_whose_order_cannot_be_written_is_not_done(void **state)
{
	confirm();
	ask("sold");
	record(true);
	assert_int_equal(mkdirat(place.dir, MACHINE_WIPE_ORDER, 0700), 0); /* nothing replaces it */
	certify();
	assert_int_equal(unlinkat(place.dir, MACHINE_WIPE_ORDER, AT_REMOVEDIR), 0);
	assert_refused("cannot be written to the disk");
	assert_int_equal(records[EVENT_ZEROISE_NOT_DONE], 1);
	assert_int_equal(sup.zones.shut, 0);
}

/* L5: an order that the next start may find is not taken back, and not said to be. */
static void test_zeroise_goes_on_where_nobody_knows_whether_the_disk_keeps_the_order(void **state)
{
	confirm();
	ask("sold");
	record(true);
	loses_names = true;
	certify();
	assert_int_equal(faccessat(place.dir, MACHINE_WIPE_ORDER, F_OK, 0), 0);
	assert_int_equal(records[EVENT_ZEROISE_NOT_DONE], 0);
	assert_true(stopped);
	assert_int_equal(sup.zeroise.state, ZEROISE_LEFT);
}

static void test_zeroise_takes_two_while_no_policy_runs(void **state)
{
	sup.running.fd = -1;
	confirm();
	ask("sold");
	assert_int_equal(records[EVENT_ZEROISE_ORDERED], 0);
	assert_int_equal(records[EVENT_ZEROISE_PROPOSED], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_zeroise_goes_from_a_password_over_the_record_to_the_order),
		TEST(test_zeroise_takes_the_password_before_the_question_too_but_not_of_another),
		TEST(test_zeroise_is_refused_where_nobody_wipes_or_nobody_sits),
		TEST(test_zeroise_that_is_not_recorded_certified_or_awaited_is_not_done),
		TEST(test_zeroise_takes_two_persons_under_two_person),
		TEST(test_zeroise_is_approved_only_as_it_was_shown),
		TEST(test_zeroise_lists_no_proposal_that_does_not_count),
		TEST(test_zeroise_forgets_a_proposal_that_is_too_old),
		TEST(test_zeroise_forgets_the_proposal_of_who_is_no_administrator_any_more),
		TEST(test_zeroise_is_done_once_the_order_is_on_the_disk),
		TEST(test_zeroise_is_given_up_when_the_gateway_ends_otherwise),
		TEST(test_zeroise_whose_order_cannot_be_written_is_not_done),
		TEST(test_zeroise_goes_on_where_nobody_knows_whether_the_disk_keeps_the_order),
		TEST(test_zeroise_takes_two_while_no_policy_runs),
	};

	return cmocka_run_group_tests_name("zeroise_order", tests, NULL, NULL);
}

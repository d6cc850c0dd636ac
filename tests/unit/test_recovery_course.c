/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The course of a recovery in the supervisor (ADR 318): what a start leaves to the next, the record
 * before anything else, the zones that are shut, and the end at its time. */
#include "unit.h"

#include <linux/watchdog.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/file.h"
#include "channel/account.h"
#include "children_fixture.h"
#include "place.h"
#include "supervisor/supervisor.h"
#include "supervisor/watchdog.h"

#define MS_NS UINT64_C(1000000)

enum { CONSOLE, AUDIT, ACCOUNTS, PEER_COUNT };

static struct supervisor sup;
static struct snapshot_header header;
static struct place place;
static int peers[PEER_COUNT];
static struct clock_simulated now;
static unsigned records[EVENT_COUNT_];
static bool zones_fail_to_shut, zones_fail_to_open;
static unsigned reconverged, listened;
static int boot_status;     /* of the watchdog's driver */
static char ended_with[24]; /* whose password recovery-ends has */
static struct snapshot_person persons[2];

static struct clock test_clock;

/* In place of the supervisor's own: its log is these counts. */
void supervisor_emit(struct supervisor *s, enum event_id id, const struct event_arg *args,
		     size_t arg_count)
{
	records[id]++;
	for (size_t i = 0; id == EVENT_RECOVERY_ENDS && i < arg_count; i++) {
		if (args[i].key == FIELD_USER)
			(void)snprintf(ended_with, sizeof(ended_with), "%.*s", (int)args[i].size,
				       (const char *)args[i].data);
	}
}

/* The kernel's zones are not the matter here: what they are told is. */
int __wrap_commit_reconverge(struct supervisor *s);
int __wrap_commit_reconverge(struct supervisor *s)
{
	bool shuts = (s->zones.shut & ZONES_SHUT_RECOVERY) != 0;

	reconverged++;
	return (shuts ? zones_fail_to_shut : zones_fail_to_open) ? -1 : 0;
}

void __wrap_sockets_close_all(struct supervisor *s);
void __wrap_sockets_close_all(struct supervisor *s)
{
}

int __wrap_sockets_listen(struct supervisor *s, const struct snapshot *snapshot);
int __wrap_sockets_listen(struct supervisor *s, const struct snapshot *snapshot)
{
	listened++;
	return 0;
}

void __wrap_session_end_all(struct supervisor *s);
void __wrap_session_end_all(struct supervisor *s)
{
}

/* A driver that tells how the machine was started; the device is /dev/null. */
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	va_start(args, request);
	if (request == WDIOC_GETBOOTSTATUS)
		*va_arg(args, int *) = boot_status;
	va_end(args);
	return 0;
}

/* What a process was told last (enum recovery_step); 0: nothing. */
static uint32_t told(unsigned which)
{
	uint8_t message[8 + sizeof(struct control_recovery)]; /* behind a frame's header */
	struct control_recovery body = {0};

	while (recv(peers[which], message, sizeof(message), MSG_DONTWAIT) ==
	       (ssize_t)sizeof(message))
		memcpy(&body, message + 8, sizeof(body));
	return body.step;
}

/* A start of the machine: the supervisor is a new one, the state directory is the old one. */
static void start(enum machine_start how)
{
	for (unsigned i = 0; i < PEER_COUNT; i++) {
		if (sup.children[i].state != CHILD_FREE) {
			channel_fini(&sup.children[i].control);
			close(peers[i]);
		}
	}
	if (sup.emergencies.dir > 0)
		close(sup.emergencies.dir);
	if (sup.watchdog_fd > 0)
		close(sup.watchdog_fd);
	memset(&sup, 0, sizeof(sup));
	memset(records, 0, sizeof(records));
	(void)snprintf(ended_with, sizeof(ended_with), "?");
	test_clock = clock_simulate(&now);
	loop_init(&sup.loop, &test_clock, sup.polls, sup.loop_fds, LOOP_MAX);
	sup.options.start = how;
	sup.state_fd = place.dir;
	sup.watchdog_fd = -1;
	sup.running.snapshot.header = &header;
	sup.running.snapshot.persons = persons;
	sup.running.snapshot.person_count = 2;
	sup.options.watchdog_path = "/dev/null";
	assert_int_equal(watchdog_open(&sup), 0);
	assert_int_equal(emergencies_load(&sup.emergencies, place.dir), 0);
	recovery_begin(&sup);
	peers[CONSOLE] = children_put(&sup, CONSOLE, ROLE_CONSOLE);
	peers[AUDIT] = children_put(&sup, AUDIT, ROLE_AUDIT);
	peers[ACCOUNTS] = children_put(&sup, ACCOUNTS, ROLE_ACCOUNTS);
	(void)recovery_offers(&sup, &sup.children[CONSOLE]);
}

static int say(unsigned from, enum recovery_step step, const char *name)
{
	struct control_recovery body = {.step = step};
	const struct channel_message message = {.body = &body};

	(void)snprintf(body.name, sizeof(body.name), "%s", name);
	return recovery_handle(&sup.children[from].control, &sup.children[from], &message);
}

static void press(void)
{
	assert_int_equal(say(CONSOLE, RECOVERY_KEY, ""), 0);
}

static void record(bool ok)
{
	recovery_recorded(&sup, &(struct control_recorded){.number = sup.record_serial, .ok = ok});
}

/* Two starts by hand with the key, and the record of it is on the disk. */
static void begin(void)
{
	start(START_BY_HAND);
	press();
	start(START_BY_HAND);
	press();
	record(true);
	assert_int_equal(told(ACCOUNTS), RECOVERY_BEGIN);
	assert_int_equal(say(ACCOUNTS, RECOVERY_READY, ""), 0);
	assert_int_equal(told(CONSOLE), RECOVERY_BEGIN);
}

/* A name was typed: what accounts was told, once audit has said whether it is on the disk. */
static uint32_t ask_for(const char *who, bool recorded)
{
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, who), 0);
	assert_int_equal(told(ACCOUNTS), 0); /* not before */
	assert_int_equal(records[EVENT_RECOVERY_GIVES] > 0, 1);
	record(recorded);
	return told(ACCOUNTS);
}

static void give(const char *who)
{
	assert_int_equal(ask_for(who, true), RECOVERY_GIVE);
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVEN, ""), 0);
}

static bool names(const char *who)
{
	return strstr(sup.emergencies.list[0].what, who) != NULL;
}

static bool is_shut(void)
{
	return (sup.zones.shut & ZONES_SHUT_RECOVERY) != 0;
}

static void pass(uint64_t ms)
{
	now.mono_ns += ms * MS_NS;
	(void)loop_step(&sup.loop, 0);
}

static int setup(void **state)
{
	header = (struct snapshot_header){0};
	zones_fail_to_shut = zones_fail_to_open = false;
	boot_status = 0;
	persons[0] = (struct snapshot_person){.name = "yamada", .expires_s = INT64_MAX};
	persons[1] = (struct snapshot_person){.name = "tanaka", .expires_s = INT64_MAX};
	now = (struct clock_simulated){.mono_ns = 1000 * MS_NS, .wall_ns = 1};
	place_open(&place);
	return 0;
}

static int teardown(void **state)
{
	char name[16];

	for (unsigned number = 1; number < 8; number++) {
		(void)snprintf(name, sizeof(name), "%u", number);
		(void)unlinkat(sup.emergencies.dir, name, 0); /* where there is one */
	}
	place_close(&place);
	return 0;
}

static void test_recovery_takes_the_key_of_two_starts_by_hand_in_a_row(void **state)
{
	start(START_BY_HAND);
	press();
	assert_int_equal(told(CONSOLE), RECOVERY_COUNTED);
	assert_int_equal(records[EVENT_RECOVERY_KEY], 1);
	assert_int_equal(records[EVENT_RECOVERY_BEGINS], 0);
	press(); /* the same start: one key */
	assert_int_equal(told(CONSOLE), RECOVERY_REFUSED);
	start(START_BY_HAND);
	press();
	assert_int_equal(records[EVENT_RECOVERY_BEGINS], 1);
}

/* A start without the key, one broken off before it, one of the watchdog or of a command. */
static void test_recovery_forgets_the_key_at_any_other_start(void **state)
{
	static const enum machine_start between[] = {START_BY_HAND, START_BY_ITSELF};

	for (size_t i = 0; i < 2; i++) {
		start(START_BY_HAND);
		press();
		start(between[i]);
		start(START_BY_HAND);
		press();
		assert_int_equal(told(CONSOLE), RECOVERY_COUNTED);
		assert_int_equal(records[EVENT_RECOVERY_BEGINS], 0);
		start(START_BY_HAND);
	}
}

static void test_recovery_takes_no_key_at_a_start_that_was_not_by_hand(void **state)
{
	static const enum machine_start starts[] = {START_BY_ITSELF, START_AGAIN};

	for (size_t i = 0; i < 2; i++) {
		start(starts[i]);
		assert_true(say(CONSOLE, RECOVERY_KEY, "") < 0); /* nobody has offered it */
		start(START_BY_HAND);
		press();
		assert_int_equal(told(CONSOLE), RECOVERY_COUNTED);
		start(START_BY_HAND);
	}
}

/* Whether the first one of that start has taken it cannot be told: it begins anew. */
static void test_recovery_forgets_the_key_where_a_supervisor_is_started_again(void **state)
{
	start(START_BY_HAND);
	press();
	start(START_AGAIN);
	assert_int_equal(records[EVENT_RECOVERY_REFUSED], 1);
	start(START_BY_HAND);
	press();
	assert_int_equal(told(CONSOLE), RECOVERY_COUNTED);
	assert_int_equal(records[EVENT_RECOVERY_BEGINS], 0);
}

static void test_recovery_count_that_is_damaged_is_none(void **state)
{
	static const char *const contents[] = {"starts 2\n", "starts 1\nstarts 1\n", "starts\n",
					       ""};
	bool counted = true;

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		assert_int_equal(file_replace(place.dir, "recovery", "sekisho-recovery",
					      span_of(contents[i])),
				 0);
		assert_int_equal(recovery_count_take(place.dir, &counted), 0);
		assert_false(counted);
	}
	assert_int_equal(file_replace(place.dir, "recovery", NULL, span_of("starts 1\n")), 0);
	assert_int_equal(recovery_count_take(place.dir, &counted), 0);
	assert_false(counted);
	assert_int_equal(recovery_count_leave(place.dir), 0);
	assert_int_equal(recovery_count_take(place.dir, &counted), 0);
	assert_true(counted);
	assert_int_equal(recovery_count_take(place.dir, &counted), 0);
	assert_false(counted);
}

/* A bite of the watchdog that is coming is no start by hand, whatever its driver tells. */
static void test_recovery_count_is_void_where_the_watchdog_will_bite(void **state)
{
	bool counted = true;

	assert_int_equal(recovery_count_leave(place.dir), 0);
	recovery_count_void(place.dir);
	assert_int_equal(faccessat(place.dir, "restarting", F_OK, 0), 0);
	recovery_count_spare(place.dir);
	assert_int_not_equal(faccessat(place.dir, "restarting", F_OK, 0), 0);
	assert_int_equal(recovery_count_take(place.dir, &counted), 0);
	assert_false(counted);
}

/* L1: nothing happens before audit has the record on the disk, and nothing where it has not. */
static void test_recovery_waits_for_its_record(void **state)
{
	start(START_BY_HAND);
	press();
	for (unsigned lost = 0; lost < 2; lost++) {
		start(START_BY_HAND);
		press();
		assert_int_equal(told(ACCOUNTS), 0);
		assert_false(is_shut());
		if (lost == 0)
			record(false);
		else
			recovery_unrecorded(&sup);
		record(true); /* comes too late */
		assert_int_equal(told(ACCOUNTS), 0);
		assert_int_equal(told(CONSOLE), RECOVERY_REFUSED);
		assert_false(is_shut());
		start(START_BY_HAND);
		press();
	}
}

static void test_recovery_shuts_the_zones_until_it_is_over(void **state)
{
	begin();
	assert_true(is_shut());
	assert_int_equal(sup.emergencies.count, 1);
	give("yamada");
	assert_true(is_shut());
	listened = 0;
	assert_int_equal(say(CONSOLE, RECOVERY_LEFT, ""), 0);
	assert_false(is_shut());
	assert_int_equal(listened, 1);
	assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
	assert_int_equal(told(CONSOLE), RECOVERY_OVER);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
	assert_string_equal(ended_with, "yamada");
	assert_true(names("yamada"));
	assert_int_equal(sup.emergencies.list[0].closed_s, 0);
}

/* L1, ADR 314: listed and on the disk whose password it is, before accounts may give one; and that
 * account does not acknowledge it, also behind another start. */
static void test_recovery_gives_only_what_is_recorded(void **state)
{
	const struct emergency_person yamada = {.name = "yamada"}, tanaka = {.name = "tanaka"};

	begin();
	assert_int_equal(ask_for("yamada", false), RECOVERY_REFUSED);
	assert_int_equal(records[EVENT_RECOVERY_REFUSED], 1);
	assert_false(names("yamada"));
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0);
	recovery_unrecorded(&sup); /* audit has died */
	assert_int_equal(told(ACCOUNTS), RECOVERY_REFUSED);
	record(true); /* comes too late */
	assert_int_equal(told(ACCOUNTS), 0);
	give("yamada");
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "tanaka"), 0); /* one, once */
	assert_int_equal(told(ACCOUNTS), 0);
	assert_false(names("tanaka"));
	start(START_BY_HAND);
	assert_true(names("yamada"));
	assert_true(emergencies_close(&sup.emergencies, 1, &yamada, "", 2) < 0);
	assert_int_equal(emergencies_close(&sup.emergencies, 1, &tanaka, "", 2), 0);
}

static void test_recovery_gives_nothing_where_it_cannot_be_listed(void **state)
{
	const struct emergency_person yamada = {.name = "yamada"};
	int dir;

	begin();
	dir = sup.emergencies.dir;
	sup.emergencies.dir = -1;
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0);
	assert_int_equal(told(ACCOUNTS), RECOVERY_REFUSED);
	assert_int_equal(records[EVENT_RECOVERY_GIVES], 0);
	assert_false(names("yamada"));
	assert_true(emergencies_amend(&sup.emergencies, 1, "yamada", &yamada) < 0);
	assert_false(names("yamada"));
	sup.emergencies.dir = dir;
	sup.emergencies.list[0].closed_s = 1; /* acknowledged meanwhile */
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0);
	assert_int_equal(told(ACCOUNTS), RECOVERY_REFUSED);
	assert_int_equal(records[EVENT_RECOVERY_GIVES], 0);
}

/* The person has left, or the time is over: accounts is told so, and never to give. */
static void test_recovery_that_is_over_gives_nothing(void **state)
{
	begin();
	assert_int_equal(say(CONSOLE, RECOVERY_LEFT, ""), 0);
	assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0); /* has crossed it */
	record(true);
	assert_int_equal(told(ACCOUNTS), 0);
	assert_false(names("yamada"));
	start(START_BY_ITSELF);
	begin();
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0);
	assert_int_equal(say(CONSOLE, RECOVERY_LEFT, ""), 0); /* while audit writes */
	record(true);
	assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
	assert_string_equal(ended_with, "");
	assert_false(strstr(sup.emergencies.list[1].what, "yamada"));
	start(START_BY_ITSELF);
	begin();
	pass(RECOVERY_LIMIT_MS - RECOVERY_LAST_MS + 1);
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, "yamada"), 0);
	assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
	assert_false(is_shut());
}

/* It ends while accounts saves: the password may be there, so that the record has its name. */
static void test_recovery_names_whoever_may_have_got_a_password(void **state)
{
	begin();
	assert_int_equal(ask_for("yamada", true), RECOVERY_GIVE);
	sup.children[CONSOLE].pid = 0;
	recovery_child_died(&sup, &sup.children[CONSOLE]);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
	assert_string_equal(ended_with, "yamada");
	assert_true(names("yamada"));
	assert_int_equal(say(ACCOUNTS, RECOVERY_GIVEN, ""), 0);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
}

static void test_recovery_goes_on_where_a_password_cannot_be_saved(void **state)
{
	begin();
	assert_int_equal(ask_for("yamada", true), RECOVERY_GIVE);
	assert_int_equal(say(ACCOUNTS, RECOVERY_REFUSED, ""), 0);
	assert_int_equal(records[EVENT_RECOVERY_REFUSED], 1);
	assert_false(names("yamada"));
	give("tanaka");
	assert_int_equal(say(CONSOLE, RECOVERY_LEFT, ""), 0);
	assert_string_equal(ended_with, "tanaka");
}

/* Without an administrator the doors are opened, and no sooner than a password is given. */
static void test_recovery_opens_the_doors_only_while_it_runs(void **state)
{
	for (unsigned dies = 0; dies < 2; dies++) {
		start(START_BY_HAND);
		press();
		start(START_BY_HAND);
		press();
		record(true);
		assert_int_equal(told(ACCOUNTS), RECOVERY_BEGIN);
		assert_int_equal(say(ACCOUNTS, RECOVERY_GIVING, ""), 0);
		assert_int_equal(told(ACCOUNTS), 0);
		if (dies) {
			sup.children[CONSOLE].pid = 0;
			recovery_child_died(&sup, &sup.children[CONSOLE]);
			record(true);
			assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
		} else {
			record(true);
			assert_int_equal(told(ACCOUNTS), RECOVERY_GIVE);
			assert_int_equal(say(ACCOUNTS, RECOVERY_GIVEN, ""), 0);
			assert_int_equal(told(CONSOLE), RECOVERY_OVER);
		}
		assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
		assert_string_equal(ended_with, "");
		assert_false(is_shut());
		start(START_BY_ITSELF);
	}
}

/* A commit that waits may come to nothing; one that is applied opens the sockets itself. */
static void test_recovery_opens_the_sockets_again_unless_a_commit_does(void **state)
{
	begin();
	sup.commit.state = COMMIT_WAITING;
	listened = 0;
	recovery_stop(&sup, "test");
	assert_int_equal(listened, 1);
	start(START_BY_ITSELF);
	begin();
	sup.commit.state = COMMIT_APPLYING;
	listened = 0;
	recovery_stop(&sup, "test");
	assert_int_equal(listened, 0);
}

static void test_recovery_tries_again_to_open_the_zones(void **state)
{
	begin();
	zones_fail_to_open = true;
	listened = 0;
	recovery_stop(&sup, "test");
	assert_int_equal(listened, 0);
	pass(RECOVERY_REOPEN_MS);
	zones_fail_to_open = false;
	pass(RECOVERY_REOPEN_MS);
	assert_int_equal(listened, 1);
	reconverged = 0;
	pass(RECOVERY_REOPEN_MS);
	assert_int_equal(reconverged, 0);
}

static void test_recovery_opens_nothing_while_the_gateway_stops(void **state)
{
	begin();
	sup.stopping = true;
	reconverged = 0;
	recovery_stop(&sup, "test");
	assert_true(is_shut());
	assert_int_equal(reconverged, 0);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
}

/* The driver says that it has bitten: neither the key of this start nor that of the one before. */
static void test_recovery_takes_no_key_behind_a_bite_of_the_watchdog(void **state)
{
	start(START_BY_HAND);
	press();
	boot_status = WDIOF_CARDRESET;
	start(START_BY_HAND);
	assert_true(say(CONSOLE, RECOVERY_KEY, "") < 0);
	assert_int_equal(records[EVENT_RECOVERY_REFUSED], 1);
	boot_status = WDIOF_POWEROVER;
	start(START_BY_HAND);
	press();
	assert_int_equal(told(CONSOLE), RECOVERY_COUNTED);
}

/* Processes stay down until the watchdog is not fed any more: no start by hand will follow. */
static void test_recovery_forgets_the_key_where_the_watchdog_starves(void **state)
{
	bool counted = true;

	start(START_BY_HAND);
	press();
	assert_int_equal(faccessat(place.dir, "recovery", F_OK, 0), 0);
	pass(1);
	pass(59000);
	assert_int_not_equal(faccessat(place.dir, "restarting", F_OK, 0), 0);
	pass(4000);
	assert_true(records[EVENT_WATCHDOG_STARVED] > 0);
	assert_int_equal(faccessat(place.dir, "restarting", F_OK, 0), 0);
	assert_int_equal(recovery_count_take(place.dir, &counted), 0);
	assert_false(counted);
	start(START_AGAIN); /* it is fed again, by another one */
	pass(1);
	assert_int_not_equal(faccessat(place.dir, "restarting", F_OK, 0), 0);
}

static void test_recovery_ends_behind_fifteen_minutes(void **state)
{
	begin();
	pass(15 * 60 * 1000 - 1);
	assert_true(is_shut());
	pass(1);
	assert_false(is_shut());
	assert_int_equal(told(ACCOUNTS), RECOVERY_OVER);
	assert_int_equal(told(CONSOLE), RECOVERY_OVER);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
}

static void test_recovery_ends_with_its_console_and_with_accounts(void **state)
{
	for (unsigned dead = CONSOLE; dead < PEER_COUNT; dead++) {
		if (dead == AUDIT)
			continue;
		begin();
		sup.children[AUDIT].pid = sup.children[dead].pid = 0;
		recovery_child_died(&sup, &sup.children[AUDIT]);
		assert_true(is_shut());
		recovery_child_died(&sup, &sup.children[dead]);
		assert_false(is_shut());
		assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
		start(START_BY_HAND);
	}
}

static void test_recovery_does_not_go_on_with_zones_that_stay_open(void **state)
{
	zones_fail_to_shut = true;
	start(START_BY_HAND);
	press();
	start(START_BY_HAND);
	press();
	record(true);
	assert_int_not_equal(told(ACCOUNTS), RECOVERY_BEGIN);
	assert_int_equal(told(CONSOLE), RECOVERY_REFUSED);
	assert_int_equal(records[EVENT_RECOVERY_ENDS], 1);
}

static void test_recovery_is_refused_where_the_configuration_forbids_it(void **state)
{
	header.recovery_off = 1;
	for (unsigned i = 0; i < 2; i++) {
		start(START_BY_HAND);
		press();
		assert_int_equal(told(CONSOLE), RECOVERY_REFUSED);
		assert_int_equal(records[EVENT_RECOVERY_REFUSED], 1);
	}
	assert_int_equal(records[EVENT_RECOVERY_BEGINS], 0);
	sup.running.fd = -1;
}

/* A console of later, and one where somebody sits, break the table with it; two minutes are all. */
static void test_recovery_takes_the_key_of_the_first_console_only(void **state)
{
	start(START_BY_HAND);
	sup.children[CONSOLE].pid++;
	assert_true(say(CONSOLE, RECOVERY_KEY, "") < 0);
	start(START_BY_HAND);
	sup.children[CONSOLE].person_role = ACCOUNT_OPERATOR;
	assert_true(say(CONSOLE, RECOVERY_KEY, "") < 0);
	start(START_BY_HAND);
	pass(RECOVERY_KEY_MS);
	press();
	assert_int_equal(told(CONSOLE), RECOVERY_REFUSED);
	assert_int_equal(records[EVENT_RECOVERY_KEY], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_recovery_takes_the_key_of_two_starts_by_hand_in_a_row),
		TEST(test_recovery_forgets_the_key_at_any_other_start),
		TEST(test_recovery_takes_no_key_at_a_start_that_was_not_by_hand),
		TEST(test_recovery_forgets_the_key_where_a_supervisor_is_started_again),
		TEST(test_recovery_count_that_is_damaged_is_none),
		TEST(test_recovery_count_is_void_where_the_watchdog_will_bite),
		TEST(test_recovery_waits_for_its_record),
		TEST(test_recovery_shuts_the_zones_until_it_is_over),
		TEST(test_recovery_gives_only_what_is_recorded),
		TEST(test_recovery_gives_nothing_where_it_cannot_be_listed),
		TEST(test_recovery_that_is_over_gives_nothing),
		TEST(test_recovery_names_whoever_may_have_got_a_password),
		TEST(test_recovery_goes_on_where_a_password_cannot_be_saved),
		TEST(test_recovery_opens_the_doors_only_while_it_runs),
		TEST(test_recovery_opens_the_sockets_again_unless_a_commit_does),
		TEST(test_recovery_tries_again_to_open_the_zones),
		TEST(test_recovery_opens_nothing_while_the_gateway_stops),
		TEST(test_recovery_takes_no_key_behind_a_bite_of_the_watchdog),
		TEST(test_recovery_forgets_the_key_where_the_watchdog_starves),
		TEST(test_recovery_ends_behind_fifteen_minutes),
		TEST(test_recovery_ends_with_its_console_and_with_accounts),
		TEST(test_recovery_does_not_go_on_with_zones_that_stay_open),
		TEST(test_recovery_is_refused_where_the_configuration_forbids_it),
		TEST(test_recovery_takes_the_key_of_the_first_console_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

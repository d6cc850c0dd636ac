/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Auditors' looks, from the pass to the end: what is told to whom, and when (A6, L1). */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/supervisor.h"

#define MS_NS UINT64_C(1000000)

#define AUDITOR "kansa"
#define WATCHED 7
#define LOGIN   300 /* the first session that logs in as a shadow */

#define LOG_IN_MS 130000 /* as long as a person may type, and the handshake before */

enum { NEAR, AUDIT, SHADOW_NEAR, PEER_COUNT };

static struct supervisor sup;
static struct snapshot_screen screen;
static struct snapshot_person person;
static struct snapshot_screen_user user;
static struct session *watched;
static int peers[PEER_COUNT]; /* the other ends of our processes' channels */
static struct clock_simulated now;
static unsigned records[EVENT_COUNT_];

static struct clock test_clock;

/* In place of the supervisor's own: its log is these counts. */
void supervisor_emit(struct supervisor *s, enum event_id id, const struct event_arg *args,
		     size_t arg_count)
{
	records[id]++;
}

/* What the policy says of an entry is not the matter here. */
bool __wrap_session_keep(struct supervisor *s, struct session *session);
bool __wrap_session_keep(struct supervisor *s, struct session *session)
{
	return true;
}

static struct child *process(unsigned which, enum role role)
{
	struct child *child = &sup.children[which];
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	*child = (struct child){.sup = &sup, .state = CHILD_READY, .role = role};
	channel_init(&child->control, fds[0], NULL, 0, child);
	peers[which] = fds[1];
	return child;
}

static unsigned told(unsigned which)
{
	char message[4096];
	unsigned count = 0;

	while (recv(peers[which], message, sizeof(message), MSG_DONTWAIT) > 0)
		count++;
	return count;
}

static struct session *session_of(unsigned slot, uint32_t id)
{
	struct session *session = &sup.sessions[slot];

	*session = (struct session){.used = true,
				    .id = id,
				    .near_role = ROLE_SCREEN_VIEWER,
				    .peer_family = 4,
				    .entry = "web"};
	session->pixels_fds[SHARED_READ] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(shadows_begin(session, &sup), 0);
	assert_true(admission_begin(session, &sup));
	return session;
}

static int setup(void **state)
{
	memset(&sup, 0, sizeof(sup));
	memset(records, 0, sizeof(records));
	now = (struct clock_simulated){.mono_ns = 1000 * MS_NS, .wall_ns = 1};
	test_clock = clock_simulate(&now);
	loop_init(&sup.loop, &test_clock, sup.polls, sup.loop_fds, LOOP_MAX);
	screen = (struct snapshot_screen){.name = "web",
					  .security = SCREEN_SECURITY_X509_PLAIN,
					  .schedule = SNAPSHOT_NONE,
					  .shadow = {.limit_s = 60}};
	person = (struct snapshot_person){
		.name = AUDITOR, .role = SNAPSHOT_ROLE_AUDITOR, .expires_s = INT64_MAX};
	user = (struct snapshot_screen_user){.name = "suzuki", .expires_s = INT64_MAX};
	sup.running.snapshot = (struct snapshot){.screens = &screen,
						 .screen_count = 1,
						 .persons = &person,
						 .person_count = 1,
						 .screen_users = &user,
						 .screen_user_count = 1};
	return 0;
}

/* Somebody works, under @notice. */
static void work(enum snapshot_notice notice)
{
	screen.shadow.notice = notice;
	watched = session_of(0, WATCHED);
	watched->near = process(NEAR, ROLE_SCREEN_VIEWER);
	watched->connect_count = 1;
	watched->admission.state = ADMISSION_GRANTED;
	(void)snprintf(watched->admission.user, sizeof(watched->admission.user), "suzuki");
	(void)process(AUDIT, ROLE_AUDIT);
}

static struct session *log_in(const char *name, const char *secret)
{
	struct session *session = session_of(LOGIN, WATCHED + 1);
	struct control_screen_login login = {0};
	struct channel_message message = {.body = &login, .body_bytes = sizeof(login)};

	session->near = process(SHADOW_NEAR, ROLE_SCREEN_VIEWER);
	session->near->session = session;
	(void)snprintf(login.name, sizeof(login.name), "%s", name);
	(void)snprintf(login.secret, sizeof(login.secret), "%s", secret);
	now.mono_ns += LOG_IN_MS * MS_NS;
	assert_int_equal(admission_handle_login(&session->near->control, session->near, &message),
			 0);
	return session;
}

static struct session *look(void)
{
	char name[ACCOUNT_NAME_BYTES];

	assert_null(shadows_open(watched, &sup, AUDITOR));
	(void)snprintf(name, sizeof(name), SHADOWS_NAME "%u", WATCHED);
	return log_in(name, watched->shadow.secret);
}

static void record(struct session *session, uint32_t ok)
{
	const struct control_recorded answer = {.number = session->shadow.record, .ok = ok};

	shadows_recorded(&sup, &answer);
}

static void test_shadows_begin_behind_their_record(void **state)
{
	struct session *shadow;

	work(SNAPSHOT_NOTICE_STANDING);
	shadow = look();
	assert_int_equal(told(AUDIT), 1);
	assert_int_equal(told(SHADOW_NEAR), 0);
	assert_int_equal(shadow->admission.state, ADMISSION_NOTED);
	record(shadow, 1);
	assert_int_equal(told(SHADOW_NEAR), 2); /* the memory, and the verdict */
	assert_int_equal(shadow->admission.state, ADMISSION_GRANTED);
	assert_string_equal(shadow->admission.user, AUDITOR);
}

static void assert_never_began(const struct session *shadow)
{
	assert_int_equal(shadow->admission.state, ADMISSION_REFUSED);
	assert_int_equal(shadow->shadow.watched, 0);
	assert_int_equal(told(SHADOW_NEAR), 0);
	assert_int_equal(records[EVENT_SCREEN_SHADOW], 1);
	assert_int_equal(records[EVENT_SCREEN_SHADOW_ENDED], 1);
	assert_int_equal(records[EVENT_SCREEN_LOGIN_REFUSED], 1);
}

/* Nobody stands long at a desk with a pass: it ends by itself. */
static void test_shadows_passes_are_over_in_time(void **state)
{
	struct session *shadow;

	work(SNAPSHOT_NOTICE_STANDING);
	assert_null(shadows_open(watched, &sup, AUDITOR));
	now.mono_ns += (SHADOWS_PASS_MS - LOG_IN_MS) * MS_NS;
	shadow = log_in(SHADOWS_NAME "7", watched->shadow.secret);
	assert_int_equal(shadow->admission.state, ADMISSION_REFUSED);
	assert_int_equal(records[EVENT_SCREEN_SHADOW], 0);
}

static void test_shadows_do_not_begin_where_the_log_is_full(void **state)
{
	struct session *shadow;

	work(SNAPSHOT_NOTICE_STANDING);
	shadow = look();
	record(shadow, 0);
	assert_never_began(shadow);
}

static void test_shadows_do_not_begin_where_audit_has_died(void **state)
{
	struct session *shadow;

	work(SNAPSHOT_NOTICE_STANDING);
	shadow = look();
	shadows_unrecorded(&sup);
	assert_never_began(shadow);
}

static void test_shadows_do_not_begin_without_the_session(void **state)
{
	struct session *shadow;

	work(SNAPSHOT_NOTICE_STANDING);
	shadow = look();
	watched->used = false;
	record(shadow, 1);
	assert_never_began(shadow);
}

static unsigned told_of_a_look(enum snapshot_notice notice)
{
	struct session *shadow;

	work(notice);
	shadow = look();
	record(shadow, 1);
	shadows_release(shadow, &sup);
	assert_int_equal(records[EVENT_SCREEN_SHADOW_ENDED], 1);
	return told(NEAR);
}

static void test_shadows_standing_tells_the_watched_nothing(void **state)
{
	assert_int_equal(told_of_a_look(SNAPSHOT_NOTICE_STANDING), 0);
}

static void test_shadows_live_tells_the_watched_of_begin_and_end(void **state)
{
	assert_int_equal(told_of_a_look(SNAPSHOT_NOTICE_LIVE), 2);
}

static void occupy(unsigned slot, uint32_t id)
{
	sup.sessions[slot] = (struct session){.used = true, .shadow = {.watched = id}};
}

static void test_shadows_of_a_session_are_four(void **state)
{
	work(SNAPSHOT_NOTICE_STANDING);
	for (unsigned i = 1; i <= 3; i++)
		occupy(i, WATCHED);
	assert_null(shadows_open(watched, &sup, AUDITOR));
	occupy(4, WATCHED);
	assert_string_equal(shadows_open(watched, &sup, AUDITOR),
			    "as many look on at this session as may at one time");
}

static void test_shadows_of_a_gateway_are_sixteen(void **state)
{
	work(SNAPSHOT_NOTICE_STANDING);
	for (unsigned i = 1; i <= 15; i++)
		occupy(i, 1000 + i);
	assert_null(shadows_open(watched, &sup, AUDITOR));
	occupy(16, 1016);
	assert_string_equal(shadows_open(watched, &sup, AUDITOR),
			    "as many look on as may at one time");
}

/* The viewer's own limit, two minutes from what was typed, ends a session before. */
static void test_shadows_logins_may_be_judged_for_two_minutes(void **state)
{
	struct session *session;

	work(SNAPSHOT_NOTICE_STANDING);
	sup.screen_asks = 1000; /* the line does not move */
	session = log_in("suzuki", "a password");
	assert_int_equal(session->admission.state, ADMISSION_WAITING);
	assert_true(session->admission.check.due_ms_ > now.mono_ns / MS_NS + 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shadows_begin_behind_their_record, setup),
		cmocka_unit_test_setup(test_shadows_passes_are_over_in_time, setup),
		cmocka_unit_test_setup(test_shadows_do_not_begin_where_the_log_is_full, setup),
		cmocka_unit_test_setup(test_shadows_do_not_begin_where_audit_has_died, setup),
		cmocka_unit_test_setup(test_shadows_do_not_begin_without_the_session, setup),
		cmocka_unit_test_setup(test_shadows_standing_tells_the_watched_nothing, setup),
		cmocka_unit_test_setup(test_shadows_live_tells_the_watched_of_begin_and_end, setup),
		cmocka_unit_test_setup(test_shadows_of_a_session_are_four, setup),
		cmocka_unit_test_setup(test_shadows_of_a_gateway_are_sixteen, setup),
		cmocka_unit_test_setup(test_shadows_logins_may_be_judged_for_two_minutes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts in simulated time (A1 to A7): locks, ages, temporary passwords, roles, sessions. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/desk.h"
#include "accounts/keep.h"
#include "base/err.h"
#include "place.h"
#include "policy_fixture.h"

#define DAY_S  86400LL
#define GOOD   "Karasu-no-7-tsu"
#define BETTER "Umi/ni-36-fune"

struct fixture {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct desk desk;
	struct account_answer answer;
	unsigned told[EVENT_COUNT_];
	char reason[64]; /* of the last refusal */
	enum account_role role[DESK_SEATS];
	bool ended[DESK_SEATS];
	char notice[ACCOUNT_TEXT_BYTES];
	bool deaf; /* audit takes no event */
};

static bool on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct fixture *f = ctx;

	if (f->deaf)
		return false;

	f->told[id]++;
	for (size_t i = 0; i < count; i++) {
		if (args[i].key == FIELD_REASON)
			(void)snprintf(f->reason, sizeof(f->reason), "%.*s", (int)args[i].size,
				       (const char *)args[i].data);
	}
	return true;
}

static void on_person(void *ctx, uint32_t console, enum account_role role, const char *name,
		      const char *hands)
{
	((struct fixture *)ctx)->role[console] = role;
}

static void on_notice(void *ctx, uint32_t console, bool end, const char *text)
{
	struct fixture *f = ctx;

	f->ended[console] |= end;
	(void)snprintf(f->notice, sizeof(f->notice), "%s", text);
}

static void apply(struct fixture *f, const char *configuration)
{
	struct policy_fixture policy;

	policy_fixture_init(&policy, configuration);
	desk_policy(&f->desk, &policy.snapshot);
	policy_fixture_fini(&policy);
}

static const char users[] =
	"login { user yamada { role administrator; } user sato { role operator; }"
	" user suzuki { role auditor; } user tanaka { role administrator; } }";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	f->time.mono_ns = 1000000000;
	f->time.wall_ns = 1800000000LL * 1000000000;
	f->clock = clock_simulate(&f->time);
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir,
				   (struct desk_owner){on_event, on_person, on_notice, f}),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	place_close(&f->place);
	free(f);
	return 0;
}

static void pass(struct fixture *f, int64_t seconds)
{
	f->time.mono_ns += (uint64_t)seconds * 1000000000U;
	f->time.wall_ns += seconds * 1000000000;
	desk_tick(&f->desk);
}

static enum account_status ask(struct fixture *f, uint32_t console, enum account_kind kind,
			       const char *name, const char *secret, const char *fresh)
{
	struct account_request request = {.kind = kind};

	(void)snprintf(request.name, sizeof(request.name), "%s", name);
	(void)snprintf(request.secret, sizeof(request.secret), "%s", secret);
	(void)snprintf(request.fresh, sizeof(request.fresh), "%s", fresh);
	(void)desk_request(&f->desk, console, &request, &f->answer);
	return f->answer.status;
}

static enum account_status login(struct fixture *f, uint32_t console, const char *name,
				 const char *secret)
{
	return ask(f, console, ACCOUNT_LOGIN, name, secret, "");
}

static void sit(struct fixture *f, uint32_t console)
{
	f->role[console] = ACCOUNT_ROLE_NONE;
	f->ended[console] = false;
	desk_sit(&f->desk, console);
}

/* The temporary password that the last answer shows. */
static const char *shown_password(const struct fixture *f)
{
	static char password[PASSWORD_TEMPORARY_BYTES];
	const char *at = strstr(f->answer.text, ": ");

	assert_non_null(at);
	memcpy(password, at + 2, sizeof(password) - 1);
	return password;
}

/* From the factory to a desk where @name has the password GOOD, and console 0 is closed again. */
static void establish_by(struct fixture *f, const char *administrator, const char *name)
{
	sit(f, 7);
	if (f->role[7] == ACCOUNT_ROLE_NONE)
		assert_int_equal(login(f, 7, administrator, GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 7, ACCOUNT_RESET, name, "", ""), ACCOUNT_OK);
	desk_leave(&f->desk, 7);
	sit(f, 0);
	assert_int_equal(login(f, 0, name, shown_password(f)), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_OK);
	desk_leave(&f->desk, 0);
	sit(f, 0);
}

static void establish(struct fixture *f, const char *name)
{
	establish_by(f, "yamada", name);
}

static void test_desk_is_shut_before_it_knows_a_policy(void **state)
{
	struct fixture *f = *state;

	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	apply(f, "");
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
}

static void test_desk_is_open_until_an_administrator_has_a_password(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "sato", "", ""), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(f->role[1], ACCOUNT_ADMINISTRATOR);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 1, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 1, ACCOUNT_SHOW, "", "", ""), ACCOUNT_REFUSED);
}

/* A2: the temporary one opens nothing but the way to a new one, and not for long. */
static void test_desk_temporary_password_must_be_changed_at_first_login(void **state)
{
	struct fixture *f = *state;
	char temporary[PASSWORD_TEMPORARY_BYTES];

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "sato", "", ""), ACCOUNT_OK);
	memcpy(temporary, shown_password(f), sizeof(temporary));
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", temporary), ACCOUNT_STALE);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 1, ACCOUNT_SHOW, "", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 1, ACCOUNT_CHANGE, "", "", temporary), ACCOUNT_REFUSED);
	pass(f, DESK_LOGIN_S + 1);
	assert_true(f->ended[1]);
	pass(f, ACCOUNT_TEMPORARY_S);
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", temporary), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "temporary password not used in time");
}

/* A1: thirty days, and none again. */
static void test_desk_password_grows_too_old_and_is_never_used_again(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	pass(f, 14 * DAY_S - 10);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	sit(f, 0);
	pass(f, 20);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_REFUSED);
	assert_non_null(strstr(f->answer.text, "used before"));
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", BETTER, GOOD), ACCOUNT_REFUSED);
	assert_int_equal(f->told[EVENT_PASSWORD_CHANGED], 2);
}

static void test_desk_operator_has_the_longer_age(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "sato");
	pass(f, 29 * DAY_S);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_OK);
	sit(f, 0);
	pass(f, 2 * DAY_S);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_STALE);
}

/* A2: by number of logins. */
static void test_desk_password_is_used_up(void **state)
{
	struct fixture *f = *state;

	apply(f, "login { maximum-logins 3; user yamada { role administrator; } }");
	establish(f, "yamada"); /* the first */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
		sit(f, 0);
	}
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
}

/* A3: three wrong ones lock it, longer each time; nobody is told why. */
static void test_desk_wrong_passwords_lock_the_account(void **state)
{
	struct fixture *f = *state;
	char text[ACCOUNT_TEXT_BYTES];

	apply(f, users);
	establish(f, "tanaka");
	sit(f, 7);
	establish_by(f, "tanaka", "yamada");
	assert_int_equal(login(f, 0, "nobody-here", GOOD), ACCOUNT_REFUSED);
	memcpy(text, f->answer.text, sizeof(text));
	for (int i = 0; i < 3; i++)
		assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "account locked");
	assert_string_equal(f->answer.text, text);
	pass(f, 601);
	for (int i = 0; i < 3; i++)
		assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
	pass(f, 601);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	pass(f, 601);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_non_null(strstr(f->answer.text, "failed attempts since: 8"));
}

/* A clock that jumps ten years back neither locks for ten years nor makes a password young again.
 */
static void test_desk_survives_a_clock_stepped_back(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	for (int i = 0; i < 3; i++)
		(void)login(f, 0, "yamada", "wrong");
	f->time.wall_ns -= 3650 * DAY_S * 1000000000;
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	pass(f, DAY_S + 1);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
}

/* A3, A4: without a key pressed, and in any case. */
static void test_desk_sessions_end_idle_and_at_their_limit(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	pass(f, 299);
	assert_false(f->ended[0]);
	pass(f, 1);
	assert_true(f->ended[0]);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_string_equal(f->reason, "idle");
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	for (int i = 0; i < 1740; i += 60) {
		desk_active(&f->desk, 0);
		pass(f, 60);
	}
	assert_false(f->ended[0]);
	assert_non_null(strstr(f->notice, "one minute"));
	desk_active(&f->desk, 0);
	pass(f, 60);
	assert_true(f->ended[0]);
	assert_string_equal(f->reason, "session limit");
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_null(strstr(f->answer.text, "logout -"));
}

/* A5: one administrator at a time; a stand-in is one for a while. */
static void test_desk_admits_one_administrator_at_a_time(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "tanaka");
	establish(f, "sato");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(login(f, 1, "tanaka", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "another administrator");
	assert_int_equal(login(f, 1, "sato", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[1], ACCOUNT_OPERATOR);
	desk_leave(&f->desk, 0);
	sit(f, 0);
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_OK);
	desk_leave(&f->desk, 0);
	desk_leave(&f->desk, 1);
	/* 2027-01-20 is some days ahead of the simulated 2027-01-15. */
	apply(f, "login { user yamada { role administrator; } "
		 "user sato { role operator; administrator-until 2027-01-20; } }");
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[1], ACCOUNT_ADMINISTRATOR);
	for (int i = 0; i < 6; i++)
		pass(f, DAY_S);
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[1], ACCOUNT_OPERATOR);
}

/* A7: suspension at once, the last day of a vendor's account, removal. */
static void test_desk_shows_out_who_may_no_longer_be_there(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "sato");
	establish(f, "suzuki");
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_OK);
	apply(f,
	      "login { user yamada { role administrator; } user sato { role operator; suspended; } "
	      "user suzuki { role auditor; expires 2027-01-16; } }");
	assert_true(f->ended[0]);
	sit(f, 0);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "suzuki", GOOD), ACCOUNT_OK);
	desk_active(&f->desk, 0);
	f->ended[0] = false;
	f->time.wall_ns += 2 * DAY_S * 1000000000;
	desk_tick(&f->desk);
	assert_true(f->ended[0]);
	sit(f, 0);
	assert_int_equal(login(f, 0, "suzuki", GOOD), ACCOUNT_REFUSED);
}

/* A changed, cut or swapped file admits nobody, and does not open the consoles. */
static void test_desk_damaged_account_admits_nobody(void **state)
{
	struct fixture *f = *state;
	int fd;
	char octet;

	apply(f, users);
	establish(f, "yamada");
	fd = openat(f->place.dir, "user.yamada", O_RDWR);
	assert_int_equal(pread(fd, &octet, 1, 120), 1);
	octet ^= 1;
	assert_int_equal(pwrite(fd, &octet, 1, 120), 1);
	close(fd);
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "account damaged");
}

/* A configuration that was lost opens nothing; one without persons that is committed does. */
static void test_desk_closed_is_not_opened_by_what_was_lost(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(unlinkat(f->place.dir, "user.yamada", 0), 0);
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, f->desk.owner), 0);
	apply(f, "");
	apply(f, "");
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	apply(f, users);
	apply(f, "");
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
}

/* Who hands over stays until the next administrator has a password, and the doors stay shut. */
static void test_desk_hand_over_leaves_no_open_console(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	apply(f, "login { user tanaka { role administrator; } }");
	assert_false(f->ended[0]);
	sit(f, 1);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
	desk_tick(&f->desk);
	assert_true(f->ended[0]);
}

/* Guesses at the present password count as attempts to log in. */
static void test_desk_guesses_in_a_session_lock_the_account(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "guess", BETTER), ACCOUNT_REFUSED);
	assert_true(f->ended[0]);
	desk_leave(&f->desk, 0);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "account locked");
}

/* What was typed as a name may have been a password: it is not recorded. */
static void test_desk_does_not_record_unknown_names(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, GOOD, "x"), ACCOUNT_REFUSED);
	assert_int_equal(f->told[EVENT_LOGIN_REFUSED], 1);
	assert_string_equal(f->reason, "no such account, or not now");
}

/* What cannot be counted is not tried: a disk that fails must not make guessing free (A3). */
static void test_desk_admits_nobody_while_attempts_cannot_be_saved(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(mkdirat(f->place.dir, "staged", 0700), 0); /* where accounts are written */
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "the attempt cannot be saved");
	assert_true(f->told[EVENT_ACCOUNT_UNSAVED] > 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(unlinkat(f->place.dir, "staged", AT_REMOVEDIR), 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(mkdirat(f->place.dir, "staged", 0700), 0);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", GOOD, BETTER), ACCOUNT_REFUSED);
	assert_int_equal(unlinkat(f->place.dir, "staged", AT_REMOVEDIR), 0);
}

/* L1: no session without its record. */
static void test_desk_admits_nobody_whose_login_is_not_recorded(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	f->deaf = true;
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	f->deaf = false;
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
}

/* A7: a last day that was seen over stays over, whatever the clock says later; a later one counts
 * again. */
static void test_desk_expired_account_stays_so_when_the_clock_goes_back(void **state)
{
	static const char over[] =
		"login { user yamada { role administrator; } "
		"user sato { role operator; expires 2027-01-16; } "
		"user suzuki { role auditor; administrator-until 2027-01-16; } }";
	static const char longer[] = "login { user yamada { role administrator; } "
				     "user sato { role operator; expires 2027-01-17; } }";
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "sato");
	establish(f, "suzuki");
	apply(f, over);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_OK);
	sit(f, 0);
	pass(f, 3 * DAY_S);
	f->time.wall_ns -= 3 * DAY_S * 1000000000;
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "suzuki", GOOD), ACCOUNT_OK);
	assert_int_equal(f->role[0], ACCOUNT_AUDITOR);
	/* It is on the disk, too. */
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, f->desk.owner), 0);
	apply(f, over);
	sit(f, 0);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_REFUSED);
	apply(f, longer);
	assert_int_equal(login(f, 0, "sato", GOOD), ACCOUNT_OK);
}

/* A3: whoever guesses at the line cannot keep the only administrator out for long; with a second
 * one the lock is the whole one. */
static void test_desk_only_administrator_is_slowed_down_not_locked_out(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 3; k++)
			assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
		assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
		pass(f, i == 0 ? ACCOUNT_ALONE_LOCK_S : ACCOUNT_ALONE_MOST_S);
	}
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	desk_leave(&f->desk, 0);
	establish(f, "tanaka");
	for (int k = 0; k < 3; k++)
		assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
	pass(f, ACCOUNT_ALONE_MOST_S + 1);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_OK);
}

/* A5: a new password is no way past the administrator who sits there already. */
static void test_desk_stale_administrator_waits_for_the_other(void **state)
{
	struct fixture *f = *state;
	char temporary[PASSWORD_TEMPORARY_BYTES];

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
	memcpy(temporary, shown_password(f), sizeof(temporary));
	sit(f, 1);
	assert_int_equal(login(f, 1, "tanaka", temporary), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "another administrator");
	desk_leave(&f->desk, 0);
	assert_int_equal(login(f, 1, "tanaka", temporary), ACCOUNT_STALE);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 1, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_REFUSED);
	assert_true(f->ended[1]);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 1, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_REFUSED);
}

/* A2: a password that was issued anew ends what the one before it had begun. */
static void test_desk_reset_ends_a_change_that_is_under_way(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "sato", "", ""), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", shown_password(f)), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "sato", "", ""), ACCOUNT_OK);
	assert_true(f->ended[1]);
	assert_int_equal(ask(f, 1, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_REFUSED);
}

/* A3: neither the moment of the answer nor what is left on the disk tells whether a name is known.
 */
static void test_desk_unknown_name_is_refused_like_a_known_one(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(desk_hold_ms(0), DESK_DELAY_MS);
	assert_int_equal(37 + desk_hold_ms(37), 5 + desk_hold_ms(5));
	assert_int_equal(desk_hold_ms(DESK_DELAY_MS + 1), DESK_DELAY_MS - 1);
	assert_int_equal(login(f, 0, "nobody-here", "x"), ACCOUNT_REFUSED);
	assert_int_equal(faccessat(f->place.dir, "user.", R_OK, 0), 0); /* counted, too */
	assert_int_equal(faccessat(f->place.dir, "user.nobody-here", R_OK, 0), -1);
}

/* ---- the second factor (A9) */

/* The secret that the last answer shows. */
static const char *shown_secret(const struct fixture *f)
{
	static char secret[TOTP_SECRET_BYTES];
	const char *at = strstr(f->answer.text, "secret: ");

	assert_non_null(at);
	memcpy(secret, at + strlen("secret: "), sizeof(secret) - 1);
	return secret;
}

/* The code of now, or of some steps later. */
static const char *code_of(const struct fixture *f, const char *secret, int steps)
{
	static char code[TOTP_DIGITS + 1];
	uint8_t key[TOTP_KEY_BYTES];
	int64_t step = f->time.wall_ns / 1000000000 / TOTP_STEP_S + steps;

	assert_true(totp_key(secret, key));
	(void)snprintf(code, sizeof(code), "%06u", totp_code(key, (uint64_t)step));
	return code;
}

static enum account_status login_with(struct fixture *f, uint32_t console, const char *name,
				      const char *secret, const char *code)
{
	return ask(f, console, ACCOUNT_LOGIN, name, secret, code);
}

/* yamada and tanaka have passwords; yamada has a second factor, and console 0 is closed. */
static void establish_factor(struct fixture *f, char secret[TOTP_SECRET_BYTES])
{
	establish(f, "yamada");
	establish(f, "tanaka");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), TOTP_SECRET_BYTES);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	sit(f, 0);
}

static bool asks_for_codes(struct fixture *f, uint32_t console)
{
	assert_int_equal(ask(f, console, ACCOUNT_PROMPTS, "", "", ""), ACCOUNT_OK);
	return f->answer.codes != 0;
}

static void test_desk_second_factor_is_in_force_from_its_first_code_on(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "nobody-here", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "sato", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", "", ""), ACCOUNT_ENROL);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 2), ""),
			 ACCOUNT_ENROL);
	assert_false(asks_for_codes(f, 0));
	sit(f, 0); /* nothing is kept of one that was not completed */
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 0);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 1);
	assert_true(asks_for_codes(f, 0));
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "wrong code");
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 1)), ACCOUNT_OK);
}

static void test_desk_accepts_no_code_twice_nor_after_the_clock_went_back(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES], code[TOTP_DIGITS + 1];

	apply(f, users);
	establish_factor(f, secret);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
	pass(f, 300);
	memcpy(code, code_of(f, secret, 0), sizeof(code));
	assert_int_equal(login_with(f, 0, "yamada", "wrong", code), ACCOUNT_REFUSED);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code), ACCOUNT_REFUSED);
	f->time.wall_ns -= 60 * 1000000000LL;
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
}

/* A3: the same words for a wrong password, a wrong code and both; each counts as a failure. */
static void test_desk_wrong_codes_lock_the_account_and_tell_nothing(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES], text[ACCOUNT_TEXT_BYTES];

	apply(f, users);
	establish_factor(f, secret);
	pass(f, 60);
	assert_int_equal(login_with(f, 0, "yamada", "wrong", code_of(f, secret, 0)),
			 ACCOUNT_REFUSED);
	memcpy(text, f->answer.text, sizeof(text));
	assert_int_equal(login_with(f, 0, "yamada", GOOD, "000000x"), ACCOUNT_REFUSED);
	assert_memory_equal(f->answer.text, text, sizeof(text));
	assert_int_equal(login_with(f, 0, "nobody-here", GOOD, "1"), ACCOUNT_REFUSED);
	assert_memory_equal(f->answer.text, text, sizeof(text));
	assert_int_equal(login_with(f, 0, "yamada", "wrong", ""), ACCOUNT_REFUSED);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "account locked");
	assert_memory_equal(f->answer.text, text, sizeof(text));
	pass(f, 601);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 0)), ACCOUNT_OK);
}

static void test_desk_second_factor_is_removed_by_another_administrator(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish_factor(f, secret);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, secret, 1)), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_non_null(strstr(f->answer.text, "another administrator"));
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "tanaka", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_TOTP_REMOVE, "yamada", "", ""), ACCOUNT_OK);
	assert_int_equal(f->told[EVENT_TOTP_REMOVED], 1);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
}

/* Where it is required nobody comes in without, and nobody is locked out: the login enrols it. */
static void test_desk_required_second_factor_is_enrolled_at_the_login(void **state)
{
	struct fixture *f = *state;
	char secret[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	apply(f, "login { totp required; user yamada { role administrator; } }");
	assert_true(asks_for_codes(f, 0));
	assert_int_equal(login(f, 0, "yamada", "wrong"), ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	assert_int_equal(ask(f, 0, ACCOUNT_SHOW, "", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_REFUSED);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", "1", ""), ACCOUNT_ENROL);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	pass(f, DESK_LOGIN_S + 1);
	assert_true(f->ended[0]);
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(secret, shown_secret(f), sizeof(secret));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, secret, 0), ""), ACCOUNT_OK);
	assert_int_equal(f->role[0], ACCOUNT_ADMINISTRATOR);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
}

/* Of two who were shown a secret, the first code decides; who only knows the password is out. */
static void test_desk_second_factor_is_not_replaced_by_an_older_offer(void **state)
{
	struct fixture *f = *state;
	char owners[TOTP_SECRET_BYTES], strangers[TOTP_SECRET_BYTES];

	apply(f, users);
	establish(f, "yamada");
	apply(f, "login { totp required; user yamada { role administrator; } }");
	sit(f, 1);
	assert_int_equal(login(f, 1, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(strangers, shown_secret(f), sizeof(strangers));
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_ENROL);
	memcpy(owners, shown_secret(f), sizeof(owners));
	assert_int_equal(ask(f, 0, ACCOUNT_FIRST_CODE, "", code_of(f, owners, 0), ""), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(ask(f, 1, ACCOUNT_FIRST_CODE, "", code_of(f, strangers, 0), ""),
			 ACCOUNT_REFUSED);
	assert_int_equal(f->role[1], ACCOUNT_ROLE_NONE);
	assert_int_equal(f->told[EVENT_TOTP_ENROLLED], 1);
	assert_int_equal(login_with(f, 0, "yamada", GOOD, code_of(f, owners, 1)), ACCOUNT_OK);
}

static void test_password_rules(void **state)
{
	static const char *const names[] = {"yamada", "sekisho", "柳井市"};
	static const struct {
		const char *password;
		enum password_defect defect;
	} cases[] = {
		{GOOD, PASSWORD_FINE},
		{"Ab1-Cd2.Ef", PASSWORD_TOO_SHORT},
		{"onlysmalllettershere", PASSWORD_FINE}, /* 20 characters */
		{"onlysmallletter", PASSWORD_TOO_SIMPLE},
		{"xYamada-1984-k", PASSWORD_NAMES},
		{"12-柳井市-abcD-x", PASSWORD_NAMES},
		{"Abcdefg-12-hij", PASSWORD_REPEATS},
		{"Xk-98765-mnQz", PASSWORD_REPEATS},
		{"Xk-aaaaa-m9Qz", PASSWORD_REPEATS},
		{"Ab1-Ab1-Ab1-Ab1-", PASSWORD_REPEATS},
		{"Karasu\x07no-7-tsu", PASSWORD_CONTROL},
		{"Karasu\xff-no-7-tsu", PASSWORD_CONTROL},
		{"ひらがなの長い合言葉-A1", PASSWORD_FINE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(password_judge(cases[i].password, 12, names, 3), cases[i].defect);
}

static void test_password_hash_is_yescrypt_and_salted(void **state)
{
	char setting[PASSWORD_SETTING_BYTES], one[PASSWORD_HASH_BYTES], two[PASSWORD_HASH_BYTES];

	assert_int_equal(password_setting(setting), 0);
	assert_int_equal(password_hash(GOOD, setting, one), 0);
	assert_int_equal(password_setting(setting), 0);
	assert_int_equal(password_hash(GOOD, setting, two), 0);
	assert_memory_equal(one, "$y$", 3);
	assert_string_not_equal(one, two);
	assert_true(password_matches(GOOD, one));
	assert_false(password_matches(BETTER, one));
	assert_false(password_matches("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_desk_is_shut_before_it_knows_a_policy),
		TEST(test_desk_is_open_until_an_administrator_has_a_password),
		TEST(test_desk_temporary_password_must_be_changed_at_first_login),
		TEST(test_desk_password_grows_too_old_and_is_never_used_again),
		TEST(test_desk_operator_has_the_longer_age),
		TEST(test_desk_password_is_used_up),
		TEST(test_desk_wrong_passwords_lock_the_account),
		TEST(test_desk_survives_a_clock_stepped_back),
		TEST(test_desk_sessions_end_idle_and_at_their_limit),
		TEST(test_desk_admits_one_administrator_at_a_time),
		TEST(test_desk_shows_out_who_may_no_longer_be_there),
		TEST(test_desk_damaged_account_admits_nobody),
		TEST(test_desk_closed_is_not_opened_by_what_was_lost),
		TEST(test_desk_hand_over_leaves_no_open_console),
		TEST(test_desk_guesses_in_a_session_lock_the_account),
		TEST(test_desk_does_not_record_unknown_names),
		TEST(test_desk_admits_nobody_while_attempts_cannot_be_saved),
		TEST(test_desk_admits_nobody_whose_login_is_not_recorded),
		TEST(test_desk_expired_account_stays_so_when_the_clock_goes_back),
		TEST(test_desk_only_administrator_is_slowed_down_not_locked_out),
		TEST(test_desk_stale_administrator_waits_for_the_other),
		TEST(test_desk_reset_ends_a_change_that_is_under_way),
		TEST(test_desk_unknown_name_is_refused_like_a_known_one),
		TEST(test_desk_second_factor_is_in_force_from_its_first_code_on),
		TEST(test_desk_accepts_no_code_twice_nor_after_the_clock_went_back),
		TEST(test_desk_wrong_codes_lock_the_account_and_tell_nothing),
		TEST(test_desk_second_factor_is_removed_by_another_administrator),
		TEST(test_desk_required_second_factor_is_enrolled_at_the_login),
		TEST(test_desk_second_factor_is_not_replaced_by_an_older_offer),
#undef TEST
		cmocka_unit_test(test_password_rules),
		cmocka_unit_test(test_password_hash_is_yescrypt_and_salted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts in simulated time (A1 to A7): locks, ages, temporary passwords, roles, sessions. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "desk_fixture.h"

#define DAY_S 86400LL

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

/* A1, A2: what a password's own account has seen of the time counts: behind that it is no younger.
 */
static void test_desk_password_is_not_made_young_by_a_clock_set_back(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	pass(f, 13 * DAY_S);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	sit(f, 0);
	f->time.wall_ns -= 3600LL * 1000000000; /* a clock that was a little wrong */
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	sit(f, 0);
	f->time.wall_ns -= 10 * DAY_S * 1000000000;
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, f->desk.owner), 0);
	apply(f, users); /* a restart at the wrong time: the account alone knows */
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_string_equal(f->answer.text,
			    "this password has been used long enough: choose a new one\n");
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", BETTER), ACCOUNT_OK);
}

/* The same where nobody logged in while the password grew old: the desk has seen the time. */
static void test_desk_password_is_as_old_as_the_desk_has_seen(void **state)
{
	struct fixture *f = *state;
	char temporary[PASSWORD_TEMPORARY_BYTES];

	apply(f, users);
	establish(f, "yamada");
	establish(f, "tanaka");
	assert_int_equal(login(f, 0, "tanaka", GOOD), ACCOUNT_OK);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "sato", "", ""), ACCOUNT_OK);
	memcpy(temporary, shown_password(f), sizeof(temporary));
	desk_leave(&f->desk, 0);
	sit(f, 0);
	pass(f, 15 * DAY_S);
	f->time.wall_ns -= 15 * DAY_S * 1000000000;
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", BETTER), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(login(f, 1, "sato", temporary), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "temporary password not used in time");
}

#define GLITCH_S (73LL * 365 * DAY_S)

/* A clock that is far ahead for a moment, and right again. */
static void glitch(struct fixture *f)
{
	pass(f, GLITCH_S);
	f->time.wall_ns -= GLITCH_S * 1000000000;
	desk_tick(&f->desk);
}

static void restart(struct fixture *f)
{
	assert_int_equal(desk_init(&f->desk, &f->clock, f->place.dir, f->desk.owner), 0);
	apply(f, users);
	sit(f, 0);
}

static void read_kept(const struct fixture *f, const char *name, struct bytes *out)
{
	bytes_init(out, 65536);
	assert_int_equal(file_read(f->place.dir, name, out), 0);
}

/* One small file says so for any number of accounts, after a restart too. */
static void test_desk_clock_set_back_writes_no_account(void **state)
{
	static const char *const names[] = {"user.yamada", "user.tanaka"};
	struct fixture *f = *state;
	struct bytes before[2], after;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "tanaka");
	for (int i = 0; i < 2; i++)
		read_kept(f, names[i], &before[i]);
	pass(f, 13 * DAY_S);
	f->time.wall_ns -= 13 * DAY_S * 1000000000;
	pass(f, 1);
	pass(f, 1);
	for (int i = 0; i < 2; i++) {
		read_kept(f, names[i], &after);
		assert_int_equal(after.size, before[i].size);
		assert_memory_equal(after.data, before[i].data, after.size);
		bytes_fini(&after);
		bytes_fini(&before[i]);
	}
	restart(f);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	restart(f);
	assert_int_equal(login(f, 0, "yamada", BETTER), ACCOUNT_OK);
}

/* Set back twice, the second time by less: who was not there sees what the first time showed. */
static void test_desk_password_remembers_every_clock_that_was_set_back(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	pass(f, 10 * DAY_S);
	f->time.wall_ns -= 10 * DAY_S * 1000000000;
	pass(f, 3 * DAY_S);
	f->time.wall_ns -= 3 * DAY_S * 1000000000;
	desk_tick(&f->desk);
	pass(f, 5 * DAY_S);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
}

/* What cannot be saved holds in memory, and is saved as soon as it can be. */
static void test_desk_clock_set_back_is_noted_when_the_disk_takes_it(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	pass(f, 13 * DAY_S);
	assert_int_equal(mkdirat(f->place.dir, FILE_STAGED, 0700), 0);
	f->time.wall_ns -= 13 * DAY_S * 1000000000;
	pass(f, 1);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_REFUSED);
	assert_int_equal(unlinkat(f->place.dir, FILE_STAGED, AT_REMOVEDIR), 0);
	pass(f, 1);
	restart(f);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
}

/* Where it is not known any more what the clock has shown, every password is changed once. */
static void test_desk_damaged_note_of_the_clock_makes_no_password_young(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(file_replace(f->place.dir, "era", NULL, span_of("number 0\nseen 0\n")), 0);
	restart(f);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
	restart(f);
	assert_int_equal(login(f, 0, "yamada", BETTER), ACCOUNT_OK);
}

/* Nobody could issue another one: the temporary password of the last administrator still opens the
 * way to a new one, while the clock is wrong and afterwards. */
static void test_desk_glitch_of_the_clock_locks_no_lone_administrator_out(void **state)
{
	struct fixture *f = *state;
	char temporary[PASSWORD_TEMPORARY_BYTES], second[PASSWORD_TEMPORARY_BYTES];

	apply(f, users);
	sit(f, 0);
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "yamada", "", ""), ACCOUNT_OK);
	memcpy(temporary, shown_password(f), sizeof(temporary));
	assert_int_equal(ask(f, 0, ACCOUNT_RESET, "tanaka", "", ""), ACCOUNT_OK);
	memcpy(second, shown_password(f), sizeof(second));
	desk_leave(&f->desk, 0);
	glitch(f);
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", temporary), ACCOUNT_STALE);
	f->time.wall_ns += GLITCH_S * 1000000000;
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", temporary), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", GOOD), ACCOUNT_OK);
	sit(f, 1);
	assert_int_equal(login(f, 1, "tanaka", second), ACCOUNT_REFUSED);
	assert_string_equal(f->reason, "temporary password not used in time");
	f->time.wall_ns -= GLITCH_S * 1000000000;
	sit(f, 0);
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_STALE);
	assert_int_equal(ask(f, 0, ACCOUNT_CHANGE, "", "", BETTER), ACCOUNT_OK);
}

/* Who is half way in is there, and is told from who is in; a name that was only typed is nobody's.
 */
static void sit_half_way_in(struct fixture *f)
{
	struct seat *seats = f->desk.seats;

	seats[4] = (struct seat){
		.state = SEAT_STALE, .name = "tanaka", .role = ACCOUNT_AUDITOR, .terminal = true};
	seats[5] = (struct seat){.state = SEAT_ENROL, .name = "suzuki", .role = ACCOUNT_OPERATOR};
	seats[6] = (struct seat){.state = SEAT_RECOVERY, .name = "nobody", .terminal = true};
}

static void test_desk_shows_who_is_half_way_in(void **state)
{
	const struct account_request japanese = {.kind = ACCOUNT_SEATS, .language = LANGUAGE_JA};
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	sit(f, 1);
	assert_int_equal(login(f, 1, "yamada", GOOD), ACCOUNT_OK);
	sit_half_way_in(f);
	assert_int_equal(ask(f, 1, ACCOUNT_SEATS, "", "", ""), ACCOUNT_OK);
	assert_non_null(strstr(f->answer.text, "\n4  tanaka                   auditor "));
	assert_non_null(strstr(f->answer.text, "serial line, must choose a password, idle"));
	assert_non_null(strstr(f->answer.text, "\n5  suzuki                   operator "));
	assert_non_null(strstr(f->answer.text, "local socket, must show a second factor, idle"));
	assert_non_null(strstr(f->answer.text, "\n6  (recovery)               - "));
	assert_null(strstr(f->answer.text, "nobody"));
	assert_false(desk_request(&f->desk, 1, &japanese, &f->answer));
	assert_non_null(strstr(f->answer.text, "無操作 0 分 (この端末)\n4  tanaka "));
	assert_non_null(strstr(f->answer.text, "シリアル回線、パスワード変更待ち、無操作"));
	assert_non_null(strstr(f->answer.text, "ローカルソケット、第2要素の登録待ち、無操作"));
	assert_non_null(strstr(f->answer.text, "6  (復旧)"));
}

/* A3, A5: whoever is logged in sees who else is, since when, and nobody's name before a login. */
static void test_desk_shows_who_sits_where(void **state)
{
	struct fixture *f = *state;
	char since[2][32];
	time_t at;

	apply(f, users);
	establish(f, "yamada");
	establish(f, "sato");
	for (uint32_t i = 0; i < 2; i++) {
		pass(f, 60);
		sit(f, i);
		assert_int_equal(login(f, i, i == 0 ? "yamada" : "sato", GOOD), ACCOUNT_OK);
		at = (time_t)(f->time.wall_ns / 1000000000) + 9 * 3600;
		assert_true(strftime(since[i], sizeof(since[i]), "%Y-%m-%d %H:%M:%S", gmtime(&at)) >
			    0);
	}
	sit(f, 2);
	sit(f, 3);
	assert_int_equal(login(f, 3, "tanaka", "not the password"), ACCOUNT_REFUSED);
	pass(f, 60);
	desk_active(&f->desk, 0);
	pass(f, 125);
	assert_int_equal(ask(f, 1, ACCOUNT_SEATS, "", "", ""), ACCOUNT_OK);
	assert_non_null(strstr(f->answer.text, since[0]));
	assert_non_null(strstr(f->answer.text, since[1]));
	assert_string_not_equal(since[0], since[1]);
	assert_ptr_equal(strstr(f->answer.text, "0  yamada                   administrator  "),
			 f->answer.text);
	assert_non_null(strstr(f->answer.text, "\n1  sato                     operator       "));
	assert_non_null(strstr(f->answer.text, "local socket, idle 2 min\n1  "));
	assert_non_null(strstr(f->answer.text, "local socket, idle 0 min (here)\n2  (login)"));
	assert_non_null(strstr(f->answer.text, "\n3  (login)"));
	assert_null(strstr(f->answer.text, "tanaka"));
	assert_null(strstr(f->answer.text, "\n4"));
	assert_int_equal(ask(f, 2, ACCOUNT_SEATS, "", "", ""), ACCOUNT_REFUSED);
	desk_leave(&f->desk, 0);
	assert_int_equal(ask(f, 1, ACCOUNT_SEATS, "", "", ""), ACCOUNT_OK);
	assert_null(strstr(f->answer.text, "yamada"));
}

/* A3: the configured language, from the greeting on, and for notices where nobody chose another. */
static void test_desk_greets_in_the_configured_language(void **state)
{
	static const struct {
		const char *configuration;
		enum language language;
	} rows[] = {
		{"", LANGUAGE_EN},
		{"system { language ja; }", LANGUAGE_JA},
		{"system { host-name gate; }", LANGUAGE_EN},
		{"system { language ja; }", LANGUAGE_JA},
		{"system { language en; }", LANGUAGE_EN},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		apply(f, rows[i].configuration);
		sit(f, 0);
		assert_int_equal(ask(f, 0, ACCOUNT_HELLO, "", "", ""), ACCOUNT_OK);
		assert_int_equal(f->answer.language, rows[i].language);
		assert_int_equal(f->desk.seats[0].language, rows[i].language);
		f->answer.language = LANGUAGE_EN;
		assert_int_equal(ask(f, 0, ACCOUNT_PROMPTS, "yamada", "", ""), ACCOUNT_OK);
		assert_int_equal(f->answer.language, rows[i].language);
	}
}

/* A3, A4: without a key pressed, and in any case. */
static void test_desk_sessions_end_idle_and_at_their_limit(void **state)
{
	struct fixture *f = *state;

	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(login(f, 0, "yamada", GOOD), ACCOUNT_OK);
	f->notice[0] = '\0';
	pass(f, 239);
	assert_string_equal(f->notice, "");
	pass(f, 1);
	assert_non_null(strstr(f->notice, "ends in 60 s"));
	f->notice[0] = '\0';
	desk_active(&f->desk, 0);
	pass(f, 239);
	assert_string_equal(f->notice, "");
	pass(f, 1);
	assert_non_null(strstr(f->notice, "ends in 60 s"));
	f->notice[0] = '\0';
	pass(f, 59);
	assert_false(f->ended[0]);
	assert_string_equal(f->notice, ""); /* once is enough */
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

	apply(f, "");
	apply(f, users);
	establish(f, "yamada");
	assert_int_equal(unlinkat(f->place.dir, "user.yamada", 0), 0);
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	start_with(f, "", 0); /* none is whole, or the files of all are gone */
	sit(f, 0);
	assert_int_equal(f->role[0], ACCOUNT_ROLE_NONE);
	start_with(f, "", 1); /* one before, as if it were the newest */
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
		"login { maximum-age 0s; user yamada { role administrator; } "
		"user sato { role operator; expires 2027-01-16; } "
		"user suzuki { role auditor; administrator-until 2027-01-16; } }";
	static const char longer[] = "login { maximum-age 0s; user yamada { role administrator; } "
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
		{"Password2026!", PASSWORD_GUESSABLE},
		{"P@55w0rd_2026", PASSWORD_GUESSABLE},
		{"#Welcome-1984#", PASSWORD_GUESSABLE},
		{"5ek1sh0.2026.Aa", PASSWORD_GUESSABLE},
		{"Y4mada_2026_Abc", PASSWORD_GUESSABLE},
		{"ReiwaAdmin0008!", PASSWORD_GUESSABLE},
		{"aDm1n1strat0r-2026-aDm1n", PASSWORD_GUESSABLE}, /* 20 characters do not help */
		{"Secret-Karasu-7", PASSWORD_FINE},               /* a word more */
	};
	static const char *const city[] = {"Shunan City", "gw-hagi-1"};
	static const char *const kanji[] = {"萩市 周防大島町"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(password_judge(cases[i].password, 12, names, 3), cases[i].defect);
	assert_int_equal(password_judge("$hunan#1", 8, city, 2), PASSWORD_GUESSABLE);
	assert_int_equal(password_judge("H4gi_2026_#", 8, city, 2), PASSWORD_GUESSABLE);
	assert_int_equal(password_judge("周防大島町2026#A", 8, kanji, 1), PASSWORD_GUESSABLE);
	assert_int_equal(password_judge("萩市Kiri2026", 8, kanji, 1), PASSWORD_GUESSABLE);
	assert_int_equal(password_judge("萩Kirin2026", 8, kanji, 1), PASSWORD_FINE); /* one */
	assert_int_equal(password_judge("Kirin_2026_#tsubame", 8, city, 2), PASSWORD_FINE);
}

static void test_password_hash_is_yescrypt_and_salted(void **state)
{
	char setting[PASSWORD_SETTING_BYTES], one[PASSWORD_HASH_BYTES], two[PASSWORD_HASH_BYTES];

	hashes_in_full = true;
	assert_int_equal(password_setting(setting), 0);
	assert_int_equal(password_hash(GOOD, setting, one), 0);
	assert_int_equal(password_setting(setting), 0);
	assert_int_equal(password_hash(GOOD, setting, two), 0);
	hashes_in_full = false;
	assert_memory_equal(one, "$y$j9T$", 7); /* yescrypt's own cost: N 4096, r 32: 16 MiB */
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
		TEST(test_desk_password_is_not_made_young_by_a_clock_set_back),
		TEST(test_desk_password_is_as_old_as_the_desk_has_seen),
		TEST(test_desk_clock_set_back_writes_no_account),
		TEST(test_desk_password_remembers_every_clock_that_was_set_back),
		TEST(test_desk_clock_set_back_is_noted_when_the_disk_takes_it),
		TEST(test_desk_damaged_note_of_the_clock_makes_no_password_young),
		TEST(test_desk_glitch_of_the_clock_locks_no_lone_administrator_out),
		TEST(test_desk_shows_who_sits_where),
		TEST(test_desk_shows_who_is_half_way_in),
		TEST(test_desk_greets_in_the_configured_language),
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
#undef TEST
		cmocka_unit_test(test_password_rules),
		cmocka_unit_test(test_password_hash_is_yescrypt_and_salted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

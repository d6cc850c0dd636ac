/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates that are made here: for which names, and when they are made anew; what was loaded
 * never is. */
#include "config_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/proposal.h"
#include "config/slot_names.h"
#include "policy/parse.h"
#include "tls/tls.h"

#define DAY_S 86400
#define ZONES                                                                                      \
	"zone a { tier business; port eth0; address 10.0.0.1/24; address fd00::1/64; }\n"          \
	"zone b { tier outside; port eth1; address 10.1.0.1/24; }\n"
#define SCREEN(name)                                                                               \
	"screen web { from a; to b; desktop 10.1.0.9:5900; security x509-plain; group staff;\n"    \
	" tls { certificate screen; } browser { name " name "; } }\n"                              \
	"screen-user suzuki { group staff; }\n"
#define MAIL(slot)                                                                                 \
	"mail in { from b; to a; domain example.jp; next-hop 10.0.0.9; host-name mx.example.jp;\n" \
	" tls { certificate " slot "; } }\n"

/* This runs from now on, and its commit is settled. */
static void run(const char *text)
{
	bytes_clear(&f.c.running_text);
	assert_int_equal(bytes_append_text(&f.c.running_text, text), 0);
	config_slots_look(&f.c);
}

static int setup(void **state)
{
	fixture_open();
	f.c.keys_dir = f.place.dir;
	f.c.running_entry.number = 7;
	config_slots_init(&f.c);
	return 0;
}

static int teardown(void **state)
{
	fixture_close();
	return 0;
}

/* So much later by both clocks. */
static void later(int64_t seconds)
{
	f.time.mono_ns += (uint64_t)seconds * 1000000000;
	f.time.wall_ns += seconds * 1000000000;
	assert_int_equal(loop_step(&f.c.loop, 0), 0);
}

/* What a slot holds, as text; the caller frees it. */
static char *held(const char *slot)
{
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX + 1);
	assert_int_equal(keys_read(f.place.dir, span_of(slot), KEYS_IS_CERTIFICATE, &pem), 0);
	assert_int_equal(bytes_append_u8(&pem, '\0'), 0);
	return (char *)pem.data;
}

static void assert_names(const char *slot, const char *expected)
{
	char *pem = held(slot);
	struct tls_names names;
	struct bytes text;

	bytes_init(&text, TLS_PEM_BYTES_MAX);
	assert_int_equal(tls_names_of(span_of(pem), &names), 0);
	assert_int_equal(tls_names_print(&names, &text), 0);
	assert_int_equal(bytes_append_u8(&text, '\0'), 0);
	assert_string_equal((char *)text.data, expected);
	bytes_fini(&text);
	free(pem);
}

/* The private key of @pem: its text from there on. */
static const char *key_of(const char *pem)
{
	const char *key = strstr(pem, "-----BEGIN EC PRIVATE KEY");

	assert_non_null(key);
	return key;
}

static void test_slots_made_for_every_name_and_address_they_are_reached_by(void **state)
{
	run(ZONES "system { host-name gate.example.jp; }\n" SCREEN("web.example.jp") MAIL("mail"));
	assert_int_equal(next_event("mx.example.jp, 10.1.0.1"), EVENT_CERTIFICATE_MADE);
	assert_int_equal(next_event("gate.example.jp, web.example.jp"), EVENT_CERTIFICATE_MADE);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	assert_names("screen", "gate.example.jp, web.example.jp, 10.0.0.1, fd00::1");
	assert_names("mail", "mx.example.jp, 10.1.0.1");
}

static void test_slots_stay_while_nothing_changes(void **state)
{
	char *first, *second;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	first = held("screen");
	run(ZONES "service one { tcp 1; }\n" SCREEN("web.example.jp"));
	for (int day = 0; day < 3; day++)
		later(DAY_S);
	second = held("screen");
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

/* Other names: another certificate, for the key that viewers may have pinned. */
static void test_slots_with_other_names_are_made_anew_and_keep_their_key(void **state)
{
	char *first, *second;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	first = held("screen");
	run(ZONES SCREEN("other.example.jp"));
	assert_int_equal(next_event("names have changed"), EVENT_CERTIFICATE_RENEWED);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	assert_names("screen", "sekisho, other.example.jp, 10.0.0.1, fd00::1");
	second = held("screen");
	assert_string_not_equal(first, second);
	assert_string_equal(key_of(first), key_of(second));
	free(first);
	free(second);
}

/* A month before its end at the latest; with a new key, which lives no longer than it. */
static void test_slots_that_end_are_made_anew_with_another_key(void **state)
{
	const int64_t life_s = (int64_t)TLS_MADE_DAYS * DAY_S;
	char *first, *second;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	first = held("screen");
	later(life_s - 31L * DAY_S);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	later(2L * DAY_S);
	assert_int_equal(next_event("it ends"), EVENT_CERTIFICATE_RENEWED);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	second = held("screen");
	assert_string_not_equal(key_of(first), key_of(second));
	assert_int_equal(tls_identity_check(span_of(second), BEGAN_S + life_s + DAY_S),
			 TLS_DEFECT_NONE);
	free(first);
	free(second);
}

/* However often names change: the key ends when the certificate ends that it was made for. */
static void test_slots_key_ends_in_time_whatever_its_names(void **state)
{
	const int64_t life_s = (int64_t)TLS_MADE_DAYS * DAY_S;
	char *first, *second;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	first = held("screen");
	later(life_s / 2);
	run(ZONES SCREEN("other.example.jp"));
	assert_int_equal(next_event("names have changed"), EVENT_CERTIFICATE_RENEWED);
	later(life_s / 2 - 29L * DAY_S);
	assert_int_equal(next_event("it ends"), EVENT_CERTIFICATE_RENEWED);
	second = held("screen");
	assert_string_not_equal(key_of(first), key_of(second));
	free(first);
	free(second);
}

/* A clock that was ahead and is set right: what holds only later is no use to anybody. */
static void test_slots_made_ahead_of_time_are_made_anew_when_the_clock_is_right(void **state)
{
	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	f.time.wall_ns -= INT64_C(400) * DAY_S * 1000000000;
	f.time.mono_ns += 60 * UINT64_C(1000000000);
	assert_int_equal(loop_step(&f.c.loop, 0), 0);
	assert_int_equal(next_event("clock was ahead"), EVENT_CERTIFICATE_RENEWED);
	later(DAY_S);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
}

static void load(const char *slot, enum keys_kind kind, const char *pem, int64_t now_s)
{
	enum tls_defect defect = TLS_DEFECT_NONE;
	struct span content = span_of(pem);

	assert_int_equal(keys_check(kind, &content, now_s, &defect), 0);
	assert_int_equal(keys_load(f.place.dir, span_of(slot), kind, content), 0);
}

/* What is loaded stays, for whatever names, to its end and beyond; that it ends is said each day.
 * That it claims to be made here makes no difference. */
static void test_slots_that_were_loaded_are_never_made_anew(void **state)
{
	char *made, *loaded, *now;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	made = held("screen");
	load("screen", KEYS_IS_CERTIFICATE, made, BEGAN_S);
	loaded = held("screen");
	run(ZONES SCREEN("other.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	later((TLS_MADE_DAYS - 29) * (int64_t)DAY_S);
	assert_int_equal(next_event("expires within 30 days"), EVENT_CERTIFICATE_DEFECT);
	later(DAY_S);
	assert_int_equal(next_event("expires within 30 days"), EVENT_CERTIFICATE_DEFECT);
	later(29L * DAY_S);
	assert_int_equal(next_event("a certificate has expired"), EVENT_CERTIFICATE_DEFECT);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	now = held("screen");
	assert_string_equal(now, loaded);
	free(made);
	free(loaded);
	free(now);
}

/* What was made here and cannot be read any more helps nobody. */
static void test_slots_made_here_that_are_damaged_are_made_anew(void **state)
{
	char *pem;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	pem = held("screen");
	memset(strstr(pem, "-----BEGIN CERT") + 40, 'A', 200);
	assert_int_equal(file_replace(f.place.dir, "screen.certificate.pem", NULL, span_of(pem)),
			 0);
	later(DAY_S);
	assert_int_equal(next_event("it cannot be used"), EVENT_CERTIFICATE_RENEWED);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	free(pem);
}

/* Whether looking at @text, without changing anything, tells of this problem. */
static bool warns(const char *text, enum problem_id id)
{
	struct keys_task task = {.dir = f.place.dir, .now_s = BEGAN_S, .aim = KEYS_LOOK};
	struct problems problems;
	struct tree tree;
	bool found = false;

	problems_init(&problems);
	assert_int_equal(tree_init(&tree), 0);
	assert_int_equal(parse_text(&tree, span_of(text), PARSE_WHOLE, &problems), 0);
	task.root = tree.root;
	keys_provide(&task, &problems);
	for (uint32_t i = 0; i < problems.count; i++)
		found = found || problems.items[i].id == id;
	tree_fini(&tree);
	return found;
}

static void test_slots_warn_before_a_commit_makes_them_anew(void **state)
{
	char *first, *second;

	run(ZONES SCREEN("web.example.jp"));
	first = held("screen");
	assert_false(warns(ZONES SCREEN("web.example.jp"), PROBLEM_SLOT_ANEW));
	assert_true(warns(ZONES SCREEN("other.example.jp"), PROBLEM_SLOT_ANEW));
	assert_false(warns(ZONES SCREEN("web.example.jp"), PROBLEM_SLOT_OF_ZONES));
	assert_true(warns(ZONES SCREEN("web.example.jp") MAIL("screen"), PROBLEM_SLOT_OF_ZONES));
	second = held("screen");
	assert_string_equal(first, second);
	free(first);
	free(second);
}

#define SECRET "Uguisu-31/desk"

/* This person asks, whose answer has so much room; the caller ends its text. */
static struct asking as(const char *person, size_t room)
{
	struct asking a = {.c = &f.c, .link = &f.c.links[0], .fd = -1};

	(void)snprintf(f.c.links[0].person, sizeof(f.c.links[0].person), "%s", person);
	bytes_init(&a.text, room);
	return a;
}

/* A password is proposed; one that waited is dropped for @dropped, NULL: none did. Return: a
 * descriptor of the file in which it is kept. */
static int propose_behind(const char *dropped)
{
	struct slots_content what = {
		.kind = KEYS_IS_PASSWORD, .slot = "desk", .content = span_of(SECRET)};
	struct asking a = as("yamada", TLS_PEM_BYTES_MAX);
	int fd;

	assert_int_equal(proposal_load_make(&a, &what), CONSOLE_OK);
	if (dropped != NULL)
		assert_int_equal(next_event(dropped), EVENT_LOAD_DROPPED);
	assert_int_equal(proposal_load_make(&a, &what), CONSOLE_FAILED); /* one waits */
	bytes_fini(&a.text);
	assert_int_equal(next_event("desk"), EVENT_LOAD_PROPOSED);
	fd = openat(f.place.dir, "proposed", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int propose(void)
{
	return propose_behind(NULL);
}

/* Whether the file has the secret still, whatever its name is by now. */
static bool holds_secret(int fd)
{
	static char text[8192];
	ssize_t size = pread(fd, text, sizeof(text), 0);

	assert_true(size > 0);
	return memmem(text, (size_t)size, SECRET, strlen(SECRET)) != NULL;
}

static void assert_wiped(int fd, const char *why)
{
	assert_int_equal(next_event(why), EVENT_LOAD_DROPPED);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	assert_false(proposal_load_waits(&f.c));
	assert_false(holds_secret(fd));
	assert_int_equal(faccessat(f.place.dir, "proposed", F_OK, 0), -1);
	(void)close(fd);
}

/* Half a proposal that a crash has left is a secret as well. */
static void test_slots_secret_left_by_a_crash_is_wiped(void **state)
{
	int fd = openat(f.place.dir, FILE_STAGED, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(file_write_all(fd, span_of(SECRET)), 0);
	run(ZONES);
	later(60);
	assert_false(holds_secret(fd));
	assert_int_equal(faccessat(f.place.dir, FILE_STAGED, F_OK, 0), -1);
	(void)close(fd);
}

/* Nobody waits for the minute: the next one does not only take the name of the old one. */
static void test_slots_proposed_secret_is_wiped_by_the_next_one(void **state)
{
	int first, second;

	run(ZONES);
	first = propose();
	f.c.running_entry.number++;
	second = propose_behind("another configuration runs");
	assert_false(holds_secret(first));
	assert_true(holds_secret(second));
	(void)close(first);
	(void)close(second);
}

/* On top of a commit that is under way it would be lost, without a word to who proposed it. */
static void test_slots_nothing_is_proposed_during_a_commit(void **state)
{
	struct slots_content what = {
		.kind = KEYS_IS_PASSWORD, .slot = "desk", .content = span_of(SECRET)};
	struct asking a = as("yamada", TLS_PEM_BYTES_MAX);

	run(ZONES);
	f.c.commit.active = true;
	assert_int_equal(proposal_load_make(&a, &what), CONSOLE_FAILED);
	f.c.commit.active = false;
	assert_false(proposal_load_waits(&f.c));
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	bytes_fini(&a.text);
}

/* A proposal for a slot of authorities, with a text of the answer of so many bytes. */
static void show(size_t bytes)
{
	struct asking a = as("tanaka", bytes);

	assert_true(proposal_load_show(&a));
	bytes_fini(&a.text);
}

/* Whoever was shown a part has not seen what would be trusted. */
static void test_slots_proposal_that_was_not_shown_whole_cannot_be_approved(void **state)
{
	struct slots_content what = {.kind = KEYS_IS_AUTHORITY, .slot = "inner"};
	struct asking a = as("yamada", TLS_PEM_BYTES_MAX);
	char *pem;

	run(ZONES SCREEN("web.example.jp"));
	pem = held("screen");
	what.content = span_of(pem);
	assert_int_equal(proposal_load_make(&a, &what), CONSOLE_OK);
	show(300);
	assert_string_equal(f.c.links[0].shown, "");
	show(TLS_PEM_BYTES_MAX);
	assert_int_equal(strlen(f.c.links[0].shown), SHA256_HEX_BYTES - 1);
	bytes_fini(&a.text);
	free(pem);
}

/* That somebody has approved it is recorded before it is there. */
static void test_slots_approval_is_recorded_before_what_it_loads(void **state)
{
	struct console_request request = {.kind = CONSOLE_APPROVE};
	struct asking a;

	run(ZONES);
	(void)close(propose());
	a = as("tanaka", TLS_PEM_BYTES_MAX);
	a.request = &request;
	assert_true(proposal_load_show(&a));
	memcpy(request.line, f.c.links[0].shown, SHA256_HEX_BYTES);
	assert_int_equal(proposal_load_approve(&a), CONSOLE_OK);
	assert_int_equal(next_event("tanakayamada"), EVENT_CHANGE_APPROVED);
	assert_int_equal(next_event("tanakayamadadesk"), EVENT_PASSWORD_LOADED);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	bytes_fini(&a.text);
}

/* What is loaded ends the alarms of slots of its name; what of them still holds is said anew. */
static void test_slots_are_looked_at_behind_what_is_loaded(void **state)
{
	struct slots_content what = {.kind = KEYS_IS_AUTHORITY, .slot = "screen"};
	struct asking a = as("yamada", TLS_PEM_BYTES_MAX);
	char *pem;

	run(ZONES SCREEN("web.example.jp"));
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_MADE);
	pem = held("screen");
	load("screen", KEYS_IS_CERTIFICATE, pem, BEGAN_S);
	later((TLS_MADE_DAYS - 29) * (int64_t)DAY_S);
	assert_int_equal(next_event("expires within 30 days"), EVENT_CERTIFICATE_DEFECT);
	what.content = span_of(pem);
	assert_int_equal(slots_put(&a, &what, ""), CONSOLE_OK);
	assert_int_equal(next_event(NULL), EVENT_CERTIFICATE_LOADED);
	later(60);
	assert_int_equal(next_event("expires within 30 days"), EVENT_CERTIFICATE_DEFECT);
	assert_int_equal(next_event(NULL), EVENT_NONE_);
	bytes_fini(&a.text);
	free(pem);
}

static void test_slots_proposed_secret_is_wiped_when_its_time_is_over(void **state)
{
	int fd;

	run(ZONES);
	fd = propose();
	later(7L * DAY_S - 1);
	assert_true(proposal_load_waits(&f.c));
	assert_true(holds_secret(fd));
	later(60);
	assert_wiped(fd, "its time is overyamadadeskpassword");
}

static void test_slots_proposed_secret_is_wiped_behind_another_commit(void **state)
{
	int fd;

	run(ZONES);
	fd = propose();
	f.c.running_entry.number++;
	assert_false(proposal_load_waits(&f.c));
	assert_true(holds_secret(fd));
	later(60);
	assert_wiped(fd, "another configuration runsyamadadeskpassword");
}

/* One that was changed on the disk counts for nothing. */
static void test_slots_proposal_that_was_changed_is_wiped(void **state)
{
	int fd, changed;

	run(ZONES);
	fd = propose();
	changed = openat(f.place.dir, "proposed", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(changed, "x", 1, lseek(fd, 0, SEEK_END) - 1), 1);
	(void)close(changed);
	later(60);
	assert_wiped(fd, "it is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_slots_made_for_every_name_and_address_they_are_reached_by, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_slots_stay_while_nothing_changes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_with_other_names_are_made_anew_and_keep_their_key, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_slots_that_end_are_made_anew_with_another_key,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_made_ahead_of_time_are_made_anew_when_the_clock_is_right, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_slots_that_were_loaded_are_never_made_anew,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_made_here_that_are_damaged_are_made_anew,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_warn_before_a_commit_makes_them_anew,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_proposed_secret_is_wiped_when_its_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_proposed_secret_is_wiped_behind_another_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_proposal_that_was_changed_is_wiped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_key_ends_in_time_whatever_its_names,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_secret_left_by_a_crash_is_wiped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_slots_proposed_secret_is_wiped_by_the_next_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_nothing_is_proposed_during_a_commit,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_proposal_that_was_not_shown_whole_cannot_be_approved, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_slots_approval_is_recorded_before_what_it_loads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_are_looked_at_behind_what_is_loaded,
						setup, teardown),
	};

	tls_prepare();
	return cmocka_run_group_tests_name("config_slots", tests, NULL, NULL);
}

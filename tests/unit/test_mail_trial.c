/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `test mail`: whatever way a trial ends, its memory goes with it. The rest of the supervisor is
 * the test. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

static struct supervisor sup;
static struct snapshot_mail mails[1];
static struct child console, flattener;
static bool no_place, no_process;
static char answered[120]; /* the reason of the last answer to the console; "-": a good one */
static int descriptors_before;

/* ---- the rest of the supervisor */

struct child *child_add(struct supervisor *s, enum role role, uint32_t index,
			struct session *session, int tty_fd, bool is_tty)
{
	assert_int_equal(role, ROLE_MAIL_FLATTENER);
	flattener = (struct child){.sup = s, .role = role, .index = index};
	return no_place ? NULL : &flattener;
}

int child_launch(struct child *child)
{
	if (no_process)
		return -1;
	trial_outfit(child);
	return 0;
}

struct child *child_find(struct supervisor *s, enum role role, uint32_t index)
{
	return role == ROLE_CONSOLE && index == console.index ? &console : NULL;
}

void child_give(struct child *child, const struct control_give *give, int fd)
{
	assert_true(fd >= 0);
}

void child_send(struct child *child, uint16_t type, const void *body, size_t body_bytes,
		const int *fds, size_t fd_count)
{
	const struct control_flattened *flattened = body;

	assert_ptr_equal(child, &console);
	assert_int_equal(type, CONTROL_TESTED);
	(void)snprintf(answered, sizeof(answered), "%s", fd_count > 0 ? "-" : flattened->reason);
}

bool person_may(const struct child *child, uint32_t kind)
{
	return true;
}

/* ---- the console */

static int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

/* As the channel does: what the handler does not take is closed. */
static void ask(struct child *from, const char *entry)
{
	struct control_test_mail test = {0};
	int fd = memfd_create("mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct channel_message message = {.body = &test, .fds = &fd, .fd_count = 1};

	(void)snprintf(test.entry, sizeof(test.entry), "%s", entry);
	assert_int_equal(write(fd, "x\r\n", 3), 3);
	assert_int_equal(fcntl(fd, F_ADD_SEALS,
			       F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
			 0);
	answered[0] = '\0';
	assert_int_equal(trial_handle_test(NULL, from, &message), 0);
	if (fd >= 0)
		(void)close(fd);
}

static int setup(void **state)
{
	memset(&sup, 0, sizeof(sup));
	(void)snprintf(mails[0].name, sizeof(mails[0].name), "inbound");
	sup.running.snapshot.mails = mails;
	sup.running.snapshot.mail_count = 1;
	console = (struct child){.sup = &sup, .role = ROLE_CONSOLE, .index = 3, .pid = 77};
	no_place = no_process = false;
	descriptors_before = descriptors();
	return 0;
}

static void test_trial_that_cannot_begin_leaves_nothing_behind(void **state)
{
	for (int i = 0; i < 4; i++) {
		no_place = i % 2 == 0;
		no_process = i % 2 == 1;
		ask(&console, "inbound");
		assert_string_equal(answered, "no process for the mail");
		assert_int_equal(descriptors(), descriptors_before);
		assert_null(sup.trial.child);
	}
	no_process = false;
	ask(&console, "");
	assert_string_equal(answered, "");
	assert_ptr_equal(sup.trial.child, &flattener);
	trial_child_died(&flattener);
	assert_string_equal(answered, "the flattening process died");
	assert_int_equal(descriptors(), descriptors_before);
}

static void test_trial_ends_with_its_answer(void **state)
{
	struct control_flattened done = {.status = FLATTEN_DONE};
	struct child other = flattener;

	ask(&console, "inbound");
	assert_int_equal(trial_handle_flattened(&other, &done), -ERR_PEER);
	assert_string_equal(answered, "");
	assert_int_equal(trial_handle_flattened(&flattener, &done), 0);
	assert_string_equal(answered, "-");
	assert_int_equal(descriptors(), descriptors_before);
	trial_child_died(&flattener);
	assert_string_equal(answered, "-");
}

static void test_trial_is_one_at_a_time_and_of_an_entry_that_is_there(void **state)
{
	ask(&console, "nowhere");
	assert_string_equal(answered, "there is no such mail entry");
	ask(&console, "inbound");
	ask(&console, "inbound");
	assert_string_equal(answered, "another console is trying a mail; try again");
	trial_child_died(&flattener);
	assert_int_equal(descriptors(), descriptors_before);
}

/* A console that was started anew since is another person's. */
static void test_trial_answers_nobody_else(void **state)
{
	struct control_flattened done = {.status = FLATTEN_DONE};

	ask(&console, "inbound");
	console.pid = 78;
	assert_int_equal(trial_handle_flattened(&flattener, &done), 0);
	assert_string_equal(answered, "");
	assert_int_equal(descriptors(), descriptors_before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_trial_that_cannot_begin_leaves_nothing_behind, setup),
		cmocka_unit_test_setup(test_trial_ends_with_its_answer, setup),
		cmocka_unit_test_setup(test_trial_is_one_at_a_time_and_of_an_entry_that_is_there,
				       setup),
		cmocka_unit_test_setup(test_trial_answers_nobody_else, setup),
	};

	return cmocka_run_group_tests_name("mail_trial", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `test mail`: the real flattener, with memory in the place of the pipe to a mail-sender. */
#include "supervisor/sessions/trial.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "supervisor/supervisor.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* memory: nothing to be written back */
	*fd = -1;
}

static void forget(struct trial *trial)
{
	close_one(&trial->message_fd);
	close_one(&trial->output_fd);
	close_one(&trial->receipt_fd);
	trial->child = NULL;
}

/* The console that asked, where it is still the same. */
static struct child *find_console(struct supervisor *sup)
{
	struct child *console = child_find(sup, ROLE_CONSOLE, sup->trial.console);

	return console && console->pid == sup->trial.console_pid ? console : NULL;
}

static void answer_failed(struct child *console, const char *reason)
{
	struct control_flattened flattened = {.status = FLATTEN_FAILED};

	(void)snprintf(flattened.reason, sizeof(flattened.reason), "%s", reason);
	if (console)
		child_send(console, CONTROL_TESTED, &flattened, sizeof(flattened), NULL, 0);
}

static uint32_t find_mail(const struct snapshot *s, const char *name)
{
	for (uint32_t i = 0; i < s->mail_count; i++) {
		if (name[0] == '\0' || strcmp(s->mails[i].name, name) == 0)
			return i;
	}
	return SNAPSHOT_NONE;
}

/* Return: NULL, or why there is no trial. @message_fd: taken where it begins. */
static const char *begin(struct child *console, uint32_t entry, int *message_fd)
{
	struct supervisor *sup = console->sup;
	struct trial *trial = &sup->trial;
	uint64_t size_bytes;

	if (trial->child)
		return "another console is trying a mail; try again";
	if (entry == SNAPSHOT_NONE)
		return "there is no such mail entry";
	if (sealed_check(*message_fd, &size_bytes) < 0)
		return "the mail could not be taken over";
	*trial = (struct trial){.console = console->index,
				.console_pid = console->pid,
				.output_fd = memfd_create("flat", MFD_CLOEXEC | MFD_ALLOW_SEALING),
				.receipt_fd =
					memfd_create("receipt", MFD_CLOEXEC | MFD_ALLOW_SEALING),
				.message_fd = *message_fd};
	*message_fd = -1;
	trial->child = child_add(sup, ROLE_MAIL_FLATTENER, entry, NULL, -1, false);
	if (!trial->child) {
		forget(trial);
		return "no process for the mail";
	}
	if (trial->output_fd < 0 || trial->receipt_fd < 0 || child_launch(trial->child) < 0) {
		trial->child->state = CHILD_FREE;
		forget(trial);
		return "no process for the mail";
	}
	return NULL;
}

int trial_handle_test(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *console = ctx;
	struct control_test_mail test = *(const struct control_test_mail *)message->body;
	const char *why;

	test.entry[sizeof(test.entry) - 1] = '\0';
	if (!person_may(console, QUERY_TEST_FLOW))
		why = "nobody has logged in here";
	else
		why = begin(console, find_mail(&console->sup->running.snapshot, test.entry),
			    &message->fds[0]);
	if (why)
		answer_failed(console, why);
	return 0;
}

void trial_outfit(struct child *child)
{
	struct trial *trial = &child->sup->trial;

	child_give(child, &(struct control_give){.kind = GIVE_MESSAGE}, trial->message_fd);
	child_give(child, &(struct control_give){.kind = GIVE_OUTPUT}, trial->output_fd);
	child_give(child, &(struct control_give){.kind = GIVE_RECEIPT}, trial->receipt_fd);
	close_one(&trial->message_fd);
}

int trial_handle_flattened(struct child *child, const struct control_flattened *flattened)
{
	struct supervisor *sup = child->sup;
	struct trial *trial = &sup->trial;
	struct child *console = find_console(sup);
	int fds[2] = {trial->output_fd, trial->receipt_fd};

	if (child != trial->child)
		return -ERR_PEER;
	/* The console checks the seals. */
	(void)fcntl(fds[0], F_ADD_SEALS, SEALS);
	(void)fcntl(fds[1], F_ADD_SEALS, SEALS);
	if (console)
		child_send(console, CONTROL_TESTED, flattened, sizeof(*flattened), fds, 2);
	forget(trial);
	return 0;
}

void trial_child_died(struct child *child)
{
	struct supervisor *sup = child->sup;

	if (child != sup->trial.child)
		return;
	answer_failed(find_console(sup), "the flattening process died");
	forget(&sup->trial);
}

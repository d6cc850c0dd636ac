/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `test mail`: a mail that somebody pasted on a console is flattened, and goes nowhere. */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_TRIAL_H
#define SEKISHO_SUPERVISOR_SESSIONS_TRIAL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"

struct child;

/* The one trial at a time. */
struct trial {
	struct child *child; /* its flattener; NULL: none is running */
	uint32_t console;
	pid_t console_pid;
	int output_fd, receipt_fd; /* memory that the flattener writes into */
	int message_fd;            /* until the flattener has it; -1 */
};

/* From a console, CONTROL_TEST_MAIL. */
int trial_handle_test(struct channel *ch, void *ctx, const struct channel_message *message);
/* What the flattener is given before START. */
void trial_outfit(struct child *child);
/* It has finished. Return: 0 or -ERR_PEER: it was not asked. */
struct control_flattened;
int trial_handle_flattened(struct child *child, const struct control_flattened *flattened);
void trial_child_died(struct child *child);

#endif

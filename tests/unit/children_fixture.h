/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes of a supervisor that do not run: a test speaks for them. */
#ifndef SEKISHO_TESTS_CHILDREN_FIXTURE_H
#define SEKISHO_TESTS_CHILDREN_FIXTURE_H

#include "supervisor/supervisor.h"
#include "unit.h"

/**
 * children_put - a process that is ready, in a slot of its own
 * @which: the slot; its pid is 100 behind
 * Return: the other end of its channel, which is the caller's.
 */
static inline int children_put(struct supervisor *sup, unsigned which, enum role role)
{
	struct child *child = &sup->children[which];
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	*child = (struct child){.sup = sup,
				.state = CHILD_READY,
				.role = role,
				.pid = 100 + (pid_t)which,
				.is_tty = role == ROLE_CONSOLE};
	channel_init(&child->control, fds[0], NULL, 0, child);
	return fds[1];
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zones an operator has isolated, kept over commits and restarts: in a directory of the
 * state, an empty file for each, so that there is nothing to parse and nothing to half write.
 */
#ifndef SEKISHO_SUPERVISOR_ISOLATION_ISOLATION_H
#define SEKISHO_SUPERVISOR_ISOLATION_ISOLATION_H

#include <stdbool.h>
#include <stddef.h>

/* What is noted of an isolation by a person; by an alarm: its kind. */
#define ISOLATED_BY_OPERATOR "operator"

/* What is answered where isolation_keep failed. */
#define ISOLATED_UNKEPT                                                                            \
	"isolated, but only until the next start: the state directory cannot be written"

/* The directory below @state_fd. Return: a descriptor or -ERR_SYSTEM. */
int isolation_open(int state_fd);

/* Whether zone @name is to be isolated; true also where that cannot be found out. */
bool isolation_holds(int isolation_fd, const char *name);

/**
 * isolation_keep - keep it on disk, or that it has ended
 * @why: noted with it, if it was not there before and the disk takes it; NULL: it has ended
 * Return: 0 or -ERR_SYSTEM.
 */
int isolation_keep(int isolation_fd, const char *name, const char *why);

/* What was noted; empty: nothing. */
void isolation_why(int isolation_fd, const char *name, char *why, size_t why_bytes);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes in reserve: started, confined and sandboxed before anybody needs them, so that a mail
 * does not wait for that. One in reserve holds its control and events channels and nothing else: no
 * policy, no key, no byte of a peer; it serves one session or message and ends, like any other (ADR
 * 0202 and ADR 0204).
 */
#ifndef SEKISHO_SUPERVISOR_RESERVE_H
#define SEKISHO_SUPERVISOR_RESERVE_H

#include "base/loop.h"
#include "channel/control.h"

struct supervisor;
struct session;
struct child;

struct reserve {
	struct loop_timer timer; /* to the next process that is started */
};

/* The running policy has changed: keep a reserve where it has mail entries, and none where not. */
void reserve_begin(struct supervisor *sup);

/**
 * reserve_take - a process of the reserve that begins to serve
 * @role:    of table_roles, with in_reserve above 0
 * @session: that it serves from now on; it is given all that outfit.c has for it, and START
 * Return: the process, or NULL where none waits: the caller starts one.
 */
struct child *reserve_take(struct supervisor *sup, enum role role, struct session *session);

/* One that waited has died. */
void reserve_child_died(struct child *child);

#endif

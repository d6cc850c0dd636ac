/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else changes the rules of a zone: told by the kernel, with every transaction that is not
 * ours (ADR 419). */
#ifndef SEKISHO_NETFILTER_ALTERED_H
#define SEKISHO_NETFILTER_ALTERED_H

#include <stdbool.h>
#include <stdint.h>

#define ALTERED_PROGRAM_BYTES 16 /* as the kernel names programs */

/* Who changed them; empty and 0 where the kernel could not tell. */
struct altered_by {
	char program[ALTERED_PROGRAM_BYTES];
	uint32_t pid;
};

/**
 * altered_subscribe - have the kernel tell of changes of a namespace's rules
 * @fd:       NETLINK_NETFILTER socket of the namespace, used for nothing else
 * @rules_fd: the one that our own changes are sent by, and that has been sent by before; they are
 *            kept from @fd in the kernel, so that it cannot be filled by us
 * Return: 0 or -ERR_SYSTEM.
 */
int altered_subscribe(int fd, int rules_fd);

/**
 * altered_read - read what the kernel has told, without waiting
 * @by: the last that is known
 * Return: whether anybody else has changed the rules since the last call. News that the kernel had
 * no room for count as a change.
 */
bool altered_read(int fd, struct altered_by *by);

#endif

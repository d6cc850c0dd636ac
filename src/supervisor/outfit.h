/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each role is given before START, and the channels between processes. */
#ifndef SEKISHO_SUPERVISOR_OUTFIT_H
#define SEKISHO_SUPERVISOR_OUTFIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct child;
struct supervisor;

/* The netlink sockets of each zone that netfilter is given: enum give_kind. */
extern const uint32_t outfit_zone_kinds[];
extern const size_t outfit_zone_kind_count;
/* Whether this netfilter process is given sockets of a kind: one that serves a share has only
 * queues. */
bool outfit_is_for(const struct child *netfilter, uint32_t kind);
void outfit_give(struct child *child);
/* The file of a slot of keys, read only. @what: KEYS_CERTIFICATE or KEYS_AUTHORITY. Return: a
 * descriptor, or -1: no such slot, or it is empty. */
int outfit_open_slot(const struct supervisor *sup, const char *slot, const char *what);
/* Give audit the reading end of a process's events. */
void outfit_share_events(struct child *child);
/* A process has died: audit has its own copy of the reading end, or will get this one. */
void outfit_drop_events(struct child *child);
void outfit_accounts_ready(struct child *accounts); /* it gets the consoles */
/* Join a console, at which somebody sits, and config by a channel. */
void outfit_link_config(struct child *console);

#endif

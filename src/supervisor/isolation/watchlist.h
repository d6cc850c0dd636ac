/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones and stations that stand on the watch list after their isolation has ended (C7, ADR 420): in
 * memory, and as one checksummed file below the state, so that it lasts over a restart.
 */
#ifndef SEKISHO_SUPERVISOR_ISOLATION_WATCHLIST_H
#define SEKISHO_SUPERVISOR_ISOLATION_WATCHLIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "channel/watched.h"

#define WATCHLIST_PERSON_BYTES 24

struct watch {
	struct watched watched;
	int64_t since_s;                 /* when the isolation ended */
	char by[WATCHLIST_PERSON_BYTES]; /* who ended it; empty: nobody in particular */
};

struct watchlist {
	int dir;       /* borrowed: of the state */
	uint64_t last; /* number */
	size_t count;
	struct watch list[WATCHED_MAX]; /* by number */
	struct loop_timer timer;
};

/**
 * watchlist_load - what watchlist_add and watchlist_end have kept below @state_fd
 * @state_fd: borrowed for the life of @w
 * Return: 0, also where there is no file; -ERR_INTEGRITY, -ERR_SYSTEM: the list is empty.
 */
int watchlist_load(struct watchlist *w, int state_fd);

/**
 * watchlist_add - begin to watch; what is watched already under this name ends before
 * @new: copied; its number is set
 * @out: what gave way: one of the same name, or, on a full list, the one that would end first;
 * number 0: none
 * Return: 0; an error of file_replace: it stands until the next start only.
 */
int watchlist_add(struct watchlist *w, struct watch *new, struct watch *out);

/**
 * watchlist_end - end the watch of this number
 * @out: what it was
 * Return: 0; -ERR_NOT_FOUND; an error of file_replace: it has ended until the next start only.
 */
int watchlist_end(struct watchlist *w, uint64_t number, struct watch *out);

/* The number of one whose time was over at @now_s; 0: there is none. */
uint64_t watchlist_over(const struct watchlist *w, int64_t now_s);

struct supervisor;
struct child;
struct answer;

/* query/watch.c */

/* At the start: load the list, say what cannot be read, and end what is over from time to time. */
void watch_start(struct supervisor *sup);
/**
 * watch_begin - the isolation of @name ends: watch it for as long as the running policy says
 * @station: NULL: @name is a zone
 * @why: what it was isolated for
 */
void watch_begin(struct supervisor *sup, const char *name, const struct station_shut *station,
		 const char *why, const char *person);
/* Give the arbiter the list. Return: 0 or an error. */
int watch_give(struct supervisor *sup, struct child *arbiter);

void answer_watch(struct supervisor *sup, struct answer *answer);
void answer_clear_watch(struct supervisor *sup, struct answer *answer);

#endif

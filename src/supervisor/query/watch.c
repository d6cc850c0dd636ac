/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watch list as consoles see it, and how it comes to the arbiter (C7). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "base/utf8.h"
#include "supervisor/query/query.h"

#define NS_PER_S      1000000000
#define LOOK_MS       10000U /* between two looks whose time is over */
#define COMMENT_BYTES 96

static int64_t now_s(const struct supervisor *sup)
{
	return clock_wall_ns(sup->loop.clock) / NS_PER_S;
}

/* ---- to the arbiters */

int watch_give(struct supervisor *sup, struct child *arbiter)
{
	struct watched list[WATCHED_MAX];
	int fd, err;

	for (size_t i = 0; i < sup->watchlist.count; i++)
		list[i] = sup->watchlist.list[i].watched;
	err = sealed_make(
		"watched",
		(struct span){(const uint8_t *)list, sup->watchlist.count * sizeof(list[0])}, &fd);
	if (err < 0)
		return err;
	child_give(arbiter, &(struct control_give){.kind = GIVE_WATCHED}, fd);
	(void)close(fd); /* the arbiter has its own copy */
	return 0;
}

static void tell_arbiters(struct supervisor *sup)
{
	for (uint32_t share = 0; share < SNAPSHOT_QUEUES_MAX; share++) {
		struct child *arbiter = child_find(sup, ROLE_ARBITER, share);

		if (child_is_alive(arbiter) && watch_give(sup, arbiter) < 0)
			child_kill(arbiter, "the watch list could not be given");
	}
}

/* ---- entries come and go */

static void tell_unsaved(struct supervisor *sup, const char *name, int err)
{
	supervisor_event(sup, EVENT_WATCH_UNSAVED, EV_TEXT(NAME, name),
			 EV_TEXT(ERROR, err_name(err)));
}

static void tell_ended(struct supervisor *sup, const struct watch *one, const char *reason,
		       const char *person, const char *comment)
{
	supervisor_event(sup, EVENT_WATCH_ENDED, EV_NUMBER(WATCH, one->watched.number),
			 EV_TEXT(NAME, one->watched.name), EV_TEXT(REASON, reason),
			 EV_TEXT(USER, person), EV_TEXT(COMMENT, comment));
}

void watch_begin(struct supervisor *sup, const char *name, const struct station_shut *station,
		 const char *why, const char *person)
{
	uint32_t seconds = sup->running.fd >= 0 ? sup->running.snapshot.header->watch_s
						: SNAPSHOT_WATCH_S_DEFAULT;
	struct watch new = {.since_s = now_s(sup)}, gone;
	int err;

	new.watched.until_s = new.since_s + seconds;
	if (station != NULL)
		new.watched.station = *station;
	(void)snprintf(new.watched.name, sizeof(new.watched.name), "%s", name);
	(void)snprintf(new.watched.why, sizeof(new.watched.why), "%s", why);
	(void)snprintf(new.by, sizeof(new.by), "%s", person);
	err = watchlist_add(&sup->watchlist, &new, &gone);
	if (gone.watched.number != 0)
		tell_ended(sup, &gone, "another one took its place", person, "");
	supervisor_event(sup, EVENT_WATCH_BEGUN, EV_NUMBER(WATCH, new.watched.number),
			 EV_TEXT(NAME, name), EV_TEXT(REASON, new.watched.why),
			 EV_NUMBER(DURATION_S, seconds), EV_TEXT(USER, person));
	if (err < 0)
		tell_unsaved(sup, name, err);
	tell_arbiters(sup);
}

static void end_those_over(struct supervisor *sup)
{
	int64_t now = now_s(sup);
	uint64_t number = watchlist_over(&sup->watchlist, now);
	struct watch gone;

	if (number == 0)
		return;
	for (; number != 0; number = watchlist_over(&sup->watchlist, now)) {
		int err = watchlist_end(&sup->watchlist, number, &gone);

		tell_ended(sup, &gone, "its time is over", "", "");
		if (err < 0)
			tell_unsaved(sup, gone.watched.name, err);
	}
	tell_arbiters(sup);
}

static void look(struct loop *loop, struct loop_timer *timer)
{
	end_those_over(timer->ctx);
	loop_arm(loop, timer, LOOK_MS);
}

void watch_start(struct supervisor *sup)
{
	int err = watchlist_load(&sup->watchlist, sup->state_fd);

	if (err < 0)
		tell_unsaved(sup, "the list: it cannot be read", err);
	sup->watchlist.timer = (struct loop_timer){.fire = look, .ctx = sup};
	look(&sup->loop, &sup->watchlist.timer);
}

/* ---- shown, and ended by an operator */

static void row_of(struct answer *answer, const struct watch *one)
{
	answer_cell(answer, "%" PRIu64, one->watched.number);
	answer_cell(answer, one->watched.station.size == 0 ? "zone" : "station");
	answer_cell(answer, "%s", one->watched.name);
	answer_cell(answer, "%s", one->watched.why);
	answer_when(answer, one->since_s, "");
	answer_when(answer, one->watched.until_s, "");
	answer_cell(answer, "%s", one->by);
	answer_send(answer, 0);
}

void answer_watch(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {"watch",    "what",  "name", "isolated for",
					       "restored", "until", "by"};

	answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	for (size_t i = 0; i < sup->watchlist.count; i++)
		row_of(answer, &sup->watchlist.list[i]);
	answer_send(answer, CONTROL_ROW_LAST);
}

void answer_clear_watch(struct supervisor *sup, struct answer *answer)
{
	char comment[COMMENT_BYTES], *rest;
	unsigned long number = strtoul(answer->query->argument, &rest, 10);
	struct watch gone;
	int err;

	utf8_one_line(comment, sizeof(comment), span_trim(span_of(rest)));
	if (rest == answer->query->argument || *rest != ' ' || comment[0] == '\0') {
		answer_error(answer, "allowed: the number of a watch, and a comment");
		return;
	}
	err = watchlist_end(&sup->watchlist, number, &gone);
	if (err == -ERR_NOT_FOUND) {
		answer_error(answer, "no watch has this number: show watch");
		return;
	}
	tell_ended(sup, &gone, "operator", answer->console->person, comment);
	tell_arbiters(sup);
	if (err < 0) {
		tell_unsaved(sup, gone.watched.name, err);
		answer_error(answer, "ended, but only until the next start: the state directory "
				     "cannot be written");
		return;
	}
	answer_cell(answer, "%lu", number);
	answer_cell(answer, "ended");
	answer_send(answer, CONTROL_ROW_LAST);
}

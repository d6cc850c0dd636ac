/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Emergencies as consoles see them: listed when they begin, shown, acknowledged by somebody else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "supervisor/query/query.h"

#define NS_PER_S 1000000000

static int64_t now_s(const struct supervisor *sup)
{
	return clock_wall_ns(sup->loop.clock) / NS_PER_S;
}

/* ---- they begin */

static void tell(struct supervisor *sup, enum event_id id, const struct emergency *one)
{
	supervisor_event(sup, id, EV_NUMBER(EMERGENCY, one->number),
			 EV_TEXT(USER, one->who[0].name), EV_TEXT(NAME, one->who[1].name),
			 EV_TEXT(DETAIL, one->what), EV_TEXT(REASON, one->why));
}

static void tell_unsaved(struct supervisor *sup, const struct emergency *one, int err)
{
	supervisor_event(sup, EVENT_EMERGENCY_UNSAVED, EV_TEXT(USER, one->who[0].name),
			 EV_TEXT(NAME, one->who[1].name), EV_TEXT(DETAIL, one->what),
			 EV_TEXT(REASON, one->why), EV_TEXT(ERROR, err_name(err)));
}

void emergency_by_console(struct supervisor *sup, const struct child *console, const char *what,
			  const char *name, const char *why)
{
	struct emergency one = {.time_s = now_s(sup)};
	int err;

	(void)snprintf(one.what, sizeof(one.what), "%s %.64s", what, name);
	utf8_one_line(one.why, sizeof(one.why), span_trim(span_of(why)));
	(void)snprintf(one.who[0].name, sizeof(one.who[0].name), "%s", console->person);
	(void)snprintf(one.who[0].hands, sizeof(one.who[0].hands), "%s", console->hands);
	/* Before there are persons nobody else is there to acknowledge it. */
	if (console->person[0] == '\0' ||
	    emergencies_has_open(&sup->emergencies, &one.who[0], one.what))
		return;
	err = emergencies_open(&sup->emergencies, &one);
	if (one.number != 0)
		tell(sup, EVENT_EMERGENCY_OPENED, &one);
	if (err < 0)
		tell_unsaved(sup, &one, err);
}

/* As a person of our own tables; what config sends is not believed to end. */
static struct emergency_person copy_person(const struct emergency_person *from)
{
	struct emergency_person person = {0};

	utf8_one_line(person.name, sizeof(person.name),
		      (struct span){(const uint8_t *)from->name,
				    strnlen(from->name, sizeof(from->name))});
	utf8_one_line(person.hands, sizeof(person.hands),
		      (struct span){(const uint8_t *)from->hands,
				    strnlen(from->hands, sizeof(from->hands))});
	return person;
}

int emergency_of_change(struct supervisor *sup, const struct control_emergency *change)
{
	struct emergency one = {.time_s = now_s(sup),
				.who = {copy_person(&change->author),
					copy_person(&change->approver)}};
	int err;

	(void)snprintf(one.what, sizeof(one.what), "change: configuration %" PRIu32,
		       change->number);
	utf8_one_line(one.why, sizeof(one.why),
		      (struct span){(const uint8_t *)change->reason,
				    strnlen(change->reason, sizeof(change->reason))});
	err = emergencies_open(&sup->emergencies, &one);
	if (err == 0) {
		tell(sup, EVENT_EMERGENCY_OPENED, &one);
		return 0;
	}
	if (one.number != 0)
		emergencies_withdraw(&sup->emergencies);
	tell_unsaved(sup, &one, err);
	return err;
}

#define RECOVERY "recovery at the terminal"

uint32_t emergency_of_recovery(struct supervisor *sup)
{
	struct emergency one = {.time_s = now_s(sup)};
	int err;

	(void)snprintf(one.what, sizeof(one.what), RECOVERY);
	err = emergencies_open(&sup->emergencies, &one);
	if (err == 0) {
		tell(sup, EVENT_EMERGENCY_OPENED, &one);
		return one.number;
	}
	if (one.number != 0)
		emergencies_withdraw(&sup->emergencies);
	tell_unsaved(sup, &one, err);
	return 0;
}

/* Whether somebody else could log in, as far as the configuration goes. */
static bool has_others(const struct supervisor *sup, const char *name)
{
	const struct snapshot *s = &sup->running.snapshot;

	for (uint32_t i = 0; sup->running.fd >= 0 && i < s->person_count; i++) {
		if (strcmp(s->persons[i].name, name) != 0 && !s->persons[i].suspended &&
		    now_s(sup) < s->persons[i].expires_s)
			return true;
	}
	return false;
}

int emergency_recovers(struct supervisor *sup, uint32_t number, const char *name)
{
	struct emergency_person who = {0};
	char what[EMERGENCY_WHAT_BYTES] = RECOVERY;
	int err;

	if (name != NULL && name[0] == '\0')
		(void)snprintf(what, sizeof(what), RECOVERY ": the first administrator");
	else if (name != NULL)
		(void)snprintf(what, sizeof(what), RECOVERY ": password of %.24s", name);
	if (name != NULL && name[0] != '\0' && has_others(sup, name))
		(void)snprintf(who.name, sizeof(who.name), "%s", name);
	err = emergencies_amend(&sup->emergencies, number, what, &who);
	if (err < 0 && emergencies_find(&sup->emergencies, number) != NULL)
		tell_unsaved(sup, emergencies_find(&sup->emergencies, number), err);
	return err;
}

void emergencies_tell(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->emergencies.count; i++) {
		if (sup->emergencies.list[i].closed_s == 0)
			tell(sup, EVENT_EMERGENCY_STANDS, &sup->emergencies.list[i]);
	}
	if (sup->emergencies.dir < 0)
		supervisor_event(sup, EVENT_EMERGENCY_UNSAVED,
				 EV_TEXT(DETAIL, "the list: it cannot be opened"),
				 EV_TEXT(ERROR, err_name(-ERR_SYSTEM)));
}

/* ---- shown */

static void row_of(struct supervisor *sup, struct answer *answer, const struct emergency *one)
{
	int64_t due_s = one->time_s + EMERGENCY_DUE_S;
	bool second = one->who[1].name[0] != '\0';

	answer_cell(answer, "%" PRIu32, one->number);
	answer_when(answer, one->time_s, "");
	answer_when(answer, due_s, one->closed_s == 0 && now_s(sup) >= due_s ? " (overdue)" : "");
	answer_cell(answer, "%s%s%s", one->who[0].name, second ? ", " : "", one->who[1].name);
	answer_cell(answer, "%s", one->what);
	answer_cell(answer, "%s", one->why);
	answer_cell(answer, "%s", one->closer.name);
	answer_when(answer, one->closed_s, "");
	answer_cell(answer, "%s", one->comment);
	answer_send(answer, 0);
}

void answer_emergencies(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {
		"emergency",       "time",         "due",    "by", "what", "why",
		"acknowledged by", "acknowledged", "comment"};
	bool open_only = strcmp(answer->query->argument, "open") == 0, headed = false;

	if (open_only)
		(void)zeroise_show_proposed(sup, answer); /* the rows tell */
	for (size_t i = 0; i < sup->emergencies.count; i++) {
		const struct emergency *one = &sup->emergencies.list[i];

		if (open_only && one->closed_s != 0)
			continue;
		if (!headed)
			answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
		headed = true;
		row_of(sup, answer, one);
	}
	if (!headed && !open_only)
		answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	answer_send(answer, CONTROL_ROW_LAST);
}

/* ---- acknowledged */

static void tell_closing(struct supervisor *sup, const struct child *console,
			 const struct emergency *one, const char *comment)
{
	supervisor_event(sup, EVENT_EMERGENCY_ACKNOWLEDGED, EV_NUMBER(EMERGENCY, one->number),
			 EV_PERSON(USER, console->person, console->index),
			 EV_TEXT(NAME, one->who[0].name), EV_TEXT(DETAIL, one->what),
			 EV_TEXT(COMMENT, comment));
}

static void refuse(struct supervisor *sup, struct answer *answer, uint32_t number, int err)
{
	if (err == -ERR_NOT_FOUND) {
		answer_error(answer, "no open emergency has this number: show emergencies");
	} else if (err == -ERR_DENIED) {
		supervisor_event(sup, EVENT_EMERGENCY_NOT_ACKNOWLEDGED,
				 EV_NUMBER(EMERGENCY, number),
				 EV_PERSON(USER, answer->console->person, answer->console->index));
		answer_error(answer, "another person must acknowledge it, whose password those "
				     "who did it did not issue");
	} else {
		answer_error(answer, "the state directory cannot be written; it stays open");
	}
}

void answer_acknowledge(struct supervisor *sup, struct answer *answer)
{
	struct emergency_person closer = {0};
	char comment[EMERGENCY_TEXT_BYTES], *rest;
	unsigned long number = strtoul(answer->query->argument, &rest, 10);
	int err;

	utf8_one_line(comment, sizeof(comment), span_trim(span_of(rest)));
	if (rest == answer->query->argument || *rest != ' ' || comment[0] == '\0' ||
	    number > UINT32_MAX) {
		answer_error(answer, "allowed: the number of an emergency, and a comment");
		return;
	}
	(void)snprintf(closer.name, sizeof(closer.name), "%s", answer->console->person);
	(void)snprintf(closer.hands, sizeof(closer.hands), "%s", answer->console->hands);
	err = emergencies_close(&sup->emergencies, (uint32_t)number, &closer, comment, now_s(sup));
	if (err < 0) {
		refuse(sup, answer, (uint32_t)number, err);
		return;
	}
	tell_closing(sup, answer->console, emergencies_find(&sup->emergencies, (uint32_t)number),
		     comment);
	answer_cell(answer, "%lu", number);
	answer_cell(answer, "acknowledged");
	answer_send(answer, CONTROL_ROW_LAST);
}

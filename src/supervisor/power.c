/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A person has the machine rebooted or switched off (ADR 812). The record of it is on the disk
 * first; then the gateway ends as on SIGTERM, and process 1 does the rest by the exit status.
 */
#include <string.h>

#include "channel/machine.h"
#include "supervisor/power.h"

#define UNRECORDED "it could not be recorded in the log, and is not done"

static const char *what(const struct control_query *query)
{
	return query->kind == QUERY_REBOOT ? "reboot" : "shutdown";
}

void answer_power(struct supervisor *sup, struct answer *answer)
{
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body = {0};

	if (!sup->options.own_machine) {
		answer_error(answer, "this machine is not the gateway's own: end it where it was "
				     "started");
		return;
	}
	if (sup->power.record != 0 || sup->stopping || zeroise_is_under_way(sup)) {
		answer_error(answer, "the end of the machine is under way");
		return;
	}
	if (!child_is_alive(audit)) {
		answer_error(answer, UNRECORDED);
		return;
	}
	supervisor_event(sup, EVENT_MACHINE_ENDS, EV_TEXT(DETAIL, what(answer->query)),
			 EV_PERSON(USER, answer->console->person, answer->console->index));
	body.number = ++sup->record_serial;
	sup->power = (struct power){.record = body.number, .query = *answer->query};
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
}

static void tell(struct supervisor *sup, const struct control_query *query, const char *why)
{
	struct child *console = child_find(sup, ROLE_CONSOLE, query->console);
	struct answer answer;

	if (!console || strcmp(console->person, query->person) != 0)
		return;
	answer_begin(&answer, console, query);
	if (why) {
		answer_error(&answer, why);
		return;
	}
	answer_cell(&answer, "%s", what(query));
	answer_cell(&answer, "the gateway ends in order");
	answer_send(&answer, CONTROL_ROW_LAST);
}

/* The log must not end with what is not done. */
static void forget(struct supervisor *sup, const char *why)
{
	const struct control_query *query = &sup->power.query;

	sup->power.record = 0;
	supervisor_event(sup, EVENT_MACHINE_STAYS, EV_TEXT(DETAIL, what(query)),
			 EV_TEXT(REASON, why), EV_PERSON(USER, query->person, query->console));
}

void power_recorded(struct supervisor *sup, const struct control_recorded *recorded)
{
	struct control_query query = sup->power.query;

	if (sup->power.record == 0 || recorded->number != sup->power.record)
		return;
	if (!recorded->ok) {
		forget(sup, "unrecorded");
		tell(sup, &query, UNRECORDED);
		return;
	}
	sup->power.record = 0;
	tell(sup, &query, NULL);
	sup->exit_status = query.kind == QUERY_REBOOT ? MACHINE_REBOOT : MACHINE_SHUTDOWN;
	supervisor_stop(sup, EV_TEXT(REASON, what(&query)));
}

void power_unrecorded(struct supervisor *sup)
{
	struct control_query query = sup->power.query;

	if (sup->power.record == 0)
		return;
	forget(sup, "unrecorded");
	tell(sup, &query, UNRECORDED);
}

void power_withdraw(struct supervisor *sup, const struct child *console, uint32_t number)
{
	if (sup->power.record != 0 && sup->power.query.console == console->index &&
	    sup->power.query.number == number)
		forget(sup, "withdrawn");
}

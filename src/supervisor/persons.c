/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sits at which console, as accounts says, and what the console is served for it. A console
 * has a channel to config only while somebody sits there; its questions are answered as far as the
 * person's role goes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/account.h"
#include "channel/person.h"
#include "supervisor/power.h"
#include "supervisor/supervisor.h"

#define END_MS 1000U /* for a console to print why it ends */

#define MAY(role) (1U << (role))
#define MAY_ALL   (MAY(ACCOUNT_ADMINISTRATOR) | MAY(ACCOUNT_OPERATOR) | MAY(ACCOUNT_AUDITOR))
#define MAY_RUN   (MAY(ACCOUNT_ADMINISTRATOR) | MAY(ACCOUNT_OPERATOR))

/* What is not listed is the administrator's. */
static const unsigned allowed[] = {
	[QUERY_SEPARATION] = MAY_ALL,
	[QUERY_ZONES] = MAY_ALL,
	[QUERY_FLOWS] = MAY_ALL,
	[QUERY_CROSSINGS] = MAY_ALL,
	[QUERY_MAIL] = MAY_ALL,
	[QUERY_SCREEN] = MAY_ALL,
	[QUERY_LOG] = MAY_ALL,
	[QUERY_PROCESSES] = MAY_ALL,
	[QUERY_ISOLATE] = MAY_RUN,
	[QUERY_RESTORE] = MAY_RUN,
	[QUERY_TEST_FLOW] = MAY_ALL,
	[QUERY_MAIL_LOG] = MAY_ALL,
	[QUERY_RECEIPT] = MAY_ALL,
	[QUERY_DEVICE_KEY] = MAY_ALL,
	[QUERY_CLEAR_SCREEN] = MAY_RUN,
	[QUERY_ALARMS] = MAY_ALL,
	[QUERY_LOG_FILES] = MAY_ALL,
	[QUERY_SIGN] = MAY_ALL,
	[QUERY_PERMITS] = MAY_ALL,
	[QUERY_ISOLATED] = MAY_ALL,
	[QUERY_ISOLATE_STATION] = MAY_RUN,
	[QUERY_RESTORE_STATION] = MAY_RUN,
	[QUERY_EMERGENCIES] = MAY_ALL,
	[QUERY_ACKNOWLEDGE] = MAY_ALL,
	[QUERY_TIME] = MAY_ALL,
	[QUERY_TIMELINE] = MAY_ALL,
	[QUERY_SEEN] = MAY_ALL,
	[QUERY_WATCH] = MAY_ALL,
	[QUERY_CLEAR_WATCH] = MAY_RUN,
	[QUERY_RULES] = MAY_ALL,
	[QUERY_LINKS] = MAY_ALL,
	[QUERY_RECORDINGS] = MAY_ALL,
	[QUERY_RECORDING] = MAY(ACCOUNT_AUDITOR),
	[QUERY_SHADOW_SCREEN] = MAY(ACCOUNT_AUDITOR),
	[QUERY_ISOLATE_ALL] = MAY_RUN,
	[QUERY_RESTORE_ALL] = MAY_RUN,
	[QUERY_REBOOT] = MAY_RUN,
	[QUERY_SHUTDOWN] = MAY_RUN,
	[QUERY_WIPE_PROPOSED] = MAY_ALL,
	[QUERY_FOLLOW] = MAY_ALL,
	[QUERY_USB] = MAY_ALL,
};

bool person_may(const struct child *console, uint32_t kind)
{
	unsigned roles = MAY(ACCOUNT_ADMINISTRATOR);

	if (kind < sizeof(allowed) / sizeof(allowed[0]) && allowed[kind] != 0)
		roles = allowed[kind];
	return (roles & MAY(console->person_role)) != 0 &&
	       console->person_role != ACCOUNT_ROLE_NONE;
}

/* The console is told to end, and why; one that does not is killed. A terminal's is started again.
 */
static void end_console(struct child *console, enum session_end why)
{
	const struct control_session_end body = {.why = why};

	console->person_role = ACCOUNT_ROLE_NONE;
	console->person[0] = '\0';
	console->waiting = (struct person_wait){0};
	if (!child_is_alive(console) || console->sup->stopping) /* then it has been told */
		return;
	child_send(console, CONTROL_STOP, &body, sizeof(body), NULL, 0);
	loop_arm(&console->sup->loop, &console->life, END_MS);
}

/* Who sits there or is about to; "": nobody. */
static const char *who_is_at(const struct child *console)
{
	return console->person[0] != '\0' ? console->person : console->waiting.name;
}

/* accounts would have recorded it, and is dead. */
static void record_end(struct supervisor *sup, uint32_t console, const char *name)
{
	if (name[0] != '\0')
		supervisor_event(sup, EVENT_LOGOUT, EV_PERSON(USER, name, console),
				 EV_TEXT(REASON, "accounts ended"));
}

void persons_console_died(const struct child *console)
{
	struct person_gone *gone = &console->sup->gone[console->index];
	const char *name = who_is_at(console);

	if (name[0] == '\0')
		return; /* the one before it may be untold still */
	gone->pid = (uint32_t)console->pid;
	(void)snprintf(gone->name, sizeof(gone->name), "%s", name);
}

void persons_forget(struct supervisor *sup)
{
	admission_forget(sup);
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		struct child *console = child_find(sup, ROLE_CONSOLE, i);

		record_end(sup, i, sup->gone[i].name);
		sup->gone[i] = (struct person_gone){0};
		if (!console || console->state != CHILD_READY) /* one that starts sees it itself */
			continue;
		record_end(sup, i, who_is_at(console));
		end_console(console, SESSION_END_ACCOUNTS);
	}
}

/* ---- letting in */

static void let_in(struct child *console, uint32_t role, const char *name, const char *hands)
{
	console->person_role = role;
	(void)snprintf(console->person, sizeof(console->person), "%s", name);
	(void)snprintf(console->hands, sizeof(console->hands), "%s", hands);
	outfit_link_config(console);
}

/* The record of a login is on the disk before the session begins (L1). */
static void wait_for_record(struct child *console, const struct control_person *person)
{
	struct child *audit = child_find(console->sup, ROLE_AUDIT, 0);
	struct control_record body = {.number = ++console->sup->record_serial};

	if (!child_is_alive(audit)) {
		end_console(console, SESSION_END_UNRECORDED);
		return;
	}
	console->waiting = (struct person_wait){.number = body.number, .role = person->role};
	(void)snprintf(console->waiting.name, sizeof(console->waiting.name), "%s", person->name);
	(void)snprintf(console->waiting.hands, sizeof(console->waiting.hands), "%s", person->hands);
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
}

int persons_handle_recorded(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct supervisor *sup = ((struct child *)ctx)->sup;
	const struct control_recorded *answer = message->body;

	first_recorded(sup, answer);
	recovery_recorded(sup, answer);
	shadows_recorded(sup, answer);
	power_recorded(sup, answer);
	zeroise_recorded(sup, answer);
	usb_recorded(sup, answer);
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		struct child *console = child_find(sup, ROLE_CONSOLE, i);
		struct person_wait waiting;

		if (!console || answer->number == 0 || console->waiting.number != answer->number)
			continue;
		waiting = console->waiting;
		console->waiting = (struct person_wait){0};
		if (answer->ok)
			let_in(console, waiting.role, waiting.name, waiting.hands);
		else
			end_console(console, SESSION_END_UNRECORDED);
	}
	return 0;
}

void persons_unrecorded(struct supervisor *sup)
{
	first_unrecorded(sup);
	recovery_unrecorded(sup);
	shadows_unrecorded(sup);
	power_unrecorded(sup);
	zeroise_unrecorded(sup);
	usb_unrecorded(sup);
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		struct child *console = child_find(sup, ROLE_CONSOLE, i);

		if (console && console->waiting.number != 0)
			end_console(console, SESSION_END_UNRECORDED);
	}
}

/* accounts has recorded the end of a session whose console has died. */
static void forget_gone(struct supervisor *sup, const struct control_person *said)
{
	if (said->console < CONSOLES_MAX && sup->gone[said->console].pid == said->pid)
		sup->gone[said->console] = (struct person_gone){0};
}

int console_handle_person(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *accounts = ctx, *console;
	const struct control_person *person = message->body;

	if (person->role >= ACCOUNT_ROLE_COUNT_ ||
	    memchr(person->name, '\0', sizeof(person->name)) == NULL ||
	    memchr(person->hands, '\0', sizeof(person->hands)) == NULL)
		return -ERR_PEER;
	if (person->role == ACCOUNT_ROLE_NONE)
		forget_gone(accounts->sup, person);
	console = child_find(accounts->sup, ROLE_CONSOLE, person->console);
	if (!console || (uint32_t)console->pid != person->pid)
		return 0; /* of a console that has ended */
	if (person->role == ACCOUNT_ROLE_NONE) {
		end_console(console, SESSION_END_PERSON);
		return 0;
	}
	if (console->is_tty) /* whoever can log in needs none */
		recovery_stop(console->sup, "somebody has logged in");
	if (person->name[0] == '\0')
		let_in(console, person->role, "", ""); /* no login is needed: there is no record */
	else
		wait_for_record(console, person);
	return 0;
}

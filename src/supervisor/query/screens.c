/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screen sessions on the console: shown and ended. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/query/query.h"

static void desktop_cell(struct answer *answer, const struct session *session)
{
	char address[INET6_ADDRSTRLEN];
	const struct snapshot_prefix *target = &session->targets[0];

	if (session->target_count == 0) {
		answer_cell(answer, "-");
		return;
	}
	(void)inet_ntop(target->family == 6 ? AF_INET6 : AF_INET, target->addr, address,
			sizeof(address)); /* the family and the size are right */
	answer_cell(answer, target->family == 6 ? "[%s]:%u" : "%s:%u", address,
		    session->target_port);
}

/* Who waits for his password to be judged is nobody yet. */
static const char *user_of(const struct session *session)
{
	const struct admission *a = &session->admission;

	return a->state == ADMISSION_GRANTED && a->user[0] != '\0' ? a->user : "-";
}

static const char *const states[] = {
	[ADMISSION_OPEN] = "login",      [ADMISSION_WAITING] = "waiting",
	[ADMISSION_ASKED] = "judged",    [ADMISSION_NOTED] = "noted",
	[ADMISSION_REFUSED] = "refused", [ADMISSION_GRANTED] = "admitted",
};

static void state_cell(struct answer *answer, const struct session *session)
{
	if (session->shadow.watched != 0)
		answer_cell(answer, "watches %u", session->shadow.watched);
	else
		answer_cell(answer, "%s", states[session->admission.state]);
}

void answer_screen(struct supervisor *sup, struct answer *answer)
{
	static const char *const heading[] = {"session", "entry", "from",  "to", "peer",
					      "desktop", "user",  "state", "up"};
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	answer_heading(answer, heading, sizeof(heading) / sizeof(heading[0]));
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &sup->sessions[i];

		if (!session->used || session->near_role != ROLE_SCREEN_VIEWER ||
		    (session->browser && session->admission.state == ADMISSION_OPEN))
			continue; /* who looks at the page for browsers has no session */
		answer_session(answer, session);
		desktop_cell(answer, session);
		answer_cell(answer, "%s", user_of(session));
		state_cell(answer, session);
		answer_cell(answer, "%lu s", (unsigned long)(now_ms - session->started_ms) / 1000);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

static struct session *find(struct supervisor *sup, const char *argument)
{
	char *end;
	unsigned long id = strtoul(argument, &end, 10);

	for (size_t i = 0; i < SESSIONS_MAX && end != argument && *end == '\0'; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && session->near_role == ROLE_SCREEN_VIEWER && session->id == id)
			return session;
	}
	return NULL;
}

void answer_clear_screen(struct supervisor *sup, struct answer *answer)
{
	struct session *session = find(sup, answer->query->argument);

	if (!session) {
		answer_error(answer, "there is no screen session of that number");
		return;
	}
	supervisor_event(sup, EVENT_SCREEN_CLEARED, EV_NUMBER(SESSION, session->id),
			 EV_TEXT(NAME, session->entry), EV_TEXT(USER, admission_user(session)),
			 EV_PERSON(BY, answer->query->person, answer->query->console));
	admission_end(session, SCREEN_END_CLEARED);
	answer_cell(answer, "%u", session->id);
	answer_cell(answer, "cleared");
	answer_send(answer, CONTROL_ROW_LAST);
}

void answer_shadow_screen(struct supervisor *sup, struct answer *answer)
{
	static const char *const heading[] = {"session", "entry", "user", "log in as", "password"};
	const char *auditor = answer->query->person;
	struct session *session = find(sup, answer->query->argument);
	const char *why = session ? shadows_open(session, sup, auditor)
				  : "there is no screen session of that number";

	if (why) {
		answer_error(answer, why);
		return;
	}
	supervisor_event(sup, EVENT_SCREEN_SHADOW_OPENED, EV_NUMBER(WATCHED, session->id),
			 EV_TEXT(NAME, session->entry), EV_TEXT(USER, admission_user(session)),
			 EV_PERSON(AUDITOR, auditor, answer->query->console));
	answer_heading(answer, heading, sizeof(heading) / sizeof(heading[0]));
	answer_cell(answer, "%u", session->id);
	answer_cell(answer, "%s", session->entry);
	answer_cell(answer, "%s", admission_user(session));
	answer_cell(answer, "%s%u", SHADOWS_NAME, session->id);
	answer_cell(answer, "%s", session->shadow.secret);
	answer_send(answer, CONTROL_ROW_LAST);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes for auditors, and what becomes of them. */
#include "supervisor/sessions/shadows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/screen_users.h"
#include "supervisor/supervisor.h"

#define SECRET_RANDOM_BYTES ((SHADOWS_SECRET_BYTES - 1) / 2)
/* At one time: they leave most of SESSIONS_MAX to mail and to those who work. */
#define SHADOWS_MAX        16U
#define SHADOWS_OF_SESSION 4U

static uint64_t now_ms(const struct supervisor *sup)
{
	return clock_mono_ms(sup->loop.clock);
}

static int64_t wall_s(const struct supervisor *sup)
{
	return clock_wall_ns(sup->loop.clock) / 1000000000;
}

static struct session *find(struct supervisor *sup, uint32_t id)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && session->near_role == ROLE_SCREEN_VIEWER && session->id == id)
			return session;
	}
	return NULL;
}

int shadows_begin(struct session *session, const struct supervisor *sup)
{
	struct shadowing *h = &session->shadow;

	h->pixels_fd = -1;
	if (session->near_role != ROLE_SCREEN_VIEWER ||
	    !snapshot_is_watchable(&sup->running.snapshot.screens[session->index]))
		return 0;
	h->notice = sup->running.snapshot.screens[session->index].shadow.notice;
	h->pixels_fd = fcntl(session->pixels_fds[SHARED_READ], F_DUPFD_CLOEXEC, 0);
	return h->pixels_fd < 0 ? -ERR_SYSTEM : 0;
}

static void forget_pass(struct shadowing *h)
{
	explicit_bzero(h->secret, sizeof(h->secret));
}

static void forget_pixels(struct shadowing *h)
{
	if (h->pixels_fd >= 0)
		(void)close(h->pixels_fd); /* it was only read through */
	h->pixels_fd = -1;
}

static void tell_ended(const struct session *session, struct supervisor *sup)
{
	const struct shadowing *h = &session->shadow;

	supervisor_event(sup, EVENT_SCREEN_SHADOW_ENDED, EV_NUMBER(SESSION, session->id),
			 EV_NUMBER(WATCHED, h->watched), EV_TEXT(NAME, session->entry),
			 EV_TEXT(USER, h->user), EV_TEXT(AUDITOR, h->auditor),
			 EV_NUMBER(DURATION_MS, now_ms(sup) - h->began_ms));
}

/* How many look at the session, or wait for their record to. @id: 0: at any. */
static uint32_t count_shadows(const struct supervisor *sup, uint32_t id)
{
	uint32_t count = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &sup->sessions[i];

		count += session->used && session->shadow.watched != 0 &&
			 (id == 0 || session->shadow.watched == id);
	}
	return count;
}

/* The watched viewer hears of it only where the policy of its begin wants it shown: whoever has
 * taken it over is not to learn when he is watched. */
static void tell_watched(struct supervisor *sup, uint32_t id)
{
	struct session *watched = find(sup, id);
	struct control_screen_watched body = {.count = count_shadows(sup, id)};

	if (watched && watched->near && watched->shadow.notice == SNAPSHOT_NOTICE_LIVE)
		child_send(watched->near, CONTROL_SCREEN_WATCHED, &body, sizeof(body), NULL, 0);
}

void shadows_end_of(const struct session *watched, struct supervisor *sup)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && session->shadow.watched == watched->id)
			admission_end(session, SCREEN_END_WATCHED);
	}
}

void shadows_leave(struct session *session, struct supervisor *sup)
{
	struct shadowing *h = &session->shadow;
	uint32_t watched = h->watched;

	if (watched == 0)
		return;
	tell_ended(session, sup);
	h->watched = 0;
	tell_watched(sup, watched);
}

void shadows_release(struct session *session, struct supervisor *sup)
{
	forget_pixels(&session->shadow);
	forget_pass(&session->shadow);
	shadows_leave(session, sup);
}

/* ---- what the policy says */

static bool shares_group(const struct snapshot *s, const struct snapshot_screen *screen,
			 const char *user)
{
	const struct snapshot_screen_user *u = screen_user_find(s, user);

	return u &&
	       (screen->shadow.groups.count == 0 || screen_user_in(s, u, screen->shadow.groups));
}

/* Whoever is an administrator for a while is no auditor meanwhile. */
static bool is_auditor(const struct snapshot *s, const char *name, int64_t at_s)
{
	for (uint32_t i = 0; i < s->person_count; i++) {
		const struct snapshot_person *person = &s->persons[i];

		if (strcmp(person->name, name) == 0)
			return person->role == SNAPSHOT_ROLE_AUDITOR && !person->suspended &&
			       at_s < person->expires_s && at_s >= person->administrator_until_s;
	}
	return false;
}

/* Return: NULL where @auditor may look on now, or why not. */
static const char *judge_pass(const struct session *watched, const struct supervisor *sup,
			      const char *auditor)
{
	const struct snapshot *s = &sup->running.snapshot;
	const struct snapshot_screen *screen = &s->screens[watched->index];

	if (!snapshot_is_watchable(screen))
		return "the configuration of its screen has no shadow";
	if (watched->shadow.watched != 0)
		return "it is a shadow itself";
	if (watched->admission.state != ADMISSION_GRANTED || watched->connect_count == 0)
		return "nobody has logged in there yet";
	if (watched->shadow.pixels_fd < 0)
		return "it began before the configuration allowed this, and its user was not told";
	if (!shares_group(s, screen, watched->admission.user))
		return "its user is in none of the groups that may be watched";
	if (!screen_is_open_at(s, screen, wall_s(sup)))
		return "outside permitted hours";
	if (!is_auditor(s, auditor, wall_s(sup)))
		return "only an auditor may look on";
	if (count_shadows(sup, 0) >= SHADOWS_MAX)
		return "as many look on as may at one time";
	return count_shadows(sup, watched->id) < SHADOWS_OF_SESSION
		       ? NULL
		       : "as many look on at this session as may at one time";
}

enum screen_end shadows_judge(const struct session *session, const struct supervisor *sup,
			      const struct snapshot *s)
{
	const struct snapshot_screen *screen = &s->screens[session->index];
	const struct shadowing *h = &session->shadow;

	if (!snapshot_is_watchable(screen) || !shares_group(s, screen, h->user))
		return SCREEN_END_POLICY;
	if (!screen_is_open_at(s, screen, wall_s(sup)))
		return SCREEN_END_HOURS;
	if (!is_auditor(s, h->auditor, wall_s(sup)))
		return SCREEN_END_ACCOUNT;
	return now_ms(sup) - h->began_ms < screen->shadow.limit_s * UINT64_C(1000)
		       ? SCREEN_END_NONE_
		       : SCREEN_END_SESSION_LIMIT;
}

/* ---- the pass */

const char *shadows_open(struct session *watched, const struct supervisor *sup, const char *auditor)
{
	struct shadowing *h = &watched->shadow;
	const char *why = judge_pass(watched, sup, auditor);
	uint8_t random[SECRET_RANDOM_BYTES];
	struct writer w;

	if (why)
		return why;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return "there are no random numbers";
	writer_init(&w, h->secret, sizeof(h->secret));
	for (size_t i = 0; i < sizeof(random); i++)
		writer_printf(&w, "%02x", random[i]);
	h->secret[sizeof(h->secret) - 1] = '\0';
	explicit_bzero(random, sizeof(random));
	h->until_ms = now_ms(sup) + SHADOWS_PASS_MS;
	(void)snprintf(h->guest, sizeof(h->guest), "%s", auditor); /* as long */
	return NULL;
}

bool shadows_is_asked(const struct control_screen_login *login)
{
	return strncmp(login->name, SHADOWS_NAME, strlen(SHADOWS_NAME)) == 0;
}

/* How long it takes does not depend on what was typed. */
static bool same_secret(const char *typed, const char *secret)
{
	unsigned difference = secret[0] == '\0' || typed[SHADOWS_SECRET_BYTES - 1] != '\0';

	for (size_t i = 0; i < SHADOWS_SECRET_BYTES - 1; i++)
		difference |= (unsigned)(typed[i] ^ secret[i]);
	return difference == 0;
}

/* The session that the name asks for, where there is a pass to it. NULL: there is none. */
static struct session *find_watched(struct supervisor *sup, const struct session *session,
				    const struct control_screen_login *login)
{
	const char *digits = login->name + strlen(SHADOWS_NAME);
	char *end;
	unsigned long id = strtoul(digits, &end, 10);
	struct session *watched = id > 0 && id <= UINT32_MAX ? find(sup, (uint32_t)id) : NULL;

	if (!watched || *end != '\0' || strcmp(watched->entry, session->entry) != 0 ||
	    strcmp(watched->from, session->from) != 0 ||
	    !same_secret(login->secret, watched->shadow.secret) ||
	    now_ms(sup) >= watched->shadow.until_ms)
		return NULL;
	return watched;
}

/* The process hears of the memory first; its own source, which never had a desktop, is not wanted.
 */
static void hand_over(struct session *session, const struct session *watched)
{
	const struct control_give give = {.kind = GIVE_PIXELS, .session = watched->id};

	if (session->near)
		child_give(session->near, &give, watched->shadow.pixels_fd);
	forget_pixels(&session->shadow); /* nothing was ever drawn in its own */
	if (session->far) {
		session->far->dismissed = true;
		child_kill(session->far, NULL);
	}
}

const char *shadows_admit(struct session *session, struct supervisor *sup,
			  const struct control_screen_login *login)
{
	struct session *watched = find_watched(sup, session, login);
	struct shadowing *h = &session->shadow;
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body;
	const char *why;

	if (!watched)
		return "no pass for a shadow";
	forget_pass(&watched->shadow); /* it is good for one login */
	why = judge_pass(watched, sup, watched->shadow.guest);
	if (why)
		return why;
	if (!child_is_alive(audit))
		return "its record cannot be written";
	h->watched = watched->id;
	h->began_ms = now_ms(sup);
	(void)snprintf(h->auditor, sizeof(h->auditor), "%s", watched->shadow.guest);
	(void)snprintf(h->user, sizeof(h->user), "%s", watched->admission.user);
	supervisor_event(sup, EVENT_SCREEN_SHADOW, EV_NUMBER(SESSION, session->id),
			 EV_NUMBER(WATCHED, h->watched), EV_TEXT(NAME, session->entry),
			 EV_TEXT(USER, h->user), EV_TEXT(AUDITOR, h->auditor),
			 session->peer_family == 6 ? EV_IPV6(SOURCE, session->peer_addr)
						   : EV_IPV4(SOURCE, session->peer_addr));
	body = (struct control_record){.number = ++sup->record_serial};
	h->record = body.number;
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
	return NULL;
}

const char *shadows_start(struct session *session, struct supervisor *sup)
{
	struct session *watched = find(sup, session->shadow.watched);

	if (!watched || watched->shadow.pixels_fd < 0)
		return "the session that it names has ended";
	hand_over(session, watched);
	tell_watched(sup, watched->id);
	return NULL;
}

/* @number: of the question to audit; 0: of any. */
static void go_on(struct supervisor *sup, uint64_t number, bool ok)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];
		struct shadowing *h = &session->shadow;

		if (!session->used || h->record == 0 || (number != 0 && h->record != number))
			continue;
		h->record = 0;
		admission_noted(session, ok);
	}
}

void shadows_recorded(struct supervisor *sup, const struct control_recorded *answer)
{
	if (answer->number != 0)
		go_on(sup, answer->number, answer->ok == 1);
}

void shadows_unrecorded(struct supervisor *sup)
{
	go_on(sup, 0, false);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission to screens, and the choice of a desktop. */
#include "supervisor/sessions/admission.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "channel/admission.h"
#include "policy/screen_users.h"
#include "supervisor/supervisor.h"

#define END_MS            1000U   /* for the halves to say how they ended */
#define LOGIN_MS          160000U /* to log in, and to be judged: longer than the viewer allows */
#define REFUSED_MS        5000U   /* for a viewer that was refused to end */
#define ASKS_MAX          4U      /* logins at accounts at one time; a console waits behind them */
#define CERTIFICATE_SHOWN 9       /* octets of a certificate's hash that name its holder */

static int64_t now_s(const struct supervisor *sup)
{
	return clock_wall_ns(sup->loop.clock) / 1000000000;
}

/* ---- desktops ---- */

static bool uses(const struct session *session, const struct snapshot_desktop *desktop)
{
	return session->used && session->near_role == ROLE_SCREEN_VIEWER &&
	       session->target_count == 1 && session->target_port == desktop->port &&
	       memcmp(&session->targets[0], &desktop->address, sizeof(desktop->address)) == 0;
}

static unsigned count_users(const struct supervisor *sup, const struct snapshot_desktop *desktop)
{
	unsigned count = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		count += uses(&sup->sessions[i], desktop);
	return count;
}

static bool same_desktop(const struct snapshot_desktop *a, const struct snapshot_desktop *b)
{
	return a->port == b->port && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

/* The user's own, if the screen has it; otherwise the least used, the first of several. NULL: none.
 */
static const struct snapshot_desktop *choose(const struct supervisor *sup,
					     const struct snapshot_screen *screen,
					     const struct snapshot_screen_user *user)
{
	const struct snapshot *s = &sup->running.snapshot;
	const struct snapshot_desktop *best = NULL;
	unsigned least = UINT32_MAX;

	for (uint32_t i = 0; i < screen->desktops.count; i++) {
		const struct snapshot_desktop *desktop = &s->desktops[screen->desktops.first + i];
		unsigned count = count_users(sup, desktop);

		if (user && user->desktop.port != 0 && !same_desktop(desktop, &user->desktop))
			continue;
		if (count < least) {
			best = desktop;
			least = count;
		}
	}
	return best;
}

static const struct snapshot_screen_user *user_of(const struct session *session,
						  const struct snapshot *s)
{
	return session->admission.security == SCREEN_SECURITY_X509_PLAIN
		       ? screen_user_find(s, session->admission.user)
		       : NULL;
}

/* Return: false where the screen has no desktop for this user. */
static bool assign(struct session *session, const struct supervisor *sup)
{
	const struct snapshot *s = &sup->running.snapshot;
	const struct snapshot_desktop *desktop =
		choose(sup, &s->screens[session->index], user_of(session, s));

	if (!desktop)
		return false;
	session->targets[0] = desktop->address;
	session->target_port = desktop->port;
	session->target_count = 1;
	return true;
}

/* ---- what the policy says of a session ---- */

const char *admission_closed(const struct snapshot *s, uint32_t screen)
{
	const struct snapshot_screen *c = &s->screens[screen];
	int64_t at_s = clock_wall_ns(&clock_system) / 1000000000;

	/* Behind a login the refusal has a name, and comes after it. */
	if (c->security == SCREEN_SECURITY_NONE && !screen_is_open_at(s, c, at_s))
		return "outside permitted hours";
	return NULL;
}

static bool has_desktop(const struct session *session, const struct snapshot *s,
			const struct snapshot_screen *screen)
{
	for (uint32_t i = 0; i < screen->desktops.count; i++) {
		if (uses(session, &s->desktops[screen->desktops.first + i]))
			return true;
	}
	return false;
}

static bool user_stands(const struct session *session, const struct snapshot *s,
			const struct snapshot_screen *screen, int64_t at_s)
{
	const struct snapshot_screen_user *user;
	struct snapshot_desktop own = {.port = session->target_port};

	if (session->admission.security != SCREEN_SECURITY_X509_PLAIN)
		return true;
	user = user_of(session, s);
	own.address = session->targets[0];
	return screen_user_judge(s, screen, user, at_s) == SCREEN_USER_FINE &&
	       (user->desktop.port == 0 || same_desktop(&user->desktop, &own));
}

enum screen_end admission_judge(const struct session *session, const struct snapshot *s)
{
	const struct snapshot_screen *c = &s->screens[session->index];
	const struct admission *a = &session->admission;
	int64_t at_s = now_s(a->sup);

	if (c->security != a->security || strcmp(c->tls_slot, a->tls_slot) != 0 ||
	    strcmp(c->authority_slot, a->authority_slot) != 0)
		return SCREEN_END_POLICY;
	if (session->shadow.watched != 0)
		return shadows_judge(session, a->sup, s);
	if (a->state != ADMISSION_GRANTED) /* nothing was given; accounts judges by this policy */
		return SCREEN_END_NONE_;
	if (!has_desktop(session, s, c))
		return SCREEN_END_POLICY;
	if (!screen_is_open_at(s, c, at_s))
		return SCREEN_END_HOURS;
	return user_stands(session, s, c, at_s) ? SCREEN_END_NONE_ : SCREEN_END_ACCOUNT;
}

/* ---- the end ---- */

static void on_end_over(struct loop *loop, struct loop_timer *self)
{
	session_end(self->ctx, "did not end in time");
}

void admission_end(struct session *session, enum screen_end reason)
{
	struct supervisor *sup = session->admission.sup;
	struct control_screen_end body = {.reason = reason};

	if (loop_armed(&session->grace) && session->grace.fire == on_end_over)
		return; /* it ends already, and no later for being asked again */
	if (session->admission.state != ADMISSION_GRANTED)
		session->admission.state = ADMISSION_REFUSED; /* a verdict comes too late now */
	explicit_bzero(session->admission.secret, sizeof(session->admission.secret));
	loop_disarm(&sup->loop, &session->admission.check);
	loop_disarm(&sup->loop, &session->admission.refusal);
	if (session->near)
		child_send(session->near, CONTROL_SCREEN_END, &body, sizeof(body), NULL, 0);
	else if (session->far)
		child_send(session->far, CONTROL_STOP, NULL, 0, NULL, 0);
	loop_disarm(&sup->loop, &session->grace); /* of a half that has died already */
	session->grace = (struct loop_timer){.fire = on_end_over, .ctx = session};
	loop_arm(&sup->loop, &session->grace, END_MS);
}

static void on_check(struct loop *loop, struct loop_timer *self)
{
	struct session *session = self->ctx;
	struct supervisor *sup = session->admission.sup;

	if (session->admission.state != ADMISSION_GRANTED)
		admission_end(session, SCREEN_END_HANDSHAKE_TIMEOUT);
	else if (session_keep(sup, session))
		loop_arm(loop, self, ADMISSION_CHECK_MS);
}

/* ---- the way in ---- */

static void tell(struct session *session, bool admitted)
{
	struct control_screen_verdict body = {.session = session->id, .admitted = admitted};

	if (session->near)
		child_send(session->near, CONTROL_SCREEN_VERDICT, &body, sizeof(body), NULL, 0);
}

/* The viewer ends by itself then; one that does not is ended. */
static void on_refusal(struct loop *loop, struct loop_timer *self)
{
	struct session *session = self->ctx;

	tell(session, false);
	loop_arm(loop, &session->admission.check, REFUSED_MS);
}

static void refuse(struct session *session)
{
	struct admission *a = &session->admission;
	uint64_t spent_ms = clock_mono_ms(a->sup->loop.clock) - a->asked_ms;

	a->state = ADMISSION_REFUSED;
	a->refusal = (struct loop_timer){.fire = on_refusal, .ctx = session};
	loop_arm(&a->sup->loop, &a->refusal, ADMISSION_DELAY_MS - spent_ms % ADMISSION_DELAY_MS);
	explicit_bzero(a->user, sizeof(a->user)); /* nobody; it may have been a password */
	explicit_bzero(a->secret, sizeof(a->secret));
}

const char *admission_user(const struct session *session)
{
	const struct admission *a = &session->admission;

	if (a->user[0] == '\0' || a->state == ADMISSION_GRANTED ||
	    a->security != SCREEN_SECURITY_X509_PLAIN ||
	    user_of(session, &a->sup->running.snapshot) != NULL)
		return a->user;
	return "unknown";
}

/* What accounts cannot know: it has judged the password, or there is none. */
static void refuse_for(struct session *session, const char *why)
{
	supervisor_event(session->admission.sup, EVENT_SCREEN_LOGIN_REFUSED,
			 EV_NUMBER(SESSION, session->id), EV_TEXT(NAME, session->entry),
			 EV_TEXT(USER, admission_user(session)), EV_TEXT(REASON, why),
			 session->peer_family == 6 ? EV_IPV6(SOURCE, session->peer_addr)
						   : EV_IPV4(SOURCE, session->peer_addr));
	refuse(session);
}

/* Another one in which somebody works; a look at one is none. */
static bool works_beside(const struct session *other, const struct session *session)
{
	return other != session && other->used && other->near_role == ROLE_SCREEN_VIEWER &&
	       other->shadow.watched == 0 && other->admission.state == ADMISSION_GRANTED;
}

/* Sessions of the same person, wherever. */
static unsigned count_same(const struct session *session, const struct supervisor *sup)
{
	const struct admission *a = &session->admission;
	unsigned count = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *other = &sup->sessions[i];

		count += works_beside(other, session) && other->admission.security == a->security &&
			 strcmp(other->admission.user, a->user) == 0;
	}
	return count;
}

/* Sessions of the users of a group, wherever. */
static unsigned count_group(const struct session *session, const struct supervisor *sup,
			    const char *group)
{
	const struct snapshot *s = &sup->running.snapshot;
	unsigned count = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *other = &sup->sessions[i];
		const struct snapshot_screen_user *user =
			works_beside(other, session) ? user_of(other, s) : NULL;

		count += user != NULL && screen_user_has_group(s, user, group);
	}
	return count;
}

/* A group of the session's user that has as many sessions as it may have; NULL: none has. */
static const char *full_group(const struct session *session, const struct supervisor *sup)
{
	const struct snapshot *s = &sup->running.snapshot;
	const struct snapshot_screen_user *user = user_of(session, s);

	for (uint32_t i = 0; user != NULL && i < s->group_limit_count; i++) {
		const struct snapshot_group_limit *l = &s->group_limits[i];

		if (screen_user_has_group(s, user, l->group) &&
		    count_group(session, sup, l->group) >= l->sessions_max)
			return l->group;
	}
	return NULL;
}

static void refuse_for_group(struct session *session, const char *group)
{
	char why[SNAPSHOT_NAME_BYTES + 32];

	(void)snprintf(why, sizeof(why), "sessions of group %s", group); /* it fits */
	refuse_for(session, why);
}

static void let_in(struct session *session)
{
	struct admission *a = &session->admission;

	a->state = ADMISSION_GRANTED;
	loop_arm(&a->sup->loop, &a->check, ADMISSION_CHECK_MS);
	tell(session, true);
}

static void grant(struct session *session)
{
	struct admission *a = &session->admission;
	const struct snapshot *s = &a->sup->running.snapshot;
	const struct snapshot_screen *screen = &s->screens[session->index];
	const char *full = full_group(session, a->sup);

	if (count_same(session, a->sup) >= screen->sessions_per_user) {
		refuse_for(session, "sessions of one user");
	} else if (full != NULL) {
		refuse_for_group(session, full);
	} else if (!assign(session, a->sup)) {
		refuse_for(session, "no desktop of this screen is the user's");
	} else if (session->browser && session_launch_far(session, a->sup) < 0) {
		refuse_for(session, "its process cannot be started");
	} else {
		let_in(session);
	}
}

static void admit_certificate(struct session *session, const uint8_t certificate[32])
{
	struct admission *a = &session->admission;
	const struct snapshot *s = &a->sup->running.snapshot;
	struct writer w;

	writer_init(&w, a->user, sizeof(a->user) - 1);
	writer_text(&w, "cert-");
	for (unsigned i = 0; i < CERTIFICATE_SHOWN; i++)
		writer_printf(&w, "%02x", certificate[i]);
	if (!screen_is_open_at(s, &s->screens[session->index], now_s(a->sup))) {
		refuse_for(session, "outside permitted hours");
		return;
	}
	supervisor_event(a->sup, EVENT_SCREEN_LOGIN, EV_NUMBER(SESSION, session->id),
			 EV_TEXT(NAME, session->entry), EV_TEXT(USER, a->user),
			 EV_SHA256(SHA256, certificate),
			 session->peer_family == 6 ? EV_IPV6(SOURCE, session->peer_addr)
						   : EV_IPV4(SOURCE, session->peer_addr));
	grant(session);
}

/* From here on the password is with accounts, or nowhere. */
static void ask_accounts(struct session *session)
{
	struct admission *a = &session->admission;
	struct child *accounts = child_find(a->sup, ROLE_ACCOUNTS, 0);
	struct control_screen_ask ask = {
		.session = session->id,
		.peer_family = session->peer_family,
	};

	memcpy(ask.peer_addr, session->peer_addr, sizeof(ask.peer_addr));
	memcpy(ask.entry, session->entry, sizeof(ask.entry));
	memcpy(ask.name, a->user, sizeof(ask.name));
	memcpy(ask.secret, a->secret, sizeof(ask.secret));
	explicit_bzero(a->secret, sizeof(a->secret));
	a->state = ADMISSION_ASKED;
	if (!accounts || accounts->state != CHILD_READY)
		refuse_for(session, "accounts is not running");
	else if (channel_send(&accounts->control, CONTROL_SCREEN_ASK, &ask, sizeof(ask), NULL, 0) <
		 0)
		refuse_for(session, "accounts is busy"); /* its queue is full of other things */
	else
		a->sup->screen_asks++;
	explicit_bzero(&ask, sizeof(ask));
}

/* Return: NULL where nobody waits. */
static struct session *first_in_line(struct supervisor *sup)
{
	struct session *first = NULL;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (!session->used || session->admission.state != ADMISSION_WAITING)
			continue;
		if (!first || session->admission.asked_ms < first->admission.asked_ms)
			first = session;
	}
	return first;
}

/* As many come at once in the morning: they wait in line, no longer than a viewer's login may take,
 * and the sessions that are permitted bound the line. */
static void ask_in_line(struct supervisor *sup)
{
	struct session *session = NULL;

	while (sup->screen_asks < ASKS_MAX && (session = first_in_line(sup)) != NULL) {
		if (session_keep(sup, session)) /* one that is not kept has left the line */
			ask_accounts(session);
	}
}

/* Return: whether the viewer may say this now, and says it properly. */
static bool is_due(const struct child *viewer, const struct control_screen_login *login)
{
	static const uint8_t none[sizeof(login->certificate)];
	const struct session *session = viewer->session;

	return session && session->admission.state == ADMISSION_OPEN &&
	       memchr(login->name, '\0', sizeof(login->name)) != NULL &&
	       memchr(login->secret, '\0', sizeof(login->secret)) != NULL &&
	       (session->admission.security != SCREEN_SECURITY_X509_NONE ||
		memcmp(login->certificate, none, sizeof(none)) != 0);
}

/* Nobody is asked for an auditor's password here: his console has made one for this session. */
static void judge_shadow(struct session *session, const struct control_screen_login *login)
{
	struct admission *a = &session->admission;
	const char *why = shadows_admit(session, a->sup, login);

	if (why)
		refuse_for(session, why);
	else
		a->state = ADMISSION_NOTED;
}

void admission_noted(struct session *session, bool ok)
{
	struct admission *a = &session->admission;
	const char *why = ok ? NULL : "its record cannot be written";

	if (a->state != ADMISSION_NOTED || !session_keep(a->sup, session))
		return;
	if (!why)
		why = shadows_start(session, a->sup);
	if (why) {
		shadows_leave(session, a->sup);
		refuse_for(session, why);
		return;
	}
	(void)snprintf(a->user, sizeof(a->user), "%s", session->shadow.auditor); /* shorter */
	let_in(session);
}

/* A viewer counts as a session since it connected; a browser does from now on. */
static void judge_login(struct session *session, const struct control_screen_login *login)
{
	struct admission *a = &session->admission;
	const char *full;

	a->state = ADMISSION_WAITING;
	a->asked_ms = clock_mono_ms(a->sup->loop.clock);
	loop_arm(&a->sup->loop, &a->check, LOGIN_MS);
	if (a->security == SCREEN_SECURITY_X509_PLAIN && shadows_is_asked(login)) {
		judge_shadow(session, login);
		return;
	}
	full = session->browser ? session_over_limit(a->sup, session) : NULL;
	if (full) {
		refuse_for(session, full);
	} else if (a->security == SCREEN_SECURITY_X509_NONE) {
		admit_certificate(session, login->certificate);
	} else {
		(void)snprintf(a->user, sizeof(a->user), "%s", login->name); /* as long */
		memcpy(a->secret, login->secret, sizeof(a->secret));
		ask_in_line(a->sup);
	}
}

int admission_handle_login(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	const struct control_screen_login *login = message->body;
	bool due = is_due(child, login);

	if (due && session_keep(child->sup, child->session))
		judge_login(child->session, login);
	channel_wipe(message);
	return due ? 0 : -ERR_PEER;
}

static void conclude(struct session *session, bool admitted)
{
	if (!session_keep(session->admission.sup, session))
		return;
	if (admitted)
		grant(session);
	else
		refuse(session);
}

int admission_handle_verdict(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *accounts = ctx;
	const struct control_screen_verdict *verdict = message->body;
	struct supervisor *sup = accounts->sup;

	if (sup->screen_asks > 0)
		sup->screen_asks--; /* also where the session has gone */
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && session->id == verdict->session &&
		    session->admission.state == ADMISSION_ASKED)
			conclude(session, verdict->admitted == 1);
	}
	ask_in_line(sup);
	return 0;
}

void admission_forget(struct supervisor *sup)
{
	sup->screen_asks = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && (session->admission.state == ADMISSION_ASKED ||
				      session->admission.state == ADMISSION_WAITING))
			refuse_for(session, "accounts has died");
	}
}

bool admission_begin(struct session *session, struct supervisor *sup)
{
	struct admission *a = &session->admission;
	const struct snapshot_screen *screen;

	*a = (struct admission){.sup = sup};
	if (session->near_role != ROLE_SCREEN_VIEWER)
		return true;
	screen = &sup->running.snapshot.screens[session->index];
	a->security = screen->security;
	memcpy(a->tls_slot, screen->tls_slot, sizeof(a->tls_slot));
	memcpy(a->authority_slot, screen->authority_slot, sizeof(a->authority_slot));
	a->check = (struct loop_timer){.fire = on_check, .ctx = session};
	if (a->security != SCREEN_SECURITY_NONE) {
		loop_arm(&sup->loop, &a->check, LOGIN_MS);
		return true;
	}
	a->state = ADMISSION_GRANTED;
	loop_arm(&sup->loop, &a->check, ADMISSION_CHECK_MS);
	return assign(session, sup);
}

void admission_release(struct session *session)
{
	struct admission *a = &session->admission;

	if (!a->sup)
		return;
	loop_disarm(&a->sup->loop, &a->check);
	loop_disarm(&a->sup->loop, &a->refusal);
	explicit_bzero(a->secret, sizeof(a->secret));
}

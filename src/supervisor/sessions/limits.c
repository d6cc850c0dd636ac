/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many sessions there may be, how many a source may bring, and how refusals are told: a flood
 * costs neither processes nor a record for each of its connections (Z14).
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/supervisor.h"

/* Connections of browsers on which nobody is let in or waits for it: of all screens together, so
 * that they leave most of SESSIONS_MAX to mail and to sessions; and of one source. */
#define LOOKERS_MAX        64U
#define LOOKERS_PER_SOURCE 12U
/* Of one source, to all screens and both of their ports. */
#define SCREEN_CONNECTS_PER_MINUTE 120U
_Static_assert(RATES_TOTALS_MAX >= LISTENERS_MAX, "an entry has a listener at least");
#define REFUSALS_TELL_MS 10000U /* between two records of one listener */

/* An IPv4 address, or an IPv6 /64: what one source can have for nothing. */
static bool same_source(const struct session *a, const struct session *b)
{
	return a->peer_family == b->peer_family &&
	       memcmp(a->peer_addr, b->peer_addr, a->peer_family == 6 ? 8 : 4) == 0;
}

/* ---- how many there are ---- */

struct limits {
	uint32_t total, per_source, per_pair;
};

/* A connection that has only looked at the page for browsers, or was not let in behind it. */
static bool is_looking(const struct session *session)
{
	return session->browser && (session->admission.state == ADMISSION_OPEN ||
				    session->admission.state == ADMISSION_REFUSED);
}

static struct limits limits_of(const struct snapshot *s, const struct session *session)
{
	if (session->near_role == ROLE_MAIL_RECEIVER)
		return (struct limits){s->mails[session->index].sessions_max,
				       s->mails[session->index].sessions_per_source, 0};
	if (is_looking(session))
		return (struct limits){LOOKERS_MAX, LOOKERS_PER_SOURCE, 0};
	return (struct limits){s->screens[session->index].sessions_max,
			       s->screens[session->index].sessions_per_source,
			       s->screens[session->index].sessions_per_pair};
}

/* Whether both fall under one limit: lookers of all screens, otherwise sessions of one entry.
 * Shadows take nothing from those who work. */
static bool share_limit(const struct session *a, const struct session *b)
{
	return a->shadow.watched == 0 && a->near_role == b->near_role &&
	       is_looking(a) == is_looking(b) && (is_looking(a) || strcmp(a->entry, b->entry) == 0);
}

/* Whether both are screen sessions from the same zone to the same, at whichever entry. */
static bool share_pair(const struct session *a, const struct session *b)
{
	return a->shadow.watched == 0 && a->near_role == b->near_role && !is_looking(a) &&
	       strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0;
}

const char *session_over_limit(struct supervisor *sup, struct session *peer)
{
	struct limits limits = limits_of(&sup->running.snapshot, peer);
	uint32_t total = 0, per_source = 0, per_pair = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *other = &sup->sessions[i];

		if (!other->used || other == peer)
			continue;
		per_pair += share_pair(other, peer);
		if (!share_limit(other, peer))
			continue;
		total++;
		per_source += same_source(other, peer);
	}
	if (limits.total && total >= limits.total)
		return "sessions in total";
	if (limits.per_source && per_source >= limits.per_source)
		return "sessions of one source";
	if (limits.per_pair && per_pair >= limits.per_pair)
		return "sessions of one pair of zones";
	peer->crowded = 2 * total >= limits.total;
	return NULL;
}

/* ---- how many come ---- */

static uint32_t per_minute_of(const struct snapshot *s, const struct session *session,
			      enum rate_kind kind)
{
	if (session->near_role != ROLE_MAIL_RECEIVER)
		return SCREEN_CONNECTS_PER_MINUTE;
	return kind == RATE_MAILS ? s->mails[session->index].mails_per_minute
				  : s->mails[session->index].connects_per_minute;
}

static uint32_t total_per_minute_of(const struct snapshot *s, const struct session *session,
				    enum rate_kind kind)
{
	if (session->near_role != ROLE_MAIL_RECEIVER)
		return 0;
	return kind == RATE_MAILS ? s->mails[session->index].total_mails_per_minute
				  : s->mails[session->index].total_connects_per_minute;
}

/* What one source brings beyond its own limit takes nothing from the others. */
const char *session_over_rate(struct supervisor *sup, const struct session *session,
			      enum rate_kind kind)
{
	static const char *const reasons[RATE_KIND_COUNT_][2] = {
		[RATE_CONNECTS] = {"sessions of one source in a minute",
				   "sessions of all sources in a minute"},
		[RATE_MAILS] = {"too many of one source in a minute",
				"too many of all sources in a minute"},
	};

	const char *entry =
		session->near_role == ROLE_MAIL_RECEIVER ? session->entry : RATES_SCREENS;
	struct rate_key key = rate_key_of(entry, session->peer_family, session->peer_addr);
	uint32_t per_minute = per_minute_of(&sup->running.snapshot, session, kind);
	uint32_t total = total_per_minute_of(&sup->running.snapshot, session, kind);
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	if (!rates_take(&sup->rates, &key, kind, per_minute, now_ms))
		return reasons[kind][0];
	return rates_take_total(&sup->rates, entry, kind, total, now_ms) ? NULL : reasons[kind][1];
}

/* ---- refusals ---- */

static void tell(struct listener *listener)
{
	const struct refusals *r = &listener->refusals;

	supervisor_event(listener->sup, EVENT_SESSION_REFUSED, EV_TEXT(NAME, listener->entry),
			 EV_TEXT(REASON, r->why), EV_NUMBER(COUNT, r->untold),
			 r->family == 6 ? EV_IPV6(SOURCE, r->addr) : EV_IPV4(SOURCE, r->addr));
	listener->refusals.untold = 0;
}

static void on_tell_due(struct loop *loop, struct loop_timer *self)
{
	struct listener *listener = self->ctx;

	if (listener->refusals.untold == 0)
		return; /* the next refusal is told at once again */
	tell(listener);
	loop_arm(loop, self, REFUSALS_TELL_MS);
}

/* The first is told at once; what follows within REFUSALS_TELL_MS is one record, with the newest
 * source and reason. */
static void count_refusal(struct listener *listener, const struct session *peer, const char *why)
{
	struct refusals *r = &listener->refusals;

	r->untold++;
	r->why = why;
	r->family = peer->peer_family;
	memcpy(r->addr, peer->peer_addr, sizeof(r->addr));
	if (loop_armed(&r->timer))
		return;
	tell(listener);
	r->timer = (struct loop_timer){.fire = on_tell_due, .ctx = listener};
	loop_arm(&listener->sup->loop, &r->timer, REFUSALS_TELL_MS);
}

void session_refuse(struct listener *listener, const struct session *peer, int fd, const char *why)
{
	static const char busy[] = "421 4.7.0 too many connections, try again later\r\n";

	count_refusal(listener, peer, why);
	/* A courtesy: whether it arrives does not matter. */
	if (listener->near_role == ROLE_MAIL_RECEIVER)
		(void)send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd); /* refused */
}

void session_refusals_end(struct listener *listener)
{
	if (listener->refusals.untold > 0)
		tell(listener);
	loop_disarm(&listener->sup->loop, &listener->refusals.timer);
}

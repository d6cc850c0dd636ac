/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the tables of flows a piece at a time, for one answer after the other. */
#include "netfilter/nft/listing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"

#define ROWS_A_TURN 64
#define PAUSE_MS    10
#define OWN_NUMBER  UINT32_MAX /* of no question of a console, and of no console */
#define SIGN_MS     1000       /* a console gives up after ten times as much silence */

/* Its last row may still wait to be sent. */
static bool is_answered(const struct listing *l)
{
	return l->row_waits && (l->answer.row.flags & CONTROL_ROW_LAST) != 0;
}

/* Return: false: the supervisor has no room for it now. */
static bool flush(struct listing *l)
{
	bool is_last = is_answered(l);
	int err = l->kind->own ? 0
			       : channel_send(&l->nf->process.control, CONTROL_ROW, &l->answer.row,
					      sizeof(l->answer.row), NULL, 0);

	if (err == -ERR_AGAIN)
		return false;
	l->row_waits = false; /* after any other error this process ends: so does the channel */
	answer_begin(&l->answer);
	if (is_last)
		l->kind = NULL;
	return true;
}

void listing_send(struct listing *l, uint32_t flags)
{
	l->answer.row.flags = flags;
	l->row_waits = true;
}

void listing_heading(struct listing *l, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		answer_cell(&l->answer, "%s", cells[i]);
	listing_send(l, CONTROL_ROW_HEADING);
}

void listing_refuse(struct listing *l, const char *reason)
{
	answer_begin(&l->answer);
	answer_cell(&l->answer, "%s", reason);
	listing_send(l, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
}

/* ---- the zones, one after the other */

static void end_reading(struct listing *l)
{
	loop_remove(&l->nf->loop, &l->watch);
	l->rest = (struct span){NULL, 0};
	l->phase = LISTING_ZONES;
	if (l->kind != NULL && l->kind->end_zone != NULL)
		l->kind->end_zone(l);
	l->zone = NULL;
}

static void refuse_zone(struct listing *l)
{
	char reason[SNAPSHOT_NAME_BYTES + 64];

	snprintf(reason, sizeof(reason), "the %s of zone %s cannot be read",
		 l->kind->request != NULL ? "rules" : "flows", l->zone->name);
	listing_refuse(l, reason);
}

static void fail_reading(struct listing *l)
{
	if (l->kind != NULL)
		refuse_zone(l);
	end_reading(l);
}

static void take_piece(struct loop *loop, struct loop_fd *self, short revents);

/* Ask for the zone's flows, or for what else is read of it. Return: 1; 0: nothing more; an error.
 */
static int request(struct listing *l)
{
	if (l->kind->request != NULL)
		return l->kind->request(l);
	return flows_begin(l->zone->flows_fd) == 0 ? 1 : -ERR_SYSTEM;
}

/* A dump has ended. */
static void end_dump(struct listing *l, int error)
{
	int more = 0;

	if (l->kind != NULL && l->kind->request != NULL && (error == 0 || error == -ENOENT))
		more = request(l); /* what has gone meanwhile is its matter */
	else if (l->kind != NULL && error != 0)
		refuse_zone(l);
	if (more < 0)
		refuse_zone(l);
	if (more <= 0)
		end_reading(l);
}

static void begin_zone(struct listing *l, struct zone *zone)
{
	l->zone = zone;
	l->phase = LISTING_READING;
	l->watch = (struct loop_fd){
		.fd = zone->flows_fd, .events = POLLIN, .ready = take_piece, .ctx = l};
	if (loop_add(&l->nf->loop, &l->watch) != 0 || request(l) <= 0)
		fail_reading(l);
}

/* The next zone that is asked about, or the end of them. */
static void next_zone(struct listing *l)
{
	const struct policy *p = &l->nf->running;

	while (l->zones_begun < p->snapshot.zone_count) {
		uint32_t i = l->zones_begun++;

		if (l->only_zone[0] == '\0' ||
		    strcmp(l->only_zone, p->snapshot.zones[i].name) == 0) {
			begin_zone(l, p->zones[i]);
			return;
		}
	}
	l->phase = LISTING_CLOSING;
}

/* Return: false: the next piece is to be waited for. */
static bool take_message(struct listing *l)
{
	struct netlink_message m;
	struct flow flow;

	if (!netlink_next(&l->rest, &m))
		return false;
	if (l->kind != NULL && l->kind->take_message != NULL)
		l->kind->take_message(l, &m);
	if (m.type == NLMSG_ERROR && (l->kind == NULL || l->kind->request == NULL))
		fail_reading(l); /* a list of flows has no other end than its own */
	else if (m.type == NLMSG_DONE || m.type == NLMSG_ERROR)
		end_dump(l, m.error);
	else if (l->kind != NULL && l->kind->take != NULL && flow_of_message(&flow, &m))
		l->kind->take(l, &flow);
	return true;
}

/* ---- the questions, one after the other */

/* Return: false: nobody waits. */
static bool next_question(struct listing *l)
{
	if (l->asked_count == 0) {
		loop_disarm(&l->nf->loop, &l->signs);
		return false;
	}
	memset(&l->work, 0, sizeof(l->work));
	l->only_zone[0] = '\0';
	l->zones_begun = 0;
	l->kind = l->asked[0].kind;
	answer_init(&l->answer, l->nf, &l->asked[0].query);
	l->phase = LISTING_ZONES;
	l->kind->begin(l);
	return true;
}

static void end_question(struct listing *l)
{
	l->phase = LISTING_IDLE;
	bytes_fini(&l->kept);
	bytes_fini(&l->lines);
	l->asked_count--;
	memmove(l->asked, l->asked + 1, l->asked_count * sizeof(l->asked[0]));
}

/* One step, which sends one row at most. Return: false: there is nothing to do before the kernel or
 * a console says more. */
static bool step(struct listing *l)
{
	if (l->phase == LISTING_IDLE)
		return next_question(l);
	if (l->phase == LISTING_READING)
		return take_message(l);
	if (l->kind == NULL)
		end_question(l);
	else if (l->kind->go_on != NULL && l->kind->go_on(l))
		return true;
	else if (l->phase == LISTING_ZONES)
		next_zone(l);
	else
		l->kind->close(l);
	return true;
}

static void run(struct listing *l)
{
	for (unsigned rows = 0; rows < ROWS_A_TURN;) {
		if (l->row_waits) {
			if (!flush(l))
				break;
			rows++;
		} else if (!step(l)) {
			return;
		}
	}
	l->watch.events = 0;
	loop_arm(&l->nf->loop, &l->pause, PAUSE_MS);
}

static void on_pause_over(struct loop *loop, struct loop_timer *self)
{
	struct listing *l = self->ctx;

	l->watch.events = POLLIN;
	run(l);
}

static void take_piece(struct loop *loop, struct loop_fd *self, short revents)
{
	struct listing *l = self->ctx;
	ssize_t got = recv(self->fd, l->piece, sizeof(l->piece), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got >= 0)
		l->rest = (struct span){l->piece, (size_t)got};
	else if (l->kind != NULL)
		refuse_zone(l); /* what the kernel still has is read away */
	run(l);
}

/* An empty row: its console goes on waiting, and the supervisor says if it does not. */
static void send_signs(struct loop *loop, struct loop_timer *self)
{
	struct listing *l = self->ctx;

	loop_arm(loop, self, SIGN_MS);
	for (uint32_t i = l->kind != NULL ? 0 : 1; i < l->asked_count; i++) {
		const struct control_row row = {.number = l->asked[i].query.number,
						.console = l->asked[i].query.console};

		if (l->asked[i].kind->own)
			continue;
		/* Without room the console has rows before it. */
		(void)channel_send(&l->nf->process.control, CONTROL_ROW, &row, sizeof(row), NULL,
				   0);
	}
}

void listing_init(struct listing *l, struct netfilter *nf)
{
	l->nf = nf;
	l->pause = (struct loop_timer){.fire = on_pause_over, .ctx = l};
	l->signs = (struct loop_timer){.fire = send_signs, .ctx = l};
}

/* The rest of a table that is being read is read away before the next question. */
static void stop(struct listing *l)
{
	l->kind = NULL;
	l->row_waits = false;
	if (l->phase != LISTING_READING)
		l->phase = LISTING_ZONES;
	if (!loop_armed(&l->pause))
		loop_arm(&l->nf->loop, &l->pause, 0);
}

static void withdraw(struct listing *l, uint32_t i)
{
	if (l->asked[i].kind->record != NULL)
		return;
	if (i == 0) {
		stop(l);
		return;
	}
	l->asked_count--;
	memmove(l->asked + i, l->asked + i + 1, (l->asked_count - i) * sizeof(l->asked[0]));
}

/* Of two questions the supervisor passes on the later one's rows only. */
static void withdraw_earlier(struct listing *l, uint32_t console)
{
	for (uint32_t i = l->asked_count; i-- > 0;) {
		if (l->asked[i].query.console == console)
			withdraw(l, i);
	}
}

/* There is room. */
static void add_question(struct listing *l, const struct control_query *query,
			 const struct listing_kind *kind)
{
	l->asked[l->asked_count].query = *query;
	l->asked[l->asked_count++].kind = kind;
	if (l->asked_count == 1) {
		loop_arm(&l->nf->loop, &l->signs, SIGN_MS);
		run(l);
	}
}

void listing_ask(struct listing *l, const struct control_query *query,
		 const struct listing_kind *kind)
{
	withdraw_earlier(l, query->console);
	if (l->asked_count == LISTING_ASKERS_MAX) {
		struct answer a;

		answer_init(&a, l->nf, query);
		answer_refuse(&a, "too many ask about flows; ask again in a moment");
		return;
	}
	add_question(l, query, kind);
}

void listing_ask_own(struct listing *l, const struct listing_kind *kind)
{
	const struct control_query query = {.number = OWN_NUMBER, .console = OWN_NUMBER};

	for (uint32_t i = 0; i < l->asked_count; i++) {
		if (l->asked[i].kind == kind)
			return;
	}
	if (l->asked_count + 1 < LISTING_ASKERS_MAX) /* a console finds room as well */
		add_question(l, &query, kind);
}

void listing_withdraw(struct listing *l, uint32_t number)
{
	for (uint32_t i = l->asked_count; i-- > 0;) {
		if (l->asked[i].query.number == number)
			withdraw(l, i);
	}
}

void listing_end_policy(struct listing *l)
{
	struct answer a;

	if (l->asked_count == 0 || l->kind == NULL || is_answered(l))
		return;
	if (l->kind->record != NULL)
		l->kind->record(l);
	if (!l->kind->own) {
		answer_init(&a, l->nf, &l->asked[0].query);
		answer_refuse(&a, "the configuration has changed meanwhile; ask again");
	}
	stop(l);
}

void listing_end_zone(struct listing *l, const struct zone *zone)
{
	if (l->zone != zone)
		return;
	stop(l);
	end_reading(l);
}

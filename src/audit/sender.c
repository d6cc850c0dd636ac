/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place in the log, and what happens when a server is away. */
#include "audit/sender_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define PLACE_DIGITS    20
#define FULL_PAUSE_MS   20U
#define BURSTS_A_SECOND (1000U / SENDER_PAUSE_MS)

static void tell(struct sender *s, enum event_id id, enum event_key key, uint64_t number)
{
	const struct event_arg args[] = {
		EV_TEXT(SERVER, s->name),
		{key, EVENT_KIND_NUMBER, number, NULL, 0},
	};

	s->report.event(s->report.ctx, id, args, sizeof(args) / sizeof(args[0]));
}

/* ---- the place in the log survives a restart */

static void place_name(const struct sender *s, char name[SENDER_NAME_BYTES + 8])
{
	(void)snprintf(name, SENDER_NAME_BYTES + 8, "sent-%s", s->name);
}

static uint64_t load_place(const struct sender *s)
{
	char name[SENDER_NAME_BYTES + 8], digits[PLACE_DIGITS + 1] = {0};
	ssize_t got;
	int fd;

	place_name(s, name);
	fd = openat(s->store->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 1; /* a new server gets all that there is */
	got = read(fd, digits, PLACE_DIGITS);
	(void)close(fd); /* read only */
	return got == PLACE_DIGITS ? strtoull(digits, NULL, 10) : 1;
}

/* Losing this only sends records twice, which their numbers show. What is gone and not told of is
 * counted anew from there after a restart. */
static void save_place(const struct sender *s, uint64_t sequence)
{
	char name[SENDER_NAME_BYTES + 8], digits[PLACE_DIGITS + 2];
	int fd;

	if (s->gone_count > 0 && s->gone_begin < sequence)
		sequence = s->gone_begin;
	place_name(s, name);
	fd = openat(s->store->directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	(void)snprintf(digits, sizeof(digits), "%020llu\n", (unsigned long long)sequence);
	(void)!pwrite(fd, digits, PLACE_DIGITS + 1, 0); /* see above */
	(void)close(fd);
}

uint64_t sender_place_in_doubt(const struct sender *s)
{
	return s->trail[SENDER_TRAIL_S - 1];
}

static void on_second(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	if (!s->link.stuck) { /* else what left before is in doubt, however long ago */
		memmove(&s->trail[1], &s->trail[0], sizeof(s->trail) - sizeof(s->trail[0]));
		s->trail[0] = s->link.reached;
	}
	s->recent = s->store->durable - s->durable_before;
	s->durable_before = s->store->durable;
	if (++s->seconds % SENDER_SAVE_S == 0)
		save_place(s, sender_place_in_doubt(s));
	loop_arm(loop, timer, 1000);
}

/* ---- sending */

/* Only of a server that is there, or leaves: an earlier record may itself be forced out. */
static void tell_gone(struct sender *s)
{
	uint64_t count = s->gone_count;

	s->gone_count = 0;
	if (count > 0)
		tell(s, EVENT_SYSLOG_FORCED_OUT, FIELD_COUNT, count);
}

/* What is gone is counted once, however often a connection that fails leads back before it. */
static void seek(struct sender *s, uint64_t sequence)
{
	uint64_t end = sequence + store_cursor_seek(s->store, &s->cursor, sequence);
	uint64_t begin = sequence > s->gone_end ? sequence : s->gone_end;

	if (end <= begin)
		return;
	if (s->gone_count == 0)
		s->gone_begin = begin;
	s->gone_count += end - begin;
	s->gone_end = end;
	if (s->state == SENDER_FLOWING)
		tell_gone(s);
}

void sender_pause(struct sender *s, uint64_t sequence, int error)
{
	if (sequence < s->cursor.sequence)
		seek(s, sequence);
	for (size_t i = 0; i < SENDER_TRAIL_S; i++) {
		if (s->trail[i] > s->cursor.sequence)
			s->trail[i] = s->cursor.sequence;
	}
	if (!s->away) {
		s->retry_ms = SENDER_RETRY_MS;
		tell(s, EVENT_SYSLOG_AWAY, FIELD_ERROR, (uint64_t)error);
		s->away = true;
	} else if (s->state == SENDER_TRYING) {
		s->retry_ms = s->retry_ms * 2 < SENDER_RETRY_MOST_MS ? s->retry_ms * 2
								     : SENDER_RETRY_MOST_MS;
	}
	s->state = SENDER_PAUSED;
	sender_link_turn(s);
	loop_arm(s->loop, &s->timer, s->retry_ms);
}

/* Up to @most records. Return: how many, or the error that ended it (-ERR_AGAIN: nothing more to
 * send now). */
static int send_some(struct sender *s, unsigned most)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	unsigned sent = 0;

	/* Only what a power cut cannot take back: its number must never go to another record. */
	while (sent < most && s->cursor.sequence < s->store->durable) {
		int err = store_cursor_peek(s->store, &s->cursor, buffer, &line);

		if (err == -ERR_NOT_FOUND) {
			seek(s, s->cursor.sequence);
			err = store_cursor_peek(s->store, &s->cursor, buffer, &line);
		}
		if (err < 0)
			return sent > 0 ? (int)sent : err;
		err = sender_link_send(s, s->cursor.sequence, line);
		if (err < 0) {
			loop_arm(s->loop, &s->timer, FULL_PAUSE_MS);
			return err;
		}
		store_cursor_take(&s->cursor, line);
		sent++;
	}
	return sent > 0 ? (int)sent : -ERR_AGAIN;
}

/* UDP: as much as was recorded in the second before goes as fast as it came; what waits besides,
 * the first second of a rush too, is held back. */
static unsigned burst_size(const struct sender *s)
{
	uint64_t size = SENDER_UDP_PACE + (s->recent + BURSTS_A_SECOND - 1) / BURSTS_A_SECOND;

	return !s->datagrams || size > SENDER_BURST ? SENDER_BURST : (unsigned)size;
}

static void burst(struct sender *s)
{
	unsigned most = burst_size(s);
	int sent = send_some(s, most);

	if (sent == (int)most)
		loop_arm(s->loop, &s->timer, SENDER_PAUSE_MS);
}

void sender_flow(struct sender *s)
{
	s->state = SENDER_FLOWING;
	if (s->away)
		tell(s, EVENT_SYSLOG_BACK, FIELD_NEXT, s->cursor.sequence);
	s->away = false;
	tell_gone(s);
	burst(s);
}

/* ---- trying */

static void ask(struct sender *s)
{
	s->state = SENDER_TRYING;
	loop_arm(s->loop, &s->timer, SENDER_JOIN_MS);
	s->report.connect(s->report.ctx, s->name);
}

/* The last record that was sent goes out once more, unless the store has let it go. */
static void repeat(struct sender *s)
{
	uint64_t last = s->cursor.sequence - 1;

	if (last >= s->store->segments[0].first_sequence)
		seek(s, last);
}

static void try_one(struct sender *s)
{
	int sent = send_some(s, 1);

	if (sent == 1) {
		s->state = SENDER_TRYING;
		loop_arm(s->loop, &s->timer, SENDER_QUIET_MS);
	} else if (sent == -ERR_AGAIN && !loop_armed(&s->timer)) {
		loop_arm(s->loop, &s->timer, s->retry_ms);
	}
}

/*
 * Quiet is believed where an error has come this way before. Where none ever has, the first record
 * may be lost without one, refused behind our back before the server was there: it goes once more.
 */
static void trust_quiet(struct sender *s)
{
	if (!s->away)
		repeat(s);
	sender_flow(s);
}

/* UDP: a new link proves nothing: it begins as the first one did, with a record of its own. */
static void try_link(struct sender *s)
{
	s->state = SENDER_PAUSED;
	loop_disarm(s->loop, &s->timer);
	try_one(s);
}

/* The timer of a paused or trying sender has fired. */
static void retry(struct sender *s)
{
	bool trying = s->state == SENDER_TRYING;

	if (s->link.watch.fd < 0 && !trying)
		ask(s);
	else if (s->link.watch.fd < 0 || !s->datagrams)
		sender_link_give_up(s, ETIMEDOUT);
	else if (trying && s->link.taken < s->link.sent)
		loop_arm(s->loop, &s->timer, SENDER_QUIET_MS); /* quiet before it left is none */
	else if (trying)
		trust_quiet(s);
	else
		try_one(s);
}

void sender_connected(struct sender *s, int fd, int error)
{
	if (s->state != SENDER_TRYING || s->link.watch.fd >= 0) {
		if (fd >= 0)
			(void)close(fd); /* nobody waits for it: its log-sender ends */
		return;
	}
	if (fd < 0 && error == ENOKEY)
		sender_tell_unverifiable(s);
	if (fd < 0)
		sender_link_give_up(s, error);
	else if (sender_link_open(s, fd) < 0)
		sender_link_give_up(s, ENOBUFS);
	else if (s->datagrams)
		try_link(s);
}

static void on_timer(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	if (s->state == SENDER_FLOWING)
		burst(s);
	else if (s->state != SENDER_CLOSED)
		retry(s);
}

/* ---- life */

static void init(struct sender *s, struct loop *loop, const struct store *store,
		 struct sender_report report, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->store = store;
	s->report = report;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->timer = (struct loop_timer){.fire = on_timer, .ctx = s};
	s->second_timer = (struct loop_timer){.fire = on_second, .ctx = s};
	s->retry_ms = SENDER_RETRY_MS;
	store_cursor_init(&s->cursor);
	sender_link_init(s);
}

static void begin(struct sender *s, uint64_t first_ms)
{
	seek(s, load_place(s));
	s->durable_before = s->store->durable;
	for (size_t i = 0; i < SENDER_TRAIL_S; i++)
		s->trail[i] = s->cursor.sequence;
	sender_link_turn(s);
	loop_arm(s->loop, &s->second_timer, 1000);
	loop_arm(s->loop, &s->timer, first_ms);
}

int sender_open(struct sender *s, struct loop *loop, const struct store *store,
		struct sender_report report, const char *name, int fd, bool known)
{
	int err = 0;

	init(s, loop, store, report, name);
	s->datagrams = true;
	if (fd >= 0)
		err = sender_link_open(s, fd);
	if (err < 0)
		return err;
	s->state = known ? SENDER_FLOWING : SENDER_PAUSED;
	begin(s, known ? 1 : SENDER_RETRY_MS);
	return 0;
}

void sender_open_stream(struct sender *s, struct loop *loop, const struct store *store,
			struct sender_report report, const char *name, const char *peer)
{
	init(s, loop, store, report, name);
	(void)snprintf(s->peer, sizeof(s->peer), "%s", peer != NULL ? peer : "");
	s->state = SENDER_PAUSED;
	begin(s, 1);
}

void sender_close(struct sender *s)
{
	if (s->state == SENDER_CLOSED)
		return;
	save_place(s, s->state == SENDER_FLOWING ? s->link.reached : sender_place_in_doubt(s));
	sender_link_close(s);
	loop_disarm(s->loop, &s->timer);
	loop_disarm(s->loop, &s->second_timer);
	store_cursor_fini(&s->cursor);
	s->state = SENDER_CLOSED;
}

void sender_leave(struct sender *s)
{
	if (s->state == SENDER_CLOSED)
		return;
	seek(s, s->cursor.sequence); /* what has gone since it was last tried */
	tell_gone(s);
	sender_close(s);
}

void sender_kick(struct sender *s)
{
	if (s->state == SENDER_FLOWING && !loop_armed(&s->timer))
		loop_arm(s->loop, &s->timer, 1);
}

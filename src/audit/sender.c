/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place in the log, and the states that all transports have. */
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

	if (s->stuck_looks ==
	    0) { /* else what left before it stuck is in doubt, however long ago */
		memmove(&s->trail[1], &s->trail[0], sizeof(s->trail) - sizeof(s->trail[0]));
		s->trail[0] = s->way->reached(s);
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
	loop_arm(s->loop, &s->timer, s->retry_ms);
}

int sender_some(struct sender *s, unsigned most)
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
		err = s->way->send(s, line);
		if (err == -ERR_CLOSED)
			s->way->refused(s, errno);
		else if (err == -ERR_AGAIN)
			loop_arm(s->loop, &s->timer, FULL_PAUSE_MS);
		if (err < 0)
			return err;
		store_cursor_take(&s->cursor, line);
		sent++;
	}
	return sent > 0 ? (int)sent : -ERR_AGAIN;
}

void sender_repeat(struct sender *s)
{
	uint64_t last = s->cursor.sequence - 1;

	if (last >= s->store->segments[0].first_sequence)
		seek(s, last);
}

/* As much as was recorded in the second before goes as fast as it came; what waits besides, the
 * first second of a rush too, is held back. */
static unsigned burst_size(const struct sender *s)
{
	uint64_t size = s->way->pace + (s->recent + BURSTS_A_SECOND - 1) / BURSTS_A_SECOND;

	return s->way->pace == 0 || size > SENDER_BURST ? SENDER_BURST : (unsigned)size;
}

static void burst(struct sender *s)
{
	unsigned most = burst_size(s);
	int sent = sender_some(s, most);

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

/* ---- events */

static void on_timer(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	if (s->state == SENDER_FLOWING)
		burst(s);
	else if (s->state != SENDER_CLOSED)
		s->way->retry(s);
}

static void on_look(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	loop_arm(loop, timer, SENDER_LOOK_MS);
	if (s->watch.fd >= 0)
		s->way->look(s);
}

static void on_socket(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;

	s->way->ready(s, revents);
}

/* ---- life */

void sender_init(struct sender *s, const struct sender_way *way, struct loop *loop,
		 const struct store *store, struct sender_report report, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->way = way;
	s->loop = loop;
	s->store = store;
	s->report = report;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->watch = (struct loop_fd){.fd = -1, .events = POLLIN, .ready = on_socket, .ctx = s};
	s->timer = (struct loop_timer){.fire = on_timer, .ctx = s};
	s->second_timer = (struct loop_timer){.fire = on_second, .ctx = s};
	s->look_timer = (struct loop_timer){.fire = on_look, .ctx = s};
	s->retry_ms = SENDER_RETRY_MS;
	store_cursor_init(&s->cursor);
}

int sender_watch(struct sender *s, int fd)
{
	int err;

	s->watch.fd = fd;
	err = loop_add(s->loop, &s->watch);
	if (err < 0) {
		s->watch.fd = -1;
		(void)close(fd); /* nothing was sent */
	}
	return err;
}

void sender_unwatch(struct sender *s)
{
	if (s->watch.fd < 0)
		return;
	if (s->way->leave != NULL)
		s->way->leave(s);
	loop_remove(s->loop, &s->watch);
	(void)close(s->watch.fd); /* what is not acknowledged is sent again */
	s->watch.fd = -1;
}

void sender_begin(struct sender *s, uint64_t first_ms)
{
	seek(s, load_place(s));
	s->durable_before = s->store->durable;
	for (size_t i = 0; i < SENDER_TRAIL_S; i++)
		s->trail[i] = s->cursor.sequence;
	loop_arm(s->loop, &s->second_timer, 1000);
	loop_arm(s->loop, &s->look_timer, SENDER_LOOK_MS);
	loop_arm(s->loop, &s->timer, first_ms);
}

void sender_close(struct sender *s)
{
	if (s->state == SENDER_CLOSED)
		return;
	save_place(s, s->state == SENDER_FLOWING ? s->way->reached(s) : sender_place_in_doubt(s));
	sender_unwatch(s);
	loop_disarm(s->loop, &s->timer);
	loop_disarm(s->loop, &s->second_timer);
	loop_disarm(s->loop, &s->look_timer);
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

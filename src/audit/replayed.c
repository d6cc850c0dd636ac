/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing the records of flows, and sending them part by part. */
#include "audit/replayed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/store_files.h"
#include "base/err.h"
#include "base/sealed.h"
#include "wire/log/syslog.h"

#define NS_PER_S    1000000000
#define NS_PER_MS   1000000U
#define DAY_S       86400
#define RETRY_MS    5U
#define SIGN_NS     2000000000U /* a console waits longer for a row */
#define TIME_DIGITS 19          /* "2026-11-24T10:00:00" */

static void turn(struct loop *loop, struct loop_timer *timer);

void replayed_init(struct replayed *r, struct loop *loop, struct channel *control,
		   const struct store *store)
{
	*r = (struct replayed){.loop = loop, .control = control, .store = store};
	r->timer = (struct loop_timer){.fire = turn, .ctx = r};
	bytes_init(&r->part, REPLAY_PART_BYTES);
	store_cursor_init(&r->cursor);
}

static void stop(struct replayed *r)
{
	loop_disarm(r->loop, &r->timer);
	store_cursor_fini(&r->cursor);
	store_cursor_init(&r->cursor);
	bytes_fini(&r->part);
	bytes_init(&r->part, REPLAY_PART_BYTES);
	r->query.number = 0;
}

static int send_row(const struct replayed *r, uint32_t flags, const char *text)
{
	struct control_row row = {
		.number = r->query.number, .console = r->query.console, .flags = flags};

	row.cell_count = text[0] != '\0';
	snprintf(row.text, sizeof(row.text), "%s", text);
	return channel_send(r->control, CONTROL_ROW, &row, sizeof(row), NULL, 0);
}

/* ---- choosing */

static void take_time(char out[REPLAY_TIME_BYTES], struct span time)
{
	size_t size = time.size < TIME_DIGITS ? time.size : TIME_DIGITS;

	memcpy(out, time.data, size);
	out[size] = '\0';
}

static bool is_before(struct span time, const char *since)
{
	size_t size = strlen(since);

	return time.size < size || memcmp(time.data, since, size) < 0;
}

bool replayed_is_wanted(struct span line, const char *since)
{
	static const char mark[] = " flow-";
	struct syslog_view view;

	if (memmem(line.data, line.size, mark, sizeof(mark) - 1) == NULL ||
	    syslog_parse(line, &view) < 0 || is_before(view.time, since))
		return false;
	return span_equal(view.process, span_of("arbiter")) &&
	       (span_equal(view.message_id, span_of("flow-permitted")) ||
		span_equal(view.message_id, span_of("flow-denied")));
}

/* So many days ago, as this log writes times. */
static void since_days(struct replayed *r, unsigned days)
{
	const struct record_form *form = r->store->form;
	const struct syslog_header header = {.wall_ns = clock_wall_ns(form->clock) -
							(int64_t)days * DAY_S * NS_PER_S,
					     .utc_offset_s = form->utc_offset_s};
	uint8_t buffer[256];
	struct syslog_view view;
	struct writer w;

	writer_init(&w, buffer, sizeof(buffer));
	syslog_put_header(&w, &header);
	writer_text(&w, "-");
	r->since[0] = '\0';
	if (syslog_parse((struct span){buffer, w.size}, &view) == 0)
		take_time(r->since, view.time);
}

/* Whether the first record of a file is older than what is wanted. */
static bool begins_before(const struct replayed *r, uint64_t segment)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct syslog_view view;
	struct span line;
	int fd = store_file_open(r->store->directory, segment, O_RDONLY);
	bool before = fd >= 0 && store_read_line(fd, 0, buffer, &line) == 0 &&
		      syslog_parse(line, &view) == 0 && is_before(view.time, r->since);

	if (fd >= 0)
		(void)close(fd); /* read only */
	return before;
}

/* Stand before the newest file that begins before the time, or before the oldest that is read. */
static void seek(struct replayed *r)
{
	const struct store *s = r->store;
	size_t at = s->segment_count - 1; /* there is one: store_open */

	while (at > 0 && s->segment_count - at < REPLAYED_FILES_MAX &&
	       !begins_before(r, s->segments[at].first_sequence))
		at--;
	r->cut = s->segments[at].first_sequence > 1 &&
		 !begins_before(r, s->segments[at].first_sequence);
	(void)store_cursor_seek(s, &r->cursor, s->segments[at].first_sequence); /* read_some sees */
}

/* ---- handing out */

/* Return: 0; -ERR_AGAIN: without room, later. */
static int send_part(struct replayed *r)
{
	struct control_replayed body = {.number = r->query.number,
					.console = r->query.console,
					.last = r->last,
					.cut = r->cut};
	int fd = -1, err = sealed_make("records", bytes_span(&r->part), &fd);

	memcpy(body.since, r->first, sizeof(body.since));
	if (err < 0)
		return err;
	err = channel_send(r->control, CONTROL_REPLAYED, &body, sizeof(body), &fd, 1);
	(void)close(fd); /* memory, which the channel has now */
	r->judging = err == 0;
	if (err == 0)
		bytes_clear(&r->part);
	return err;
}

static int take_record(struct replayed *r, struct span line)
{
	struct syslog_view view;
	int err = 0;

	if (replayed_is_wanted(line, r->since)) {
		err = bytes_append(&r->part, line.data, line.size);
		if (err == 0)
			err = bytes_append_u8(&r->part, '\n');
		if (r->first[0] == '\0' && syslog_parse(line, &view) == 0)
			take_time(r->first, view.time);
	}
	store_cursor_take(&r->cursor, line);
	return err;
}

/* The oldest files have gone meanwhile. Return: 0 or -ERR_SYSTEM. */
static int seek_again(struct replayed *r)
{
	r->cut = true;
	(void)store_cursor_seek(r->store, &r->cursor, r->cursor.sequence); /* its fd tells */
	return r->cursor.fd < 0 ? -ERR_SYSTEM : 0;
}

/* Return: 0 or an error. Sets last at the end. */
static int read_some(struct replayed *r)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;

	for (unsigned i = 0; i < REPLAYED_TURN; i++) {
		int err;

		if (REPLAY_PART_BYTES - r->part.size <= STORE_LINE_MAX)
			return 0;
		r->last = r->cursor.sequence >= r->end;
		if (r->last)
			return 0;
		err = store_cursor_peek(r->store, &r->cursor, buffer, &line);
		if (err == -ERR_NOT_FOUND) {
			err = seek_again(r);
			if (err < 0)
				return err;
			continue;
		}
		r->last = err == -ERR_AGAIN;
		if (err == 0)
			err = take_record(r, line);
		if (r->last || err < 0)
			return r->last ? 0 : err;
	}
	return 0;
}

/* Return: 0, -ERR_AGAIN or another error. */
static int go_on(struct replayed *r, uint64_t now_ns)
{
	bool full = REPLAY_PART_BYTES - r->part.size <= STORE_LINE_MAX;
	int err;

	if (full || r->last)
		return send_part(r);
	err = read_some(r);
	if (err == 0 && now_ns - r->told_ns > SIGN_NS) {
		r->told_ns = now_ns;
		(void)send_row(r, 0, ""); /* without room there are rows on their way */
	}
	return err;
}

static void turn(struct loop *loop, struct loop_timer *timer)
{
	struct replayed *r = timer->ctx;
	uint64_t began_ns = clock_mono_ns(loop->clock), took_ns;
	int err = go_on(r, began_ns);

	if (err < 0 && err != -ERR_AGAIN) {
		(void)send_row(r, CONTROL_ROW_LAST | CONTROL_ROW_ERROR,
			       "the log cannot be read"); /* the console's timeout serves too */
		stop(r);
	} else if (!r->judging) {
		took_ns = clock_mono_ns(loop->clock) - began_ns;
		loop_arm(loop, timer, err < 0 ? RETRY_MS : 1 + REPLAYED_REST * took_ns / NS_PER_MS);
	}
}

int replayed_query(struct replayed *r, const struct control_query *query)
{
	char *end;
	unsigned long days;

	stop(r);
	r->query = *query;
	r->query.argument[sizeof(r->query.argument) - 1] = '\0';
	days = strtoul(r->query.argument + strcspn(r->query.argument, " "), &end, 10);
	if (*end != '\0' || days == 0 || days > REPLAY_DAYS_MAX) {
		int err = send_row(r, CONTROL_ROW_LAST | CONTROL_ROW_ERROR,
				   "give how many days; allowed: 1 to 366");
		r->query.number = 0;
		return err;
	}
	r->first[0] = '\0';
	r->last = r->judging = false;
	r->end = r->store->chain.next_sequence;
	r->told_ns = clock_mono_ns(r->loop->clock);
	since_days(r, (unsigned)days);
	seek(r);
	loop_arm(r->loop, &r->timer, 1);
	return 0;
}

void replayed_next(struct replayed *r, uint32_t number)
{
	if (r->query.number != number || !r->judging)
		return;
	r->judging = false;
	if (r->last)
		stop(r);
	else
		loop_arm(r->loop, &r->timer, 1);
}

void replayed_withdraw(struct replayed *r, uint32_t number)
{
	if (r->query.number == number)
		stop(r);
}

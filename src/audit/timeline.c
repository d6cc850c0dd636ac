/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which records tell the course of an incident, and how they are written for people. */
#include "audit/timeline.h"

#include <stdio.h>
#include <string.h>

#include "audit/answer.h"
#include "audit/evidence.h"
#include "base/err.h"
#include "wire/log/syslog.h"

#define CRITICAL     2U /* an event so severe is an alarm by itself (ADR 804) */
#define HEADING_EN   "number | time | event | meaning | fields\n"
#define HEADING_JA   "番号 | 時刻 | 事象 | 意味 | 内容\n"
#define SINCE_WANTED "since wants a time as the log writes it: 2026-11-22 or 2026-11-22T18:00:00"

/* Why a record belongs to the course. */
enum part {
	PART_NONE,
	PART_COURSE, /* always: what persons did, alarms, starts */
	PART_CUT,    /* always, and what ends next has ended by it */
	PART_END,    /* only then */
	PART_DIFFERS,
	PART_READ, /* the kernel was read back: each commit and each day, for each zone and pair */
};

/* What raises an alarm or ends it. */
static const uint16_t of_alarms[] = {
#define ALARM(...)
#define RAISE(alarm, event) EVENT_##event,
#define CLEAR(alarm, event) EVENT_##event,
#include "audit/alarms.def"
};

/* Beside alarms; an event that is here and there has the part that is said here. */
static const struct {
	uint16_t event;
	uint8_t part;
} also[] = {
#define PART(event, part) {EVENT_##event, PART_##part},
#include "audit/timeline.def"
};

static enum part part_of(enum event_id id)
{
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
		if (also[i].event == id)
			return also[i].part;
	}
	for (size_t i = 0; i < sizeof(of_alarms) / sizeof(of_alarms[0]); i++) {
		if (of_alarms[i] == id)
			return PART_COURSE;
	}
	return event_severity(id) <= CRITICAL ? PART_COURSE : PART_NONE;
}

/* ---- what is asked for */

/* A date, or a date and as much of the time as is given. */
static bool is_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t size = strlen(text);

	if (size != 10 && size != 13 && size != 16 && size != 19)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == '0' ? !digit : text[i] != form[i])
			return false;
	}
	return true;
}

int timeline_init(struct timeline *t, const char *argument, struct bytes *out)
{
	static const char word[] = " since ";

	*t = (struct timeline){.out = out};
	if (strncmp(argument, "ja", 2) == 0)
		t->japanese = true;
	else if (strncmp(argument, "en", 2) != 0)
		return -ERR_SYNTAX;
	argument += 2;
	if (argument[0] == '\0')
		return 0;
	if (strncmp(argument, word, sizeof(word) - 1) != 0 || !is_time(argument + sizeof(word) - 1))
		return -ERR_SYNTAX;
	memcpy(t->since, argument + sizeof(word) - 1, strlen(argument + sizeof(word) - 1) + 1);
	return 0;
}

/* ---- one record */

/* Seconds and microseconds as audit writes them; 0: not so. */
static uint64_t monotonic_us(const struct syslog_view *view)
{
	uint64_t us = 0;
	struct span mono;

	if (syslog_param(view, "mono", &mono) < 0 || mono.size < 8 || mono.size > 18 ||
	    mono.data[mono.size - 7] != '.')
		return 0;
	for (size_t i = 0; i < mono.size; i++) {
		if (i == mono.size - 7)
			continue;
		if (mono.data[i] < '0' || mono.data[i] > '9')
			return 0;
		us = us * 10 + (uint64_t)(mono.data[i] - '0');
	}
	return us;
}

/* The zone or the pair that a record is about. */
static void about(const struct syslog_view *view, char text[TIMELINE_ABOUT_BYTES])
{
	static const char *const names[] = {"zone", "from", "to"};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct span value = {NULL, 0};

		(void)syslog_param(view, names[i], &value); /* it has one of them, or two */
		if (value.size + 2 > TIMELINE_ABOUT_BYTES - used)
			return;
		used += (size_t)snprintf(text + used, TIMELINE_ABOUT_BYTES - used, "%.*s ",
					 (int)value.size, (const char *)value.data);
	}
}

/* Whether it is as asked again, after it was not; from here on it is either. */
static bool is_changed(struct timeline *t, const struct syslog_view *view, bool differs)
{
	char text[TIMELINE_ABOUT_BYTES];
	size_t i = 0;

	about(view, text);
	while (i < t->differ_count && strcmp(t->differs[i], text) != 0)
		i++;
	if (differs && i < t->differ_count)
		return false;
	if (differs && t->differ_count == TIMELINE_DIFFERS_MAX) {
		t->differs_more = true;
		return true;
	}
	if (differs) {
		memcpy(t->differs[t->differ_count++], text, sizeof(text));
		return true;
	}
	if (i == t->differ_count)
		return t->differs_more;
	memmove(t->differs[i], t->differs[i + 1], (--t->differ_count - i) * sizeof(t->differs[0]));
	return true;
}

static bool is_wanted(struct timeline *t, const struct syslog_view *view, enum event_id id)
{
	size_t size = strlen(t->since);
	uint64_t now_us = monotonic_us(view);
	enum part part = part_of(id);

	if (part == PART_CUT)
		t->cut_us = now_us;
	if (id == EVENT_GATEWAY_STARTS) {
		t->differ_count = 0;
		t->differs_more = false;
	}
	if (part == PART_DIFFERS)
		(void)is_changed(t, view, true); /* it is told each time */
	if (part == PART_READ && !is_changed(t, view, false))
		return false;
	/* After a restart the monotonic clock begins anew, before any cut that was. */
	if (part == PART_END &&
	    (t->cut_us == 0 || now_us < t->cut_us || now_us - t->cut_us > TIMELINE_CUT_US))
		return false;
	return part != PART_NONE &&
	       (view->time.size < size || memcmp(view->time.data, t->since, size) >= 0);
}

int timeline_take(struct timeline *t, struct span line)
{
	struct syslog_view view;
	struct span number, fields;
	enum event_id id;

	if (syslog_parse(line, &view) < 0 || syslog_param(&view, "seq", &number) < 0)
		return 0;
	id = event_find(view.message_id);
	if (id == EVENT_NONE_ || !is_wanted(t, &view, id))
		return 0;
	fields = answer_fields(&view);
	return bytes_printf(t->out, "%.*s | %.*s | %s | %s | %.*s\n", (int)number.size,
			    (const char *)number.data, (int)view.time.size,
			    (const char *)view.time.data, event_name(id),
			    t->japanese ? event_meaning_ja(id) : event_meaning_en(id),
			    (int)fields.size, (const char *)fields.data);
}

/* ---- the newest files */

static int take_line(void *ctx, struct span line)
{
	return timeline_take(ctx, line);
}

const char *timeline_print(void *ctx, const struct control_query *query, struct bytes *out)
{
	const struct store *store = ctx;
	struct timeline t;
	int err;

	if (timeline_init(&t, query->argument, out) < 0)
		return SINCE_WANTED;
	err = bytes_append_text(out, t.japanese ? HEADING_JA : HEADING_EN);
	if (err == 0)
		err = store_walk_newest(store, EVIDENCE_LOG_FILES, take_line, &t);
	return err < 0 ? "the log cannot be read, or has too much to tell: give a later time"
		       : NULL;
}
